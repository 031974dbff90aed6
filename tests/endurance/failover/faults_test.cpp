// The faults of a run follow from its seed, and are spread evenly.
#include "faults.hpp"

#include <algorithm>

#include "catch.hpp"

using namespace failover;

TEST_CASE("each kind happens so many times, in turn at head, middle and tail") {
  const auto faults = draw_faults(all_fault_kinds(), 6, 1);
  CHECK(faults.size() == 6 * all_fault_kinds().size());
  for (const fault_kind kind : all_fault_kinds()) {
    for (const victim_role role : {victim_role::head, victim_role::middle, victim_role::tail}) {
      CHECK(std::count_if(faults.begin(), faults.end(),
                          [&](const fault& one) { return one.kind == kind && one.role == role; }) == 2);
    }
  }
}

TEST_CASE("some faults are short, but never a kill") {
  const auto faults = draw_faults(all_fault_kinds(), 4, 1);
  for (const fault_kind kind : all_fault_kinds()) {
    const auto is_short = [&](const fault& one) { return one.kind == kind && one.is_short; };
    CHECK(std::count_if(faults.begin(), faults.end(), is_short) == (kind == fault_kind::kill ? 0 : 1));
  }
}

TEST_CASE("the order follows from the seed") {
  const auto kinds_of = [](std::uint64_t seed) {
    std::vector<fault_kind> kinds;
    for (const fault& one : draw_faults(all_fault_kinds(), 8, seed)) kinds.push_back(one.kind);
    return kinds;
  };
  CHECK(kinds_of(1) == kinds_of(1));
  CHECK(kinds_of(1) != kinds_of(2));
}

TEST_CASE("kinds are read as they are written") {
  for (const fault_kind kind : all_fault_kinds()) CHECK(parse_fault_kind(to_string(kind)) == kind);
  CHECK_FALSE(parse_fault_kind("cut-"));
}

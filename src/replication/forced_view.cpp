#include "replication/forced_view.hpp"

#include <algorithm>

#include "replication/next_view.hpp"

namespace artillery::replication {

namespace {

// An epoch: how often a chain took the place of another, what was drawn then, and the steps since. 53 bits in all, so
// that whoever reads it as a double, as many readers of JSON do, reads the same.
constexpr unsigned step_bits = 24;
constexpr unsigned drawn_bits = 20;
constexpr std::uint64_t generation_max = 511;

bool leaves_out(const view& later, const view& known, const replica_id& survivor) noexcept {
  return later.epoch > known.epoch && !is_replica(later, survivor);
}

}  // namespace

bool may_go_on(const view& known, const replica_id& survivor, const view& vote, const view& told) noexcept {
  return is_replica(known, survivor) && !leaves_out(vote, known, survivor) && !leaves_out(told, known, survivor);
}

std::optional<view> forced_view(const view& known, const replica_id& survivor, const member& voter,
                                std::uint64_t drawn) {
  const auto own = std::find_if(known.replicas.begin(), known.replicas.end(),
                                [&](const member& each) { return each.id == survivor; });
  const std::uint64_t generation = (known.epoch >> (step_bits + drawn_bits)) + 1;
  if (own == known.replicas.end() || generation > generation_max) return std::nullopt;
  view first = known;
  const std::uint64_t mark = drawn >> (64U - drawn_bits);
  first.epoch = (generation << (step_bits + drawn_bits)) | (mark << step_bits) | 1U;
  first.replicas = {*own};
  first.learners.clear();
  first.voters = {voter};
  for (const member& each : known.replicas) {
    const bool is_listed = std::find(first.readers.begin(), first.readers.end(), each.id) != first.readers.end();
    if (!is_listed) first.readers.push_back(each.id);
  }
  if (check_view(first)) return std::nullopt;
  return first;
}

}  // namespace artillery::replication

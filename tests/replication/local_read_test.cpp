// The three steps of a strong local read, with everything that may happen between them (R7).
#include "replication/local_read.hpp"

#include "catch.hpp"

using namespace artillery;
using namespace artillery::replication;
using namespace std::chrono_literals;

namespace {

const time_point start{1h};

serving_state serving(std::uint64_t commit, time_point lease_until = start + 1s) {
  return {.epoch = 3, .commit = commit, .lease_until = lease_until, .drift_ppm = 500, .strong_here = true};
}
stored of(std::uint64_t seq) {
  return {{3, seq}, bytes{"v"}, 0};
}

}  // namespace

TEST_CASE("a clean object under a lease is answered", "[replication][local read]") {
  CHECK(check(serving(5), note(serving(5)), of(5), strong, start) == local_verdict::answer);
  CHECK(check(serving(5), note(serving(5)), stored{}, strong, start) == local_verdict::answer);
}

TEST_CASE("a dirty object is not", "[replication][local read]") {
  CHECK(check(serving(5), note(serving(5)), of(6), strong, start) == local_verdict::ask);
  CHECK(check(serving(5), note(serving(5)), of(6), bounded(2U), start) == local_verdict::ask);
  CHECK(check(serving(5), note(serving(5)), of(6), bounded(1s), start) == local_verdict::ask);
  CHECK(check(serving(5), note(serving(5)), of(6), eventual, start) == local_verdict::answer);
}

TEST_CASE("a version that was committed between the steps is clean at the check", "[replication][local read]") {
  const read_note noted = note(serving(5));
  CHECK(check(serving(6), noted, of(6), strong, start) == local_verdict::answer);
  CHECK(as_of(noted, of(6)) == version{3, 6});
  CHECK(as_of(noted, of(2)) == version{3, 5});
}

TEST_CASE("a lease that ended between the steps does not count", "[replication][local read]") {
  const auto here = serving(5);
  CHECK(check(here, note(here), of(5), strong, start + 1s - 1ns) == local_verdict::answer);
  CHECK(check(here, note(here), of(5), strong, start + 1s) == local_verdict::ask);
  CHECK(check(here, note(here), of(5), bounded(1U), start + 1s) == local_verdict::ask);
}

TEST_CASE("an epoch that changed between the steps does not count", "[replication][local read]") {
  serving_state later = serving(5);
  later.epoch = 4;
  CHECK(check(later, note(serving(5)), of(5), strong, start) == local_verdict::not_serving);
  CHECK(check(later, note(serving(5)), of(5), eventual, start) == local_verdict::not_serving);
  CHECK(check(serving_state{}, note(serving_state{}), stored{}, eventual, start) == local_verdict::not_serving);
}

TEST_CASE("a bound in time outlasts the lease by itself, less the drift of clocks", "[replication][local read]") {
  const auto here = serving(5);
  const auto verdict = [&](duration after) {
    return check(here, note(here), of(5), bounded(100ms), start + 1s + after);
  };
  CHECK(verdict(99ms) == local_verdict::answer);
  CHECK(verdict(99'949us) == local_verdict::answer);
  CHECK(verdict(99'950us) == local_verdict::ask);
}

TEST_CASE("an endless lease covers all time, no lease none", "[replication][local read]") {
  CHECK(lease_covers(time_point::max(), 0s, time_point::max() - 1ns));
  CHECK_FALSE(lease_covers(time_point::min(), 1h, start));
  CHECK(shrink(0s, 500) == 0s);
  CHECK(shrink(1s, 500) <= 1s - 500us);
}

TEST_CASE("what is published is what is read, and nothing before it is", "[replication][local read]") {
  published here;
  CHECK(here.load().epoch == 0);
  CHECK(here.load().lease_until == time_point::min());
  here.publish(serving(5));
  CHECK(here.load() == serving(5));
}

TEST_CASE("a caller of this process is told what is there, that it is not, or to ask", "[replication][local read]") {
  const auto here = serving(5);
  stored clean = of(5);
  const local_read there = answer_of(here, note(here), clean, start);
  CHECK(there.found());
  CHECK(there.value.text() == "v");
  CHECK(there.version == version{3, 5});
  stored nothing;
  CHECK(answer_of(here, note(here), nothing, start).absent());
  stored dirty = of(6);
  CHECK(answer_of(here, note(here), dirty, start).what == local_read::outcome::ask);
  stored late = of(5);
  CHECK(answer_of(here, note(here), late, start + 1s).what == local_read::outcome::ask);
}

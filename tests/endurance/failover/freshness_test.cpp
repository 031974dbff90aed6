// A strong read that lacks an acknowledged write is named, and no other.
#include "freshness.hpp"

#include "catch.hpp"
#include "replication/made_up_history.hpp"

using artillery::sim::history;
using failover::freshness;
using made_up_history::erase;
using made_up_history::put;
using made_up_history::read;
using made_up_history::unknown;

TEST_CASE("a read must show what was acknowledged before it began") {
  const freshness known{history{put(1, 2, "a", 1), put(3, 4, "b", 2)}};
  CHECK(known.is_stale(read(5, 6, "a", 1)));
  CHECK(known.is_stale(read(5, 6, {}, 0)));
  CHECK_FALSE(known.is_stale(read(5, 6, "b", 2)));
}

TEST_CASE("a read may lack what was acknowledged while it was under way") {
  const freshness known{history{put(1, 2, "a", 1), put(3, 6, "b", 2)}};
  CHECK_FALSE(known.is_stale(read(5, 7, "a", 1)));
  CHECK_FALSE(known.is_stale(read(5, 7, "b", 2)));
}

TEST_CASE("a write that was acknowledged late hides no newer one that was acknowledged before it") {
  const freshness known{history{put(1, 6, "a", 1), put(2, 4, "b", 2)}};
  CHECK(known.is_stale(read(7, 8, "a", 1)));
}

TEST_CASE("an object may be absent that was erased, or that somebody may have erased") {
  const history written{put(1, 2, "a", 1)};
  history erased = written;
  erased.push_back(erase(3, 4, 2));
  CHECK_FALSE(freshness{erased}.is_stale(read(5, 6, {}, 0)));
  CHECK(freshness{erased}.is_stale(read(5, 6, "a", 1)));
  history perhaps = written;
  perhaps.push_back(unknown(erase(3, 4, 2)));
  CHECK_FALSE(freshness{perhaps}.is_stale(read(5, 6, {}, 0)));
  CHECK_FALSE(freshness{perhaps}.is_stale(read(5, 6, "a", 1)));
  history written_again = erased;
  written_again.push_back(put(5, 6, "b", 3));
  CHECK(freshness{written_again}.is_stale(read(7, 8, {}, 0)));
}

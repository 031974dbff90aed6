// One question for many reads, and never an answer that is older than the read (R7).
#include "replication/watermark_queries.hpp"

#include "catch.hpp"

using namespace artillery;
using namespace artillery::replication;
using namespace std::chrono_literals;

namespace {
waiting_read from(std::uint64_t request, std::optional<time_point> deadline = {}) {
  return {{2, request}, "k", deadline};
}
}  // namespace

TEST_CASE("reads that come before the question is sent share it", "[replication][watermark]") {
  watermark_queries queries{10};
  CHECK_FALSE(queries.due());
  REQUIRE(queries.join(from(1)));
  REQUIRE(queries.join(from(2)));
  REQUIRE(queries.due());
  const auto question = queries.ask();
  CHECK(queries.answered(question).size() == 2);
  CHECK(queries.size() == 0);
}

TEST_CASE("a read that comes after the question was sent waits for the next", "[replication][watermark]") {
  watermark_queries queries{10};
  REQUIRE(queries.join(from(1)));
  const auto first = queries.ask();
  REQUIRE(queries.join(from(2)));
  CHECK_FALSE(queries.due());  // one at a time
  const auto answered = queries.answered(first);
  REQUIRE(answered.size() == 1);
  CHECK(answered[0].who.request == 1);
  REQUIRE(queries.due());
  CHECK(queries.answered(queries.ask())[0].who.request == 2);
}

TEST_CASE("an answer to a question that was lost counts for nobody", "[replication][watermark]") {
  watermark_queries queries{10};
  REQUIRE(queries.join(from(1)));
  const auto lost = queries.ask();
  queries.lost();
  REQUIRE(queries.due());
  CHECK(queries.answered(lost).empty());
  const auto again = queries.ask();
  CHECK(again != lost);
  CHECK(queries.answered(again).size() == 1);
}

TEST_CASE("waiting reads have a maximum, a deadline, and can be taken back", "[replication][watermark]") {
  const time_point now{1h};
  watermark_queries queries{2};
  REQUIRE(queries.join(from(1, now + 1s)));
  REQUIRE(queries.join(from(2, now + 2s)));
  CHECK_FALSE(queries.join(from(3)));
  CHECK(queries.next_deadline() == now + 1s);
  CHECK(queries.expire(now).empty());
  const auto late = queries.expire(now + 1s);
  REQUIRE(late.size() == 1);
  CHECK(late[0].who.request == 1);
  CHECK(queries.next_deadline() == now + 2s);
  queries.cancel({2, 2});
  CHECK(queries.size() == 0);
}

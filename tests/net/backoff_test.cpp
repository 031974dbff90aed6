#include "base/backoff.hpp"

#include "catch.hpp"

namespace artillery {

using namespace std::chrono_literals;

TEST_CASE("waits double up to the limit and lose at most half by chance", "[net][backoff]") {
  detail::random jitter{1};
  detail::backoff waits{{.first = 100ms, .limit = 1s}};
  for (const auto whole : {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms, 1000ms}) {
    const auto wait = waits.next(jitter);
    CHECK(wait <= whole);
    CHECK(wait >= whole / 2);
  }
}

TEST_CASE("the same seed gives the same waits", "[net][backoff]") {
  detail::random one{7};
  detail::random other{7};
  detail::backoff a;
  detail::backoff b;
  for (int i = 0; i < 20; ++i) CHECK(a.next(one) == b.next(other));
}

TEST_CASE("a success starts the waits over", "[net][backoff]") {
  detail::random jitter{1};
  detail::backoff waits{{.first = 100ms, .limit = 10s}};
  for (int i = 0; i < 100; ++i) CHECK(waits.next(jitter) <= 10s);
  waits.reset();
  CHECK(waits.next(jitter) <= 100ms);
}

}  // namespace artillery

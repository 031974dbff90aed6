#include "base/indexed.hpp"

#include <map>

#include "catch.hpp"

using namespace artillery::detail;

namespace {
struct row {
  std::uint64_t key = 0;
  int value = 0;
};
using table = indexed<row, number_hash>;
}  // namespace

TEST_CASE("a table agrees with a map, whatever is done to both", "[base][indexed]") {
  table tried{99};
  std::map<std::uint64_t, int> model;
  artillery::detail::random random{1};
  for (int step = 0; step < 50'000; ++step) {
    const std::uint64_t key = random.below(300);
    if (random.chance(1, 2)) {
      if (!tried.contains(key)) tried.insert({key, step});
      model.try_emplace(key, step);
    } else {
      REQUIRE(tried.erase(key) == (model.erase(key) == 1));
    }
    REQUIRE(tried.size() == model.size());
    const std::uint64_t probe = random.below(300);
    const row* found = tried.find(probe);
    const auto expected = model.find(probe);
    REQUIRE((found != nullptr) == (expected != model.end()));
    if (found != nullptr) REQUIRE(found->value == expected->second);
  }
}

TEST_CASE("iteration depends on what was done, not on the hash key", "[base][indexed]") {
  table one{1};
  table two{2};
  for (std::uint64_t key = 0; key < 50; ++key) {
    one.insert({key, 0});
    two.insert({key, 0});
  }
  one.erase(std::uint64_t{7});
  two.erase(std::uint64_t{7});
  REQUIRE(std::equal(one.begin(), one.end(), two.begin(), two.end(),
                     [](const row& a, const row& b) { return a.key == b.key; }));
}

TEST_CASE("an empty table finds nothing", "[base][indexed]") {
  table empty;
  REQUIRE(empty.find(std::uint64_t{1}) == nullptr);
  REQUIRE_FALSE(empty.erase(std::uint64_t{1}));
}

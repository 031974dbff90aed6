#include "artillery/replication/memory_store.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "catch.hpp"

using namespace artillery;
using namespace artillery::replication;

namespace {

stored put(std::uint64_t seq, std::string_view value) {
  return {{1, seq}, bytes{value}, static_cast<std::uint32_t>(seq * 3)};
}
stored erased(std::uint64_t seq) {
  return {{1, seq}, std::nullopt, 0};
}

/// A store as one would write it with no regard to cost: all versions of each object, and what is committed.
class model_store final : public store {
public:
  stored fetch(std::string_view key) const override {
    auto it = objects_.find(key);
    return it == objects_.end() ? stored{} : it->second.rbegin()->second;
  }
  using store::fetch;
  stored fetch_at(std::string_view key, std::uint64_t watermark) const override {
    auto it = objects_.find(key);
    if (it == objects_.end()) return {};
    auto above = it->second.upper_bound(watermark);
    return above == it->second.begin() ? stored{} : std::prev(above)->second;
  }
  void apply(std::string_view key, const stored& written) override {
    objects_[std::string{key}].emplace(written.version.seq, written);
  }
  void commit(std::string_view key, std::uint64_t seq) override {
    auto it = objects_.find(key);
    if (it == objects_.end() || !it->second.contains(seq)) return;
    it->second.erase(it->second.begin(), it->second.find(seq));
    if (it->second.size() == 1 && !it->second.begin()->second.value) objects_.erase(it);
  }
  std::vector<object> copy_part(std::size_t /*part*/, std::uint64_t watermark) const override {
    std::vector<object> copied;
    for (const auto& [key, versions] : objects_) {
      if (stored newest = fetch_at(key, watermark); newest.value) copied.push_back({bytes{key}, std::move(newest)});
    }
    return copied;
  }
  void clear() override { objects_.clear(); }
  std::size_t size() const override { return objects_.size(); }

private:
  std::map<std::string, std::map<std::uint64_t, stored>, std::less<>> objects_;
};

bool same(const stored& a, const stored& b) {
  return a.version == b.version && a.value == b.value && a.checksum == b.checksum;
}

}  // namespace

TEST_CASE("an object that was never written is absent and has no version", "[replication][store]") {
  memory_store objects{1};
  REQUIRE(same(objects.fetch("k"), stored{}));
  REQUIRE(same(objects.fetch_at("k", 100), stored{}));
  objects.commit("k", 1);
  REQUIRE(objects.size() == 0);
}

TEST_CASE("a fetch gives the newest version, a fetch at a watermark the newest below it", "[replication][store]") {
  memory_store objects{1};
  objects.apply_committed("k", put(1, "one"));
  objects.apply("k", put(4, "four"));
  objects.apply("k", put(6, "six"));
  REQUIRE(same(objects.fetch("k"), put(6, "six")));
  REQUIRE(same(objects.fetch_at("k", 5), put(4, "four")));
  REQUIRE(same(objects.fetch_at("k", 4), put(4, "four")));
  REQUIRE(same(objects.fetch_at("k", 3), put(1, "one")));
  REQUIRE(same(objects.fetch_at("k", 0), stored{}));

  objects.commit("k", 4);
  REQUIRE(same(objects.fetch_at("k", 3), stored{}));
  REQUIRE(same(objects.fetch_at("k", 4), put(4, "four")));
  REQUIRE(same(objects.fetch("k"), put(6, "six")));
  REQUIRE(objects.size() == 1);
}

TEST_CASE("an erase that is not committed hides the object, one that is ends it", "[replication][store]") {
  memory_store objects{1};
  objects.apply_committed("k", put(1, "one"));
  objects.apply("k", erased(2));
  REQUIRE(same(objects.fetch("k"), erased(2)));
  REQUIRE(same(objects.fetch_at("k", 1), put(1, "one")));
  REQUIRE(objects.size() == 1);
  objects.commit("k", 2);
  REQUIRE(same(objects.fetch("k"), stored{}));
  REQUIRE(objects.size() == 0);

  objects.apply_committed("k", put(3, "three"));
  objects.apply_committed("k", erased(4));
  REQUIRE(objects.size() == 0);
  objects.apply_committed("k", erased(5));
  REQUIRE(same(objects.fetch("k"), stored{}));
}

TEST_CASE("an empty value is a value", "[replication][store]") {
  memory_store objects{1};
  objects.apply_committed("k", put(1, ""));
  REQUIRE(objects.fetch("k").value == bytes{});
}

TEST_CASE("small values keep nothing but their object alive, large ones are shared", "[replication][store]") {
  memory_store objects{1};
  const bytes frame{std::string(100'000, 'f')};
  objects.apply_committed("small", {{1, 1}, frame.slice(10, 100), 0});
  REQUIRE(objects.fetch("small").value->retained() < 200);
  objects.apply_committed("large", {{1, 2}, frame, 0});
  REQUIRE(objects.fetch("large").value->data() == frame.data());
}

TEST_CASE("a value outlives its object for as long as a reader holds it", "[replication][store]") {
  std::optional<bytes> small, large;
  {
    memory_store objects{1};
    objects.apply_committed("s", put(1, "small"));
    objects.apply_committed("l", put(2, std::string(5000, 'l')));
    small = objects.fetch("s").value;
    large = objects.fetch("l").value;
    objects.apply_committed("s", erased(3));
  }
  REQUIRE(small->text() == "small");
  REQUIRE(large->text() == std::string(5000, 'l'));
}

TEST_CASE("keys of every length up to the longest are told apart", "[replication][store]") {
  memory_store objects{7};
  const std::string longest(key_size_max, 'x');
  for (std::size_t length = 1; length <= key_size_max; ++length)
    objects.apply_committed(longest.substr(0, length), put(length, std::to_string(length)));
  REQUIRE(objects.size() == key_size_max);
  for (std::size_t length = 1; length <= key_size_max; ++length) {
    const std::string key = longest.substr(0, length);
    REQUIRE(objects.fetch(key).value == bytes{std::to_string(length)});
    REQUIRE(!objects.fetch(key + '\0').value);
  }
}

TEST_CASE("many keys in one call give what each gives alone", "[replication][store]") {
  memory_store objects{3};
  std::vector<std::string> names;
  for (std::uint64_t i = 0; i < 100; ++i) {
    names.push_back("key " + std::to_string(i));
    if (i % 3 != 0) objects.apply_committed(names.back(), put(i + 1, "value " + std::to_string(i)));
  }
  const std::vector<std::string_view> keys{names.begin(), names.end()};
  std::vector<stored> all(keys.size());
  objects.fetch(keys, all);
  for (std::size_t i = 0; i < keys.size(); ++i) REQUIRE(same(all[i], objects.fetch(keys[i])));
}

TEST_CASE("the store does what a map of all versions does", "[replication][store]") {
  const auto seed = GENERATE(range(1u, 9u));
  CAPTURE(seed);
  detail::random random{seed};
  memory_store objects{seed};
  model_store model;
  // Few keys: many versions each. Many keys: groups that fill, pass objects on and are emptied again.
  const std::uint64_t keys = seed % 2 == 0 ? 5 : 20'000;
  std::vector<std::pair<std::string, std::uint64_t>> uncommitted;
  for (std::uint64_t seq = 1; seq <= 30'000; ++seq) {
    const std::string key = "k" + std::to_string(random.below(keys));
    const bool erases = random.chance(2, 5);
    const std::size_t size = random.chance(1, 20) ? 3000 : 10;
    const stored written = erases ? erased(seq) : put(seq, std::string(size, static_cast<char>('a' + seq % 26)));
    if (uncommitted.empty() && random.chance(1, 2)) {
      objects.apply_committed(key, written);
      model.apply_committed(key, written);
    } else {
      objects.apply(key, written);
      model.apply(key, written);
      uncommitted.emplace_back(key, seq);
    }
    if (random.chance(1, 8)) {  // the watermark moves: what is below it is committed, in order
      const auto upto = static_cast<std::ptrdiff_t>(random.below(uncommitted.size() + 1));
      for (auto it = uncommitted.begin(); it != uncommitted.begin() + upto; ++it) {
        objects.commit(it->first, it->second);
        model.commit(it->first, it->second);
      }
      uncommitted.erase(uncommitted.begin(), uncommitted.begin() + upto);
    }
    const std::string probe = "k" + std::to_string(random.below(keys));
    const std::uint64_t watermark = random.below(seq + 2);
    if (!same(objects.fetch(probe), model.fetch(probe))) FAIL("fetch of " << probe << " after " << seq);
    if (!same(objects.fetch_at(probe, watermark), model.fetch_at(probe, watermark)))
      FAIL("fetch of " << probe << " at " << watermark << " after " << seq);
    if (objects.size() != model.size()) FAIL("size after " << seq);
  }
}

TEST_CASE("readers on other threads see each change as a whole", "[replication][store][threads]") {
  memory_store objects{5};
  constexpr std::uint64_t keys = 64;
  constexpr std::uint64_t writes = 20'000;
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> torn{0};
  std::atomic<std::uint64_t> backwards{0};
  const auto look = [&](const stored& found, std::uint64_t& newest) {
    if (found.version.seq < newest && !found.version.none()) backwards.fetch_add(1);
    newest = std::max(newest, found.version.seq);
    if (!found.value) return;
    const std::string_view text = found.value->text();
    // A value is one letter repeated, which follows from its version, as does the checksum.
    const char letter = static_cast<char>('a' + found.version.seq % 26);
    if (text.find_first_not_of(letter) != std::string_view::npos || found.checksum != found.version.seq * 3)
      torn.fetch_add(1);
  };
  std::vector<std::thread> readers;
  for (std::uint64_t reader = 0; reader < 3; ++reader) {
    readers.emplace_back([&, reader] {
      detail::random random{reader};
      std::vector<std::string> names;
      for (std::uint64_t i = 0; i < keys; ++i) names.push_back("k" + std::to_string(i));
      const std::vector<std::string_view> views{names.begin(), names.end()};
      std::vector<std::uint64_t> newest(keys);
      std::vector<stored> all(keys);
      while (!done.load()) {
        const auto key = static_cast<std::size_t>(random.below(keys));
        look(objects.fetch(views[key]), newest[key]);
        if (!random.chance(1, 50)) continue;
        objects.fetch(views, all);
        for (std::size_t i = 0; i < keys; ++i) look(all[i], newest[i]);
        static_cast<void>(objects.size());
      }
    });
  }
  detail::random random{99};
  for (std::uint64_t seq = 1; seq <= writes; ++seq) {
    const std::string key = "k" + std::to_string(random.below(keys));
    const std::size_t size = random.chance(1, 10) ? 2000 : 40;
    const stored written =
        random.chance(1, 10) ? erased(seq) : put(seq, std::string(size, static_cast<char>('a' + seq % 26)));
    objects.apply(key, written);
    if (seq % 2 == 0) objects.commit(key, seq);
    // Other keys come and go, so that the tables grow under the readers.
    objects.apply_committed("other " + std::to_string(seq), put(seq, "x"));
  }
  done.store(true);
  for (std::thread& reader : readers) reader.join();
  REQUIRE(torn.load() == 0);
  REQUIRE(backwards.load() == 0);
}

// What a tail keeps for its learners, and what it sends them.
#include "replication/backlog.hpp"
#include "catch.hpp"
#include "replication/checkpoint.hpp"

using namespace artillery;
using namespace artillery::replication;

namespace {

record numbered(std::uint64_t seq, std::uint64_t epoch = 1) {
  record r;
  r.seq = seq;
  r.epoch = epoch;
  r.number = seq;
  return r;
}

bytes as_sent(const frame& made) {
  std::vector<std::byte> whole = made.header;
  for (const bytes& part : made.body) whole.insert(whole.end(), part.view().begin(), part.view().end());
  return bytes::copy(whole);
}

object thing(const std::string& key, const std::string& value, std::uint64_t seq) {
  return {bytes{key}, {.version = {1, seq}, .value = bytes{value}, .checksum = 5}};
}

}  // namespace

TEST_CASE("a backlog knows the record that its first one follows, by epoch and place", "[replication][views]") {
  backlog kept;
  kept.restart({1, 4});
  kept.push(numbered(5));
  kept.push(numbered(6, 2));
  CHECK(kept.knows({1, 4}));
  CHECK(kept.knows({2, 6}));
  CHECK_FALSE(kept.knows({1, 6}));
  CHECK_FALSE(kept.knows({2, 4}));
  CHECK_FALSE(kept.knows({1, 3}));
  CHECK(kept.last() == version{2, 6});
}

TEST_CASE("a backlog drops what all learners hold, and weighs the rest", "[replication][views]") {
  backlog kept;
  kept.restart({});
  for (std::uint64_t seq = 1; seq <= 4; ++seq) kept.push(numbered(seq));
  const std::size_t each = numbered(1).weight();
  CHECK(kept.weight_between(0, 4) == 4 * each);
  kept.drop_to(2);
  CHECK(kept.weight() == 2 * each);
  CHECK(kept.weight_between(2, 3) == each);
  CHECK(kept.weight_between(3, 4) == each);
  CHECK_FALSE(kept.holds(2));
  CHECK(kept.at(3).seq == 3);
  kept.drop_to(4);
  CHECK(kept.last() == version{1, 4});
}

TEST_CASE("a checkpoint's parts come back as they were sent", "[replication][views]") {
  frame made;
  encode(made, 3, checkpoint_part{.base = {2, 9}, .sessions = {}, .objects = {}});
  const auto begin = decode_checkpoint(as_sent(made), 10'000);
  REQUIRE(begin);
  CHECK(begin->what == checkpoint_part::stage::begin);
  CHECK(begin->base == version{2, 9});

  session_row row{.key = 77, .used = 9, .lowest = 3, .kept = {}};
  row.kept.push_back({3, 8, {true, {2, 8}}});
  row.kept.push_back({4, 9, {false, {}}});
  encode(made, 3, checkpoint_part{.what = checkpoint_part::stage::sessions, .sessions = {row}, .objects = {}});
  const auto sessions = decode_checkpoint(as_sent(made), 10'000);
  REQUIRE(sessions);
  REQUIRE(sessions->sessions.size() == 1);
  CHECK(sessions->sessions[0].key == 77);
  CHECK(sessions->sessions[0].lowest == 3);
  REQUIRE(sessions->sessions[0].kept.size() == 2);
  CHECK(sessions->sessions[0].kept[0].result == write_result{true, {2, 8}});

  const std::string large(2'000, 'x');
  checkpoint_part objects{.what = checkpoint_part::stage::objects, .sessions = {}, .objects = {}};
  objects.objects = {thing("a", "1", 4), thing("b", large, 5), thing("c", "", 6)};
  encode(made, 3, objects);
  const auto back = decode_checkpoint(as_sent(made), 10'000);
  REQUIRE(back);
  REQUIRE(back->objects.size() == 3);
  CHECK(back->objects[0].newest.value == bytes{"1"});
  CHECK(back->objects[1].newest.value == bytes{large});
  CHECK(back->objects[2].newest.value->empty());
  CHECK(back->objects[2].newest.version == version{1, 6});
  CHECK_FALSE(decode_checkpoint(as_sent(made), 1'000));
}

TEST_CASE("a checkpoint that is cut short anywhere is refused", "[replication][views]") {
  frame made;
  checkpoint_part objects{.what = checkpoint_part::stage::objects, .sessions = {}, .objects = {}};
  objects.objects = {thing("key", "value", 4)};
  encode(made, 3, objects);
  const bytes whole = as_sent(made);
  for (std::size_t size = 0; size < whole.size(); ++size) CHECK_FALSE(decode_checkpoint(whole.slice(0, size), 100));
}

TEST_CASE("a learner's place and its watermark survive the wire", "[replication][views]") {
  frame made;
  encode(made, 3, learner_position{.last = {2, 9}, .parts = 4, .synced = 7});
  const auto position = decode_position(as_sent(made));
  REQUIRE(position);
  CHECK(position->last == version{2, 9});
  CHECK(position->parts == 4);
  CHECK(position->synced == 7);
  encode(made, 3, learner_position{.last = {2, 9}, .parts = 4, .synced = 10});
  CHECK_FALSE(decode_position(as_sent(made)));  // more than it holds
  encode_committed(made, 3, 12);
  CHECK(decode_committed(as_sent(made)) == std::optional<std::uint64_t>{12});
}

#include "membership/recorder.hpp"

using namespace bench;

// What two nodes with large views say to each other to find the few members in which they differ.

namespace {

constexpr std::uint64_t many = 240;

/// Two that know each other and many more; `other` is known to the second alone.
struct two_views {
  two_views() {
    for (std::uint64_t i = 3; i < many; ++i) {
      if (i == other_number) continue;
      a.meet(make_peer(i));
      b.meet(make_peer(i));
    }
    a.self_at = a_at();
    introduce();
    b.meet(other());
    // What is still to be told is told to nobody here.
    for (table* one : {&a, &b}) {
      while (one->core.has_news()) {
        one->now = std::max(one->now, *one->core.next_deadline());
        one->core.expire(one->now, one->out);
      }
      one->out.clear();
    }
    a.now = b.now = std::max(a.now, b.now);
  }

  static constexpr std::uint64_t other_number = 200;
  static peer other() { return make_peer(other_number); }
  static endpoint a_at() { return endpoint::v4(10, 0, 0, 1, 7946); }
  static endpoint b_at() { return endpoint::v4(10, 0, 0, 2, 7946); }

  void introduce() {
    a.receive(b_at(), membership::gossip{}, {word_of(b, b_at())});
    b.receive(a_at(), membership::gossip{}, {word_of(a, a_at())});
  }
  static membership::claim word_of(const table& t, const endpoint& at) {
    const auto self = t.core.self();
    return {.about = self.id,
            .boot = self.boot,
            .incarnation = self.incarnation,
            .state = membership::member_state::alive,
            .accuser = {},
            .facts = std::make_shared<const membership::facts>(
                membership::facts{.name = self.name, .at = at, .tags = self.tags})};
  }

  static table with_id(std::uint64_t number) {
    // No probe falls into what is looked at here.
    membership::config config = membership::config::lan();
    config.probe_interval = 1h;
    config.push_pull_interval = 1s;
    table t{config};
    t.core = membership::core{config, {.id = {number, number}, .boot = 5}, detail::random{number}};
    t.self_at = endpoint::v4(10, 0, 0, static_cast<std::uint8_t>(number), 7946);
    t.core.start(t.self_at, t.now, t.out);
    return t;
  }

  table a = with_id(1);
  table b = with_id(2);
};

std::size_t claims_in(const std::vector<sent_datagram>& all) {
  std::size_t count = 0;
  for (const auto& d : all) count += d.message.items.claims.size();
  return count;
}

/// Gives each what the other has sent it, until neither says more; how many datagrams went.
std::size_t talk(two_views& v) {
  std::size_t went = 0;
  for (int round = 0; round < 20; ++round) {
    bool quiet = true;
    for (auto [from, to, at, to_at] : {std::tuple{&v.a, &v.b, two_views::a_at(), two_views::b_at()},
                                       std::tuple{&v.b, &v.a, two_views::b_at(), two_views::a_at()}}) {
      const auto sent = std::exchange(from->out.datagrams, {});
      for (const auto& d : sent) {
        if (d.to != to_at) continue;
        quiet = false;
        ++went;
        to->receive(at, d.message.body, d.message.items.claims, d.message.items.events);
      }
    }
    if (quiet) return went;
  }
  return went;
}

}  // namespace

TEST_CASE("a view that no datagram lists is compared by the sums of its buckets", "[membership][repair]") {
  two_views v;
  const auto tag = membership::address_tag(v.a.core.self().id, v.a.core.self().boot);
  v.a.receive(two_views::b_at(), membership::ping{.sequence = 1,
                                                  .addressee = tag,
                                                  .sender = membership::shorten(v.b.core.self().id),
                                                  .digests = {.view = 1, .events = 0}});
  REQUIRE(v.a.out.all<membership::view_buckets>().size() == 1);
  CHECK(v.a.out.all<membership::view_summary>().empty());
}

TEST_CASE("one member that one of two large views lacks is found by a handful of datagrams", "[membership][repair]") {
  two_views v;
  REQUIRE(v.a.core.table().find(two_views::other().id) == nullptr);
  const auto tag = membership::address_tag(v.a.core.self().id, v.a.core.self().boot);
  v.a.receive(two_views::b_at(), membership::ping{.sequence = 1,
                                                  .addressee = tag,
                                                  .sender = membership::shorten(v.b.core.self().id),
                                                  .digests = {.view = 1, .events = 0}});
  const std::size_t went = talk(v);
  CHECK(v.a.core.table().find(two_views::other().id) != nullptr);
  CHECK(went <= 8);
}

TEST_CASE("sums from somebody not known are not answered", "[membership][repair]") {
  two_views v;
  v.a.receive(endpoint::v4(10, 9, 9, 9, 1), membership::view_buckets{.sender = {77}});
  CHECK(v.a.out.datagrams.empty());
}

TEST_CASE("of views that differ everywhere only a few buckets are asked about at a time", "[membership][repair]") {
  two_views v;
  membership::view_buckets sums{.sender = membership::shorten(v.b.core.self().id)};
  for (std::size_t i = 0; i < sums.sums.size(); ++i) sums.sums[i] = static_cast<std::uint32_t>(i + 1);
  v.a.receive(two_views::b_at(), sums);
  CHECK(v.a.out.all<membership::view_summary>().size() == 3);
  CHECK(claims_in(v.a.out.all<membership::view_summary>()) == 0);
}

TEST_CASE("under the least cap of bytes as many buckets are asked about as there is room for", "[membership][repair]") {
  membership::config config = membership::config::lan();
  config.gossip_fanout = 1;
  config.bytes_per_second_max = 2 * 16 * config.datagram_max;
  REQUIRE(config.validate().empty());
  table t{config};
  t.meet(make_peer(1));
  t.answer(t.next_ping());
  while (t.core.has_news()) t.pass(10ms);
  t.out.clear();
  membership::view_buckets sums{.sender = membership::shorten(make_peer(1).id)};
  for (std::size_t i = 0; i < sums.sums.size(); ++i) sums.sums[i] = static_cast<std::uint32_t>(i + 1);
  t.pass(150ms);
  t.receive(make_peer(1).at, sums);
  CHECK_FALSE(t.out.all<membership::view_summary>().empty());
}

namespace {

std::vector<membership::push_pull_entry> entries_of(const std::vector<std::pair<std::uint64_t, bytes>>& frames,
                                                    bool& first) {
  std::vector<membership::push_pull_entry> all;
  for (const auto& [number, frame] : frames) {
    const auto read = membership::read_frame(frame, detail::cluster_tag("default"), std::exchange(first, false));
    REQUIRE_FALSE(read.error);
    if (const auto* part = std::get_if<membership::push_pull>(&read.value.body))
      all.insert(all.end(), part->entries.begin(), part->entries.end());
  }
  return all;
}

}  // namespace

TEST_CASE("an exchange of two large views that differ in one member is of its bucket alone", "[membership][repair]") {
  two_views v;
  // The first asks somebody for digests every now and then; the others cannot be reached.
  while (v.a.out.opened.empty() || v.a.out.opened.back().second != two_views::b_at()) {
    for (const auto& [number, to] : std::exchange(v.a.out.opened, {})) {
      v.a.core.link(connection::stream(number, to), link_state::down, v.a.now, v.a.out);
    }
    v.a.now = std::max(v.a.now, *v.a.core.next_deadline());
    v.a.core.expire(v.a.now, v.a.out);
  }
  const auto number = v.a.out.opened.back().first;
  const auto at_a = connection::stream(number, two_views::b_at());
  const auto at_b = connection::stream(2, two_views::a_at());
  v.b.now = v.a.now;
  v.a.out.clear();
  v.b.out.clear();
  v.b.core.link(at_b, link_state::up, v.b.now, v.b.out);
  v.a.core.link(at_a, link_state::up, v.a.now, v.a.out);
  std::vector<membership::push_pull_entry> said;
  bool first_a = true;
  bool first_b = true;
  for (int round = 0; round < 6; ++round) {
    const auto from_a = std::exchange(v.a.out.frames, {});
    for (const auto& e : entries_of(from_a, first_a)) said.push_back(e);
    for (const auto& [ignored, frame] : from_a) v.b.core.receive(at_b, frame, v.b.now, v.b.out);
    const auto from_b = std::exchange(v.b.out.frames, {});
    for (const auto& e : entries_of(from_b, first_b)) said.push_back(e);
    for (const auto& [ignored, frame] : from_b) v.a.core.receive(at_a, frame, v.a.now, v.a.out);
  }
  CHECK(v.a.core.table().find(two_views::other().id) != nullptr);
  CHECK(said.size() >= 3);
  CHECK(said.size() <= 40);  // of twice 240
  for (const auto& e : said) {
    const bool speaker = e.claim.about == v.a.core.self().id || e.claim.about == v.b.core.self().id;
    const bool bucket = membership::bucket_of(membership::shorten(e.claim.about)) ==
                        membership::bucket_of(membership::shorten(two_views::other().id));
    CHECK((speaker || bucket));
  }
}

#include "membership/recorder.hpp"

using namespace bench;
using membership::member_state;

namespace {

/// Lets in those whose tag `version` is 2, and asks nothing else.
membership::config only_version_two() {
  membership::config config = membership::config::lan();
  config.accept = [](const membership::member& who) {
    const auto found = who.tags.find("version");
    return found != who.tags.end() && found->second == "2";
  };
  return config;
}

membership::claim of_version(const peer& p, std::string version) {
  membership::claim c = p.claim();
  c.facts = std::make_shared<const membership::facts>(
      membership::facts{.name = to_short_string(p.id), .at = p.at, .tags = {{"version", std::move(version)}}});
  return c;
}

void exchange(table& t, const membership::claim& sender, const std::vector<membership::claim>& others = {}) {
  membership::push_pull body{.last = true};
  body.entries.push_back({sender, 0});
  for (const auto& c : others) body.entries.push_back({c, 0});
  std::vector<std::byte> frame;
  membership::write_frame(frame, detail::cluster_tag("default"), true, body);
  const auto stream = connection::stream(2, sender.facts->at);
  t.core.link(stream, link_state::up, t.now, t.out);
  t.core.receive(stream, frame, t.now, t.out);
}

}  // namespace

TEST_CASE("who is not let in is not known, by whatever way it is heard of", "[membership][admission]") {
  table t{only_version_two()};
  const peer good = make_peer(1);
  const peer bad = make_peer(2);
  t.receive(good.at, membership::gossip{}, {of_version(good, "2")});
  t.receive(bad.at, membership::gossip{}, {of_version(bad, "1")});
  t.receive(good.at, membership::gossip{}, {of_version(bad, "1")});
  exchange(t, of_version(good, "2"), {of_version(bad, "1")});
  CHECK(t.core.table().find(good.id) != nullptr);
  CHECK(t.core.table().find(bad.id) == nullptr);
  CHECK(t.out.count<membership::joined>() == 1);
  CHECK(t.core.counted().refused_by_application == 3);
}

TEST_CASE("who is not let in is told of nobody, over TCP or by datagram", "[membership][admission]") {
  table t{only_version_two()};
  const peer good = make_peer(1);
  const peer bad = make_peer(2);
  t.receive(good.at, membership::gossip{}, {of_version(good, "2")});
  t.out.clear();
  exchange(t, of_version(bad, "1"), {of_version(make_peer(3), "2")});
  CHECK(t.out.frames.empty());
  CHECK(t.out.closed == std::vector<std::uint64_t>{2});
  CHECK(t.core.table().find(make_peer(3).id) == nullptr);  // its hearsay is not taken either
  t.receive(bad.at, membership::announce{}, {of_version(bad, "1")});
  CHECK(t.out.all<membership::gossip>().empty());
  t.receive(good.at, membership::announce{}, {of_version(good, "2")});
  CHECK_FALSE(t.out.all<membership::gossip>().empty());
}

TEST_CASE("a restart or new tags are asked about again; the same member that refutes is not",
          "[membership][admission]") {
  int asked = 0;
  membership::config config = only_version_two();
  config.accept = [&asked, inner = config.accept](const membership::member& who) {
    ++asked;
    return inner(who);
  };
  table t{config};
  peer p = make_peer(1);
  t.receive(p.at, membership::gossip{}, {of_version(p, "2")});
  CHECK(asked == 1);
  t.receive(make_peer(2).at, membership::gossip{}, {p.claim(member_state::suspect)});
  p.incarnation = 1;
  t.receive(p.at, membership::gossip{}, {of_version(p, "2")});
  CHECK(asked == 1);
  CHECK(t.state_of(p) == member_state::alive);
  p.boot = 2;
  t.receive(p.at, membership::gossip{}, {of_version(p, "2")});
  CHECK(asked == 2);
  CHECK(t.core.table().find(p.id)->standing.boot == 2);
}

TEST_CASE("a member that becomes what may not be is heard no more, and fails", "[membership][admission]") {
  table t{only_version_two()};
  peer p = make_peer(1);
  t.receive(p.at, membership::gossip{}, {of_version(p, "2")});
  p.incarnation = 1;
  t.receive(p.at, membership::gossip{}, {of_version(p, "1")});
  CHECK(t.core.table().find(p.id)->facts->tags.at("version") == "2");
  CHECK(t.out.count<membership::updated>() == 0);
  t.pass(60s);
  CHECK(t.state_of(p) == member_state::failed);
}

TEST_CASE("a member that becomes what may not be fails though it answers, and says no more here",
          "[membership][admission]") {
  table t{only_version_two()};
  peer p = make_peer(1);
  t.receive(p.at, membership::gossip{}, {of_version(p, "2")});
  t.answer(t.next_ping());
  t.out.clear();
  p.incarnation = 1;
  t.receive(p.at, membership::gossip{}, {of_version(p, "1")});
  CHECK(t.state_of(p) == member_state::failed);
  CHECK(t.out.count<membership::failed>() == 1);
  t.receive(p.at, membership::gossip{}, {},
            {{.origin = membership::shorten(p.id),
              .boot = p.boot,
              .sequence = 1,
              .topic = "t",
              .payload = bytes{std::string{"x"}}}});
  CHECK(t.out.count<membership::user_event>() == 0);
  // What it was before is let in again.
  p.incarnation = 2;
  t.receive(p.at, membership::gossip{}, {of_version(p, "2")});
  CHECK(t.state_of(p) == member_state::alive);
}

TEST_CASE("old news of what a member once was costs it nothing", "[membership][admission]") {
  table t{only_version_two()};
  peer p = make_peer(1);
  p.incarnation = 1;
  t.receive(p.at, membership::gossip{}, {of_version(p, "2")});
  p.incarnation = 0;
  t.receive(p.at, membership::gossip{}, {of_version(p, "1")});
  CHECK(t.state_of(p) == member_state::alive);
  CHECK(t.core.counted().refused_by_application == 0);
}

TEST_CASE("who may be known and is behind is told how things stand", "[membership][admission]") {
  table t{only_version_two()};
  peer p = make_peer(1);
  p.boot = 9;
  t.receive(p.at, membership::gossip{}, {of_version(p, "2")});
  t.out.clear();
  // Its clock was set back, and its address is another.
  p.boot = 3;
  p.at = make_peer(2).at;
  exchange(t, of_version(p, "2"));
  CHECK_FALSE(t.out.frames.empty());
  t.receive(p.at, membership::announce{}, {of_version(p, "2")});
  CHECK_FALSE(t.out.all<membership::gossip>().empty());
}

TEST_CASE("of whom nobody asks everybody is let in", "[membership][admission]") {
  table t;
  t.receive(make_peer(1).at, membership::gossip{}, {of_version(make_peer(1), "1")});
  CHECK(t.core.table().find(make_peer(1).id) != nullptr);
  CHECK(t.core.counted().refused_by_application == 0);
}

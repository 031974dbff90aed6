#include "membership/recorder.hpp"
#include "sim/membership_world.hpp"

using namespace bench;
using membership::member_state;

TEST_CASE("nodes that are given one seed all know each other", "[membership][join][sim]") {
  sim::membership_world world{GENERATE(range(1U, 11U))};
  world.add({});
  for (int i = 0; i < 9; ++i) world.add({0});
  CHECK(world.run_until_converged(5s));
}

TEST_CASE("a seed that is down is tried again until it is there", "[membership][join][sim]") {
  sim::membership_world world{3};
  world.add({});
  world.crash(0);
  world.add({0});
  world.run_for(20s);
  world.restart(0, {});
  CHECK(world.run_until_converged(40s));
  CHECK(world.members().size() == 2);
}

TEST_CASE("where no stream gets through a datagram joins", "[membership][join]") {
  table t;
  const peer p = make_peer(1);
  REQUIRE_FALSE(t.core.add_seed(p.at, t.now, t.out));
  REQUIRE(t.out.opened.size() == 1);
  t.core.link(connection::stream(t.out.opened.front().first), link_state::down, t.now, t.out);
  const auto announced = t.out.all<membership::announce>();
  REQUIRE(announced.size() == 1);
  CHECK(announced.front().to == p.at);
  CHECK(announced.front().message.items.claims.size() == 1);
  t.meet(p);
  CHECK(t.core.present() == 1);
}

TEST_CASE("a node that is announced to answers with what it knows", "[membership][join]") {
  table t;
  t.meet(make_peer(1));
  t.out.clear();
  t.receive(make_peer(2).at, membership::announce{}, {make_peer(2).claim()});
  const auto all = t.out.all<membership::gossip>();
  const auto answer = std::find_if(all.begin(), all.end(), [](const auto& d) {
    return d.to == make_peer(2).at && d.message.items.claims.size() == 3;
  });
  CHECK(answer != all.end());
}

TEST_CASE("a newcomer does not tell on what its first seed told it, but what only the second one knows",
          "[membership][join]") {
  table t;
  const std::vector<peer> peers{make_peer(1), make_peer(2), make_peer(3), make_peer(4)};
  for (int seed : {0, 1}) REQUIRE_FALSE(t.core.add_seed(peers[static_cast<std::size_t>(seed)].at, t.now, t.out));
  REQUIRE(t.out.opened.size() == 2);
  const auto opened = t.out.opened;
  for (const auto& [number, at] : opened) t.core.link(connection::stream(number, at), link_state::up, t.now, t.out);
  const auto answer = [&](std::size_t which, const std::vector<peer>& known) {
    membership::push_pull view{.joining = true, .answer = true, .last = true, .entries = {}};
    for (const peer& p : known) view.entries.push_back({p.claim(), 0});
    std::vector<std::byte> frame;
    membership::write_frame(frame, detail::cluster_tag("default"), true, view);
    t.out.clear();
    t.core.receive(connection::stream(opened[which].first, opened[which].second), frame, t.now, t.out);
  };
  answer(0, {peers[0], peers[2]});
  CHECK(t.core.present() == 2);
  CHECK_FALSE(t.core.has_news());
  answer(1, {peers[1], peers[2], peers[3]});
  CHECK(t.core.present() == 4);
  REQUIRE_FALSE(t.out.all<membership::gossip>().empty());
  const auto told = t.out.all<membership::gossip>().front().message.items.claims;
  REQUIRE(told.size() == 2);  // the newest first
  CHECK(told[0].about == peers[3].id);
  CHECK(told[1].about == peers[1].id);
}

namespace {

/// One that asks a seed while others ask it, and what it is told of events.
struct newcomer : table {
  newcomer() { REQUIRE_FALSE(core.add_seed(seed.at, now, out)); }

  [[nodiscard]] connection to_seed() const { return connection::stream(out.opened.at(0).first, seed.at); }
  void link_up(const connection& by) { core.link(by, link_state::up, now, out); }
  void hear(const connection& by, membership::push_pull view) {
    view.last = true;
    std::vector<std::byte> frame;
    membership::write_frame(frame, detail::cluster_tag("default"), true, view);
    core.receive(by, frame, now, out);
  }
  void hear_event(std::uint64_t number) {
    receive(seed.at, membership::gossip{}, {},
            {{.origin = membership::shorten(seed.id),
              .boot = seed.boot,
              .sequence = number,
              .previous = 0,
              .lamport = number,
              .topic = "t",
              .payload = bytes{std::to_string(number)}}});
  }

  const peer seed = make_peer(1);
  const peer other = make_peer(2);
  const connection from_seed = connection::stream(2, seed.at);
  const connection from_other = connection::stream(4, other.at);
};

}  // namespace

TEST_CASE("what is said once two know each other is heard, though their first exchange ends later",
          "[membership][join]") {
  newcomer t;
  // Both look for each other: the seed's own question arrives first. It has said three things so far.
  t.link_up(t.from_seed);
  t.hear(t.from_seed, {.joining = true, .before_you = 3, .entries = {{t.seed.claim(), 3, true}}});
  REQUIRE(t.core.present() == 1);
  // It says a fourth, then answers our question, and the answer is the first to arrive.
  t.link_up(t.to_seed());
  SECTION("of one that says how far it was when they met") {
    t.hear(t.to_seed(), {.answer = true, .before_you = 3, .entries = {{t.seed.claim(), 4, true}}});
  }
  SECTION("of one that does not") {
    t.hear(t.to_seed(), {.answer = true, .before_you = 4, .entries = {{t.seed.claim(), 4, true}}});
  }
  t.hear_event(4);
  CHECK(t.out.count<membership::user_event>() == 1);
  CHECK(t.out.count<membership::gap>() == 0);
}

TEST_CASE("how far others are is not learned for good from one that is new itself", "[membership][join]") {
  newcomer t;
  t.link_up(t.from_other);
  t.hear(t.from_other, {.joining = true, .entries = {{t.other.claim(), 0, true}, {t.seed.claim(), 0, false}}});
  REQUIRE(t.core.present() == 2);
  t.link_up(t.to_seed());
  t.hear(t.to_seed(), {.answer = true, .before_you = 20, .entries = {{t.seed.claim(), 20, true}}});
  t.hear_event(21);
  t.pass(10s);
  CHECK(t.out.count<membership::user_event>() == 1);
  CHECK(t.out.count<membership::gap>() == 0);
}

TEST_CASE("what was told to be missed is not given later, though somebody names an earlier beginning",
          "[membership][join]") {
  newcomer t;
  t.link_up(t.from_seed);
  t.hear(t.from_seed, {.joining = true, .before_you = 3, .entries = {{t.seed.claim(), 4, true}}});
  t.link_up(t.to_seed());
  t.pass(3s);
  REQUIRE(t.out.count<membership::gap>() == 1);
  t.hear(t.to_seed(), {.answer = true, .before_you = 2, .entries = {{t.seed.claim(), 4, true}}});
  t.hear_event(4);
  CHECK(t.out.count<membership::user_event>() == 0);
}

TEST_CASE("a beginning that nobody can have reached is not believed", "[membership][join][robust]") {
  newcomer t;
  t.link_up(t.to_seed());
  const std::uint64_t far = membership::sequence_jump_max + 1;
  t.hear(t.to_seed(), {.answer = true, .before_you = far, .entries = {{t.seed.claim(), far, true}}});
  REQUIRE(t.core.present() == 1);
  CHECK(t.core.counted().refused_forged == 1);
  t.hear_event(1);
  CHECK(t.out.count<membership::user_event>() == 1);
}

TEST_CASE("a member says how many events it had sent when it met whom it tells", "[membership][join]") {
  newcomer t;
  const auto say = [&] { REQUIRE_FALSE(t.core.broadcast("t", bytes{std::string{"x"}}, t.now, t.out)); };
  say();
  t.meet(t.other);
  say();
  t.link_up(t.from_other);
  t.hear(t.from_other, {.joining = true, .entries = {{t.other.claim(), 0, true}}});
  REQUIRE(t.out.frames.size() == 1);
  const auto read = membership::read_frame(t.out.frames[0].second, detail::cluster_tag("default"), true);
  REQUIRE_FALSE(read.error);
  const auto& answer = std::get<membership::push_pull>(read.value.body);
  CHECK(answer.before_you == 1);
  CHECK(answer.entries[0].events_base == 2);
}

TEST_CASE("members whose views agree compare digests and exchange no views; those that differ do",
          "[membership][push_pull][sim]") {
  sim::membership_world world{5};
  world.add({});
  for (int i = 0; i < 7; ++i) world.add({0});
  REQUIRE(world.run_until_converged(5s));
  const auto counted = [&](auto figure) {
    std::uint64_t sum = 0;
    for (sim::host h = 0; h < world.hosts(); ++h) sum += world.core(h)->counted().*figure;
    return sum;
  };
  const auto views = counted(&membership::counters::push_pulls);
  const auto frames = counted(&membership::counters::frames_sent);
  world.run_for(2min);
  CHECK(counted(&membership::counters::push_pulls) == views);
  CHECK(counted(&membership::counters::frames_sent) >= frames + 8 * 2 * 3);  // a ping and its ack every half minute
}

TEST_CASE("a node is no seed of its own, and a seed is kept once", "[membership][join]") {
  table t;
  REQUIRE_FALSE(t.core.add_seed(t.self_at, t.now, t.out));
  CHECK(t.out.opened.empty());
  REQUIRE_FALSE(t.core.add_seed(make_peer(1).at, t.now, t.out));
  REQUIRE_FALSE(t.core.add_seed(make_peer(1).at, t.now, t.out));
  CHECK(t.out.opened.size() == 1);
  CHECK(t.core.add_seed(endpoint{}, t.now, t.out) == errc::invalid_argument);
}

TEST_CASE("who leaves is reported left by all and failed by none", "[membership][leave][sim]") {
  sim::membership_world world{GENERATE(range(1U, 21U))};
  world.add({});
  for (int i = 0; i < 7; ++i) world.add({0});
  REQUIRE(world.run_until_converged(5s));
  world.leave(5);
  world.run_for(1s);
  REQUIRE(world.core(5)->has_left());
  world.crash(5);
  for (sim::host h : world.members()) CHECK(world.checkers().reported_left(world.process(h), world.id(5)));
  world.run_for(30s);
  CHECK(world.checkers().seen().failed == 0);
  CHECK(world.checkers().violations().empty());
}

TEST_CASE("who leaves over a lossy network is reported failed by nobody", "[membership][leave][sim]") {
  sim::link_faults faults;
  faults.loss = 250;
  for (unsigned seed = 1; seed <= 300; ++seed) {
    sim::membership_world world{seed, membership::config::lan(), faults};
    world.add({});
    for (int i = 1; i < 3; ++i) world.add({0});
    REQUIRE(world.run_until_converged(60s));
    world.leave(2);
    const auto over = [&] { return world.core(2)->has_left(); };
    REQUIRE(world.world().run_until(over, world.settings().leave_timeout));
    world.crash(2);
    world.run_for(60s);
    INFO("seed " << seed);
    for (sim::host h : world.members()) {
      REQUIRE_FALSE(world.checkers().reported_failed(world.process(h), world.id(2)));
      REQUIRE(world.checkers().reported_left(world.process(h), world.id(2)));
    }
  }
}

TEST_CASE("leaving waits until somebody has said that it heard", "[membership][leave]") {
  table t;
  const peer p = make_peer(1);
  t.meet(p);
  t.out.clear();
  REQUIRE_FALSE(t.core.leave(t.now, t.out));
  const auto first = t.out.all<membership::ping>().front();
  const auto& claims = first.message.items.claims;
  CHECK(std::count_if(claims.begin(), claims.end(), [&](const auto& c) { return c.about == t.core.self().id; }) == 1);
  t.pass(4s);
  CHECK_FALSE(t.core.has_left());
  t.answer(first);
  CHECK(t.core.has_left());

  t.out.clear();
  t.receive(p.at, membership::ping{.sequence = 9,
                                   .addressee = membership::address_tag(t.core.self().id, t.core.self().boot),
                                   .sender = membership::shorten(p.id),
                                   .digests = {}});
  const auto acks = t.out.all<membership::ack>();
  REQUIRE(acks.size() == 1);
  REQUIRE(acks.front().message.items.claims.size() == 1);
  CHECK(acks.front().message.items.claims.front().state == membership::member_state::left);
}

TEST_CASE("a farewell that only somebody who has left acknowledges was heard by nobody", "[membership][leave]") {
  table t;
  const peer gone = make_peer(1);
  t.meet(gone);
  t.meet(make_peer(2));
  t.out.clear();
  REQUIRE_FALSE(t.core.leave(t.now, t.out));
  t.pass(4s);
  for (const auto& ping : t.out.all<membership::ping>()) {
    if (ping.to != gone.at) continue;
    const auto sequence = std::get<membership::ping>(ping.message.body).sequence;
    t.receive(gone.at, membership::ack{sequence, {}}, {gone.claim(membership::member_state::left)});
  }
  CHECK_FALSE(t.core.has_left());
}

TEST_CASE("leaving ends at its time limit when nobody answers", "[membership][leave]") {
  table t;
  t.meet(make_peer(1));
  REQUIRE_FALSE(t.core.leave(t.now, t.out));
  t.pass(membership::config::lan().leave_timeout - 1ms);
  CHECK_FALSE(t.core.has_left());
  t.pass(1ms);
  CHECK(t.core.has_left());
}

TEST_CASE("leaving alone is done at once, and then nothing works any more", "[membership][leave]") {
  table t;
  REQUIRE_FALSE(t.core.leave(t.now, t.out));
  CHECK(t.core.has_left());
  CHECK(t.core.leave(t.now, t.out) == errc::has_left);
  CHECK(t.core.broadcast("t", "x", t.now, t.out) == errc::has_left);
  CHECK(t.core.set_tags({}, t.now, t.out) == errc::has_left);
  CHECK(t.core.add_seed(make_peer(1).at, t.now, t.out) == errc::has_left);
  CHECK_FALSE(t.core.next_deadline());
}

TEST_CASE("both halves of a split find each other again without help and without burying each other",
          "[membership][heal][sim]") {
  const auto seconds = GENERATE(10, 60, 600);
  membership::config config;
  config.seed_retry_max = 1h;  // the seeds do not help
  sim::membership_world world{GENERATE(range(1U, 6U)), config};
  world.add({});
  for (int i = 0; i < 7; ++i) world.add({0});
  REQUIRE(world.run_until_converged(5s));
  world.run_for(10s);
  world.world().partition({0, 1, 2});
  world.run_for(std::chrono::seconds{seconds});
  const auto failed_before = world.checkers().seen().failed;
  world.world().heal();
  CHECK(world.run_until_converged(90s));
  world.run_for(60s);
  CHECK(world.converged());
  // Every member was reported failed by the other side at most; healing adds none to that.
  CHECK(world.checkers().seen().failed <= std::max<std::uint64_t>(failed_before, 30));
  CHECK(world.checkers().violations().empty());
}

TEST_CASE("tags that a member changes are known to all", "[membership][tags][sim]") {
  sim::membership_world world{5};
  world.add({});
  for (int i = 0; i < 4; ++i) world.add({0});
  REQUIRE(world.run_until_converged(5s));
  world.call(3, [](membership::core& core, time_point now, membership::core::effects_type& out) {
    REQUIRE_FALSE(core.set_tags({{"role", "db"}}, now, out));
  });
  world.run_for(1s);
  for (sim::host h : world.members()) {
    if (h != 3) CHECK(world.core(h)->table().find(world.id(3))->facts->tags.at("role") == "db");
  }
  CHECK(world.checkers().seen().updated == 4);
}

TEST_CASE("whoever connects to a node that has left is not kept waiting", "[membership][leave]") {
  table t;
  const peer p = make_peer(1);
  const auto before = connection::stream(2, p.at);
  t.core.link(before, link_state::up, t.now, t.out);
  t.core.leave(t.now, t.out);
  REQUIRE(t.core.has_left());
  t.core.link(connection::stream(4, p.at), link_state::up, t.now, t.out);
  CHECK(t.out.closed == std::vector<std::uint64_t>{4});
  t.core.receive(before, {}, t.now, t.out);
  CHECK(t.out.closed == std::vector<std::uint64_t>{4, 2});
}

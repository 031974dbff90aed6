#include "node/chain_bootstrap.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "artillery/membership/types.hpp"
#include "base/random.hpp"
#include "catch.hpp"

using namespace artillery;
using namespace artillery::detail;
using namespace std::chrono_literals;
using membership::member_state;
using replication::role;

namespace {

constexpr duration settle = 400ms;

/// Lives of nodes whose tags are seen by the others when the test says so.
class town {
public:
  explicit town(std::size_t expect) : expect_{expect} {}

  time_point now{1h};
  bool replicas_answer = true;

  /// A life of the node with this id, from now on.
  std::size_t start(std::uint64_t id) { return start(id, expect_); }
  std::size_t start(std::uint64_t id, std::size_t expect) {
    const std::uint64_t incarnation = 1000 + lives_.size();
    const auto port = static_cast<std::uint16_t>(7000 + lives_.size());
    lives_.push_back(
        {node_id{0, id},
         chain_bootstrap{{{{node_id{0, id}, incarnation}, endpoint::v4(127, 0, 0, 1, port)}, expect, settle, 1}},
         {}});
    return lives_.size() - 1;
  }
  [[nodiscard]] std::size_t size() const { return lives_.size(); }
  [[nodiscard]] chain_bootstrap& operator[](std::size_t which) { return lives_[which].bootstrap; }
  [[nodiscard]] node_id id(std::size_t which) const { return lives_[which].id; }

  /// `observer` learns the newest tags of `subject`.
  void show(std::size_t observer, std::size_t subject, member_state state = member_state::alive) {
    look(observer, subject, state);
    update(observer);
  }
  void mark(std::size_t observer, std::size_t subject, member_state state) {
    lives_[observer].sees[lives_[subject].id].state = state;
    update(observer);
  }
  void show_tags(std::size_t observer, std::uint64_t id, membership::tag_map tags) {
    membership::member& seen = lives_[observer].sees[node_id{0, id}];
    seen.id = node_id{0, id};
    seen.tags = std::move(tags);
    update(observer);
  }

  /// All of these see all of these, until nothing changes any more; time passes.
  void meet(const std::vector<std::size_t>& who) {
    for (int round = 0; round < 6; ++round) {
      for (const std::size_t observer : who) {
        for (const std::size_t subject : who) {
          if (observer != subject) look(observer, subject, member_state::alive);
        }
        update(observer);
      }
      pass(settle);
    }
  }
  void pass(duration time) {
    now += time;
    for (auto& one : lives_) one.bootstrap.expire(now);
  }

private:
  struct life {
    node_id id;
    chain_bootstrap bootstrap;
    std::map<node_id, membership::member> sees;
  };

  void look(std::size_t observer, std::size_t subject, member_state state) {
    membership::member& seen = lives_[observer].sees[lives_[subject].id];
    seen.id = lives_[subject].id;
    seen.state = state;
    seen.tags = lives_[subject].bootstrap.tags();
  }
  void update(std::size_t observer) {
    std::vector<membership::member> members;
    for (const auto& [id, member] : lives_[observer].sees) members.push_back(member);
    lives_[observer].bootstrap.observe(members, now);
    // Replicas that seem to be there answer, unless the test says otherwise.
    if (replicas_answer && !lives_[observer].bootstrap.reachable().empty()) lives_[observer].bootstrap.reached(now);
  }

  std::size_t expect_;
  std::vector<life> lives_;
};

std::vector<node_id> ids(const std::optional<replication::view>& view) {
  std::vector<node_id> found;
  if (view) {
    for (const replication::member& replica : view->replicas) found.push_back(replica.id.node);
  }
  return found;
}

std::vector<node_id> ids(std::initializer_list<std::uint64_t> low) {
  std::vector<node_id> made;
  for (const std::uint64_t each : low) made.push_back({0, each});
  return made;
}

/// Which list each life was seen on, in any view in force anywhere, ever: the promise of the rule is that there is one.
class view_checker {
public:
  void look(town& all) {
    for (std::size_t each = 0; each < all.size(); ++each) {
      if (!all[each].view()) continue;
      std::vector<std::uint64_t> list;
      for (const replication::member& replica : all[each].view()->replicas) list.push_back(replica.id.incarnation);
      for (const std::uint64_t incarnation : list) {
        const auto& known = list_of_.emplace(incarnation, list).first->second;
        if (known != list) violated_ = true;
      }
    }
  }
  [[nodiscard]] bool violated() const { return violated_; }

private:
  std::map<std::uint64_t, std::vector<std::uint64_t>> list_of_;
  bool violated_ = false;
};

}  // namespace

TEST_CASE("a node that expects nobody else is a chain at once", "[node][bootstrap]") {
  town all{1};
  const auto a = all.start(1);
  REQUIRE(all[a].view());
  CHECK(ids(all[a].view()) == ids({1}));
  CHECK(all[a].view()->epoch == 1);
  CHECK(all[a].here() == role::single);
  CHECK(all[a].state() == chain_state::formed);
  CHECK(all[a].remark().empty());
  CHECK(all[a].tags().count("chain") == 0);
  CHECK_FALSE(all[a].next_deadline());
}

TEST_CASE("three nodes that expect three form the chain of their ids in order", "[node][bootstrap]") {
  town all{3};
  const auto c = all.start(30);
  const auto a = all.start(10);
  const auto b = all.start(20);
  all.meet({a, b, c});
  for (const auto each : {a, b, c}) {
    CHECK(ids(all[each].view()) == ids({10, 20, 30}));
    CHECK(all[each].state() == chain_state::formed);
    CHECK_FALSE(all[each].conflict());
    CHECK(all[each].tags().at("chain").ends_with(" formed"));
  }
  CHECK(all[a].here() == role::head);
  CHECK(all[b].here() == role::middle);
  CHECK(all[c].here() == role::tail);
  CHECK(all[a].view()->replicas[2].at == endpoint::v4(127, 0, 0, 1, 7000));
  CHECK(all[c].reachable().size() == 3);
}

TEST_CASE("nobody proposes before the members have settled", "[node][bootstrap]") {
  town all{2};
  const auto a = all.start(1);
  const auto b = all.start(2);
  const auto c = all.start(3);
  all.show(a, c);
  REQUIRE(all[a].next_deadline() == all.now + settle);
  all.pass(settle - 1ns);
  CHECK(all[a].tags().count("chain") == 0);
  all.show(a, b);  // somebody new: the time starts again
  all.pass(settle - 1ns);
  CHECK(all[a].tags().count("chain") == 0);
  all.pass(1ns);
  CHECK(all[a].tags().at("chain") == "00000000000003e8,00000000000003e9");
  CHECK(all[a].state() == chain_state::confirming);
  CHECK(all[a].remark() == "waiting for confirmation by 00000000");
}

TEST_CASE("a list is in force only after each of its nodes has confirmed it", "[node][bootstrap]") {
  town all{3};
  const auto a = all.start(1);
  const auto b = all.start(2);
  const auto c = all.start(3);
  for (const auto each : {b, c}) all.show(a, each);
  all.pass(settle);
  for (const auto other : {a, c}) all.show(b, other);
  all.show(a, b);
  CHECK(all[a].state() == chain_state::confirming);
  CHECK(all[b].state() == chain_state::confirming);
  for (const auto other : {a, b}) all.show(c, other);
  CHECK(all[c].state() == chain_state::formed);  // it saw the others' confirmations and gave its own
  CHECK(all[a].state() == chain_state::confirming);
  all.show(a, c);
  CHECK(all[a].state() == chain_state::formed);
  all.show(b, c);  // c says that it is in force: that is enough
  CHECK(all[b].state() == chain_state::formed);
}

TEST_CASE("nodes beyond the expected ones become clients and know the chain", "[node][bootstrap]") {
  town all{3};
  const auto d = all.start(40);
  const auto a = all.start(10);
  const auto b = all.start(20);
  const auto c = all.start(30);
  all.meet({a, b, c, d});
  CHECK(ids(all[d].view()) == ids({10, 20, 30}));
  CHECK(all[d].here() == role::none);
  CHECK(all[d].tags().empty());
  CHECK(all[d].reachable().size() == 3);
}

TEST_CASE("a node of a lower id that comes late is a client", "[node][bootstrap]") {
  town all{3};
  const auto b = all.start(20);
  const auto c = all.start(30);
  const auto d = all.start(40);
  all.meet({b, c, d});
  const auto a = all.start(10);
  all.meet({a, b, c, d});
  CHECK(ids(all[a].view()) == ids({20, 30, 40}));
  CHECK(all[a].here() == role::none);
  CHECK_FALSE(all[a].conflict());
}

TEST_CASE("a node that expects to be no replica learns the chain", "[node][bootstrap]") {
  town all{2};
  const auto reader = all.start(1, 0);
  const auto a = all.start(2);
  const auto b = all.start(3);
  CHECK(all[reader].tags().empty());
  all.meet({reader, a, b});
  CHECK(ids(all[reader].view()) == ids({2, 3}));
  CHECK(all[reader].here() == role::none);
}

TEST_CASE("nodes of other expectations do not take part", "[node][bootstrap]") {
  town all{2};
  const auto a = all.start(1);
  const auto alone = all.start(2, 1);
  const auto many = all.start(3, 3);
  all.meet({a, alone, many});
  CHECK_FALSE(all[a].view());
  CHECK(all[a].remark() == "waiting for 1 more: 1 of the expected 2 nodes are known");
  CHECK(ids(all[alone].view()) == ids({2}));
  const auto b = all.start(4);
  all.meet({a, alone, many, b});
  CHECK(ids(all[a].view()) == ids({1, 4}));
  CHECK_FALSE(all[many].view());
}

TEST_CASE("a node that comes back is a stranger to the chain that it was in", "[node][bootstrap]") {
  town all{3};
  const auto a = all.start(1);
  const auto b = all.start(2);
  const auto c = all.start(3);
  all.meet({a, b, c});
  const auto again = all.start(2);
  all.meet({a, again, c});
  CHECK(all[a].view()->replicas == all[b].view()->replicas);
  CHECK(all[again].here() == role::none);
  REQUIRE(all[again].view());
  CHECK(all[again].view()->replicas[1].id.incarnation == 1001);  // its own earlier life, which it never met
  CHECK(all[again].view()->replicas[1].id.node.none());
  CHECK(all[again].reachable().size() == 2);
  CHECK(all[a].reachable().size() == 2);
}

TEST_CASE("a member that dies before it confirmed is reported, and all of them started again form a chain",
          "[node][bootstrap]") {
  town all{3};
  const auto a = all.start(1);
  const auto b = all.start(2);
  const auto c = all.start(3);
  for (const auto each : {b, c}) all.show(a, each);
  all.pass(settle);
  all.show(b, a);
  all.show(b, c);
  all.show(a, b);
  all.mark(a, c, member_state::failed);
  CHECK_FALSE(all[a].conflict());  // not yet: a confirmation may be on its way
  all.pass(settle);
  REQUIRE(all[a].conflict());
  CHECK(all[a].conflict()->why == chain_conflict::reason::member_lost);
  CHECK(all[a].conflict()->nodes == ids({1, 2}));
  CHECK(all[a].state() == chain_state::conflict);

  const auto a2 = all.start(1);
  const auto c2 = all.start(3);
  all.meet({a2, b, c2});
  CHECK_FALSE(all[a2].view());
  const auto b2 = all.start(2);
  all.meet({a2, b2, c2});
  CHECK(ids(all[a2].view()) == ids({1, 2, 3}));
  CHECK_FALSE(all[a2].conflict());
}

TEST_CASE("a member that only seemed dead ends the conflict by confirming", "[node][bootstrap]") {
  town all{2};
  const auto a = all.start(1);
  const auto b = all.start(2);
  all.show(a, b);
  all.pass(settle);
  all.mark(a, b, member_state::failed);
  all.pass(settle);
  REQUIRE(all[a].conflict());
  all.show(b, a);
  all.show(a, b);
  CHECK(all[a].state() == chain_state::formed);
  CHECK_FALSE(all[a].conflict());
}

TEST_CASE("of two lists the one that can still be confirmed by everybody wins", "[node][bootstrap]") {
  town all{3};
  const auto a = all.start(1);
  const auto b = all.start(2);
  const auto c = all.start(3);
  const auto d = all.start(4);
  for (const auto other : {b, c}) all.show(a, other);
  for (const auto other : {c, d}) all.show(b, other);
  all.pass(settle);  // a proposes {a b c}; b, which has not met a, {b c d}
  all.meet({a, b, c, d});
  for (const auto each : {a, b, c, d}) CHECK(ids(all[each].view()) == ids({2, 3, 4}));
  CHECK(all[a].here() == role::none);
}

TEST_CASE("lists that exclude each other are a conflict that names the nodes to start again", "[node][bootstrap]") {
  town all{3};
  const auto a = all.start(1);
  const auto b = all.start(2);
  const auto c = all.start(3);
  const auto d = all.start(4);
  for (const auto other : {b, c}) all.show(a, other);
  for (const auto other : {c, d}) all.show(b, other);
  for (const auto other : {a, b}) all.show(c, other);
  all.pass(settle);
  all.show(c, a);  // c confirms {a b c} before it hears that b has proposed {b c d}
  all.meet({a, b, c, d});
  for (const auto each : {a, b, c, d}) {
    CHECK_FALSE(all[each].view());
    REQUIRE(all[each].conflict());
    CHECK(all[each].conflict()->why == chain_conflict::reason::contradiction);
    CHECK(all[each].conflict()->nodes == ids({1, 2, 3}));
    CHECK(all[each].remark() == all[each].conflict()->explanation);
  }
  const auto a2 = all.start(1);
  const auto b2 = all.start(2);
  const auto c2 = all.start(3);
  all.meet({a2, b2, c2, d});
  for (const auto each : {a2, b2, c2, d}) CHECK(ids(all[each].view()) == ids({1, 2, 3}));
  CHECK_FALSE(all[d].conflict());
}

TEST_CASE("two halves that never met form two chains, and say so when they meet", "[node][bootstrap]") {
  town all{2};
  for (std::uint64_t id = 1; id <= 5; ++id) all.start(id);
  all.meet({0, 1});
  all.meet({2, 3});
  CHECK(ids(all[0].view()) == ids({1, 2}));
  CHECK(ids(all[3].view()) == ids({3, 4}));
  all.meet({0, 1, 2, 3, 4});
  for (std::size_t each = 0; each < 5; ++each) {
    REQUIRE(all[each].conflict());
    CHECK(all[each].conflict()->why == chain_conflict::reason::two_chains);
    CHECK(all[each].conflict()->nodes == ids({1, 2, 3, 4}));
  }
  CHECK(ids(all[0].view()) == ids({1, 2}));  // what is in force stays
  CHECK(ids(all[3].view()) == ids({3, 4}));
  CHECK_FALSE(all[4].view());  // a client that meets both at once does not choose
  CHECK(all[4].state() == chain_state::conflict);
}

TEST_CASE("a client goes over to the chain that replaces one of which nobody is left", "[node][bootstrap]") {
  town all{2};
  for (std::uint64_t id = 1; id <= 3; ++id) all.start(id);
  all.meet({0, 1, 2});
  CHECK(all[2].view()->replicas[0].id.incarnation == 1000);
  all.mark(2, 0, member_state::failed);
  all.mark(2, 1, member_state::failed);
  CHECK(all[2].state() == chain_state::formed);
  CHECK(all[2].reachable().empty());
  const auto a2 = all.start(1);
  const auto b2 = all.start(2);
  all.meet({a2, b2, 2});
  CHECK(all[2].view()->replicas[0].id.incarnation == 1003);
  CHECK(all[2].reachable().size() == 2);
}

TEST_CASE("nodes that heard of a chain whose nodes had died together form their own", "[node][bootstrap]") {
  town all{2};
  const auto a = all.start(1);
  const auto b = all.start(2);
  const auto reader = all.start(9, 0);
  all.meet({a, b, reader});
  all.replicas_answer = false;  // both die; nobody has noticed yet
  const auto c = all.start(3);
  const auto d = all.start(4);
  for (const auto fresh : {c, d}) {
    for (const auto dead : {a, b}) all.show(fresh, dead);
    CHECK(all[fresh].hearsay());
    CHECK(all[fresh].state() == chain_state::waiting);
    CHECK(all[fresh].remark() == "found a chain; waiting for one of its replicas to answer");
    CHECK(all[fresh].tags().count("replica") == 1);
  }
  for (const auto observer : {c, d, reader}) {
    for (const auto dead : {a, b}) all.mark(observer, dead, member_state::failed);
  }
  CHECK_FALSE(all[c].view());
  CHECK(ids(all[reader].view()) == ids({1, 2}));  // it has used that chain: it does not forget it
  all.meet({c, d, reader});
  CHECK(ids(all[c].view()) == ids({3, 4}));
  CHECK(ids(all[reader].view()) == ids({3, 4}));
  CHECK(all[reader].hearsay());
}

TEST_CASE("tags that make no sense are counted and change nothing", "[node][bootstrap]") {
  town all{2};
  const auto a = all.start(1);
  const auto b = all.start(2);
  all.show_tags(a, 7, {{"replica", "nonsense"}});
  all.show_tags(a, 8, {{"replica", "127.0.0.1:1 0000000000000042 2"}, {"chain", "nonsense"}});
  all.show_tags(a, 9,
                {{"replica", "127.0.0.1:1 0000000000000043 2"},
                 {"chain", "0000000000000044,0000000000000045 formed"}});  // speaks for others
  all.show_tags(a, 10, {{"replica", "127.0.0.1:1 00000000000003e8 2"}});   // the incarnation of a
  CHECK(all[a].malformed() == 4);
  CHECK(all[a].remark() == "waiting for 1 more: 1 of the expected 2 nodes are known");
  all.meet({a, b});
  CHECK(ids(all[a].view()) == ids({1, 2}));
}

TEST_CASE("a list that is not ascending is not confirmed", "[node][bootstrap]") {
  town all{2};
  const auto b = all.start(2);
  all.show_tags(b, 1, {{"replica", "127.0.0.1:1 0000000000000001 2"}, {"chain", "00000000000003e8,0000000000000001"}});
  all.pass(settle);
  CHECK(all[b].tags().count("chain") == 0);
  all.show_tags(b, 1, {{"replica", "127.0.0.1:1 0000000000000001 2"}, {"chain", "0000000000000001,00000000000003e8"}});
  CHECK(all[b].tags().count("chain") == 1);
}

// ---- over many orders of visibility ---------------------------------------------------------------------------------

namespace {

/// Each node learns the others' tags one at a time, in a random order, with crashes and restarts in between.
class random_town {
public:
  random_town(std::uint64_t seed, std::size_t expect, std::size_t nodes, bool restarts)
      : random_{seed}, all_{expect}, restarts_{restarts} {
    for (std::size_t i = 0; i < nodes; ++i) running_.push_back(all_.start(random_.between(1, 1'000'000) * 16 + i));
  }

  void live(int steps) {
    for (int i = 0; i < steps; ++i) {
      const auto observer = draw();
      const auto subject = draw();
      const auto state = random_.chance(1, 10) ? member_state::failed : member_state::alive;
      if (observer != subject) all_.show(observer, subject, state);
      if (random_.chance(1, 8)) all_.pass(std::chrono::milliseconds{random_.between(0, 500)});
      all_.replicas_answer = random_.chance(1, 2);
      if (restarts_ && random_.chance(1, 60)) {
        const auto victim = static_cast<std::size_t>(random_.below(running_.size()));
        running_[victim] = all_.start(all_.id(running_[victim]).low);
      }
      views_.look(all_);
    }
  }
  void meet() {
    all_.replicas_answer = true;
    all_.meet(running_);
    views_.look(all_);
    REQUIRE_FALSE(views_.violated());
  }
  [[nodiscard]] std::size_t formed() {
    return static_cast<std::size_t>(std::count_if(running_.begin(), running_.end(),
                                                  [&](std::size_t life) { return all_[life].view().has_value(); }));
  }
  [[nodiscard]] bool all_know() {
    return std::all_of(running_.begin(), running_.end(),
                       [&](std::size_t life) { return all_[life].view() || all_[life].conflict(); });
  }

private:
  std::size_t draw() { return running_[static_cast<std::size_t>(random_.below(running_.size()))]; }

  detail::random random_;
  town all_;
  view_checker views_;
  bool restarts_;
  std::vector<std::size_t> running_;
};

}  // namespace

TEST_CASE("as many nodes as expected always form one chain, in whatever order they see each other",
          "[node][bootstrap][property]") {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    CAPTURE(seed);
    const std::size_t expect = 2 + seed % 6;
    random_town world{seed, expect, expect, false};
    world.live(150);
    world.meet();
    REQUIRE(world.formed() == expect);
  }
}

TEST_CASE("more nodes than expected that all see each other before one proposes always form one chain",
          "[node][bootstrap][property]") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    const std::size_t expect = 2 + seed % 6;
    random_town world{seed, expect, expect + 1 + seed % 4, false};
    world.meet();
    REQUIRE(world.formed() == expect + 1 + seed % 4);
  }
}

TEST_CASE("no two views with a common life are ever in force, whatever starts, dies, comes back and is seen when",
          "[node][bootstrap][property]") {
  std::size_t with_chain = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    CAPTURE(seed);
    const std::size_t expect = 2 + seed % 4;
    const bool restarts = seed % 3 != 0;
    random_town world{seed, expect, expect + seed % 4, restarts};
    world.live(250);
    world.meet();
    if (!restarts) REQUIRE(world.all_know());
    if (world.formed() != 0) ++with_chain;
  }
  CHECK(with_chain > 200);  // an easy run must not pass for a hard one
}

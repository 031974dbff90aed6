// Mistakes of mutant.hpp that harm only in one order of events, which few seeds draw or none: for each a run that is
// told step by step, right without it and wrong with it. In all of them "1" is overwritten by "2", and somebody still
// reads "1".
#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "catch.hpp"
#include "replication/mutant.hpp"
#include "replication/register_mutant.hpp"
#include "replication/simulated_healing_chain.hpp"

namespace artillery::replication {
mutation planted = mutation::none;
register_mutation register_planted = register_mutation::none;
}  // namespace artillery::replication

using namespace artillery;
using namespace std::chrono_literals;
using replication::mutation;

namespace {

using delay = simulated_healing_chain::delay;
constexpr duration at_once{};

/// Planted for as long as it lives.
class planting {
public:
  explicit planting(mutation mistake) { replication::planted = mistake; }
  planting(const planting&) = delete;
  planting& operator=(const planting&) = delete;
  ~planting() { replication::planted = mutation::none; }
};

/// Whether this asks for a view with one more replica.
bool promotes(const simulated_healing_chain::question& asked, const replication::view& now) {
  const auto* cas = std::get_if<replication::authority_cas>(&asked);
  return cas != nullptr && cas->next.replicas.size() > now.replicas.size();
}

bool has_lease(simulated_healing_chain& chain, std::size_t node) {
  return chain.replica(node).published().lease_until > chain.world.local_time(chain.host(node));
}

bool follows(simulated_healing_chain& chain, std::size_t node, std::uint64_t epoch) {
  return chain.world.run_until([&] { return chain.replica(node).core().in_force().epoch >= epoch; }, 5s);
}

/// The chain is 0, 1; 2 joins. The tail, 1, freezes for that and hears nothing of the authority any more; what it takes
/// meanwhile, 2 commits and tells. Then 2 is dropped, and 1 is the tail again, of the next view that it hears of. What
/// it tells while the gate for 2 lasts, or after it.
std::string read_at_a_tail_that_was_frozen() {
  simulated_healing_chain chain{{.length = 2, .spares = 1, .wanted = 3, .runs_for = 0s}};
  bool is_frozen = false;
  bool one_hears = true;
  bool two_hears = true;
  chain.on_question = [&](std::size_t node, const auto& asked) -> delay {
    if ((node == 1 && !one_hears) || (node == 2 && !two_hears)) return std::nullopt;
    if (promotes(asked, chain.newest())) {
      is_frozen = true;
      one_hears = false;  // also not what comes of this
      two_hears = false;
    }
    return at_once;
  };
  chain.on_answer = [&](std::size_t node, const auto&) -> delay {
    const bool hears = node == 0 || (node == 1 ? one_hears : two_hears);
    return hears ? delay{at_once} : std::nullopt;
  };
  chain.put("k", "1");
  REQUIRE(chain.world.run_until([&] { return is_frozen; }, 5s));
  const std::uint64_t last = chain.replica(0).core().log().last_seq() + 1;
  (void)chain.begin_put("k", "2");
  REQUIRE(chain.world.run_until([&] { return chain.replica(2).core().log().last_seq() == last; }, 5s));
  REQUIRE(chain.order() == std::vector<std::size_t>{0, 1, 2});
  REQUIRE(chain.replica(1).core().opening().is_frozen());
  two_hears = true;
  REQUIRE(chain.world.run_until([&] { return chain.replica(2).core().status().commit == last; }, 5s));
  REQUIRE(chain.world.run_until([&] { return has_lease(chain, 2); }, 5s));
  REQUIRE(chain.read_within("k", 2) == "2");
  REQUIRE(chain.replica(1).core().status().commit == last - 1);

  two_hears = false;
  chain.world.isolate(chain.host(2));
  const std::uint64_t epoch = chain.newest().epoch;
  REQUIRE(follows(chain, 0, epoch));
  chain.say_failed(0, 2);
  REQUIRE(chain.world.run_until([&] { return chain.newest().epoch == epoch + 1; }, 5s));
  REQUIRE(chain.order() == std::vector<std::size_t>{0, 1});
  one_hears = true;
  REQUIRE(follows(chain, 1, epoch + 1));
  return chain.read("k", 1);
}

/// The chain is 0, 1, 2; 3 joins. The head is cut off and dropped, and 3 is promoted before the head's lease ends. What
/// the head answers once the view with 3 has acknowledged another write.
std::optional<std::string> read_behind_an_append() {
  simulated_healing_chain chain{{.length = 3, .spares = 1, .wanted = 4, .lease = 1s, .runs_for = 0s}};
  bool is_cut_off = false;
  chain.on_question = [&](std::size_t node, const auto& asked) -> delay {
    if (node == 0 && is_cut_off) return std::nullopt;
    if (is_cut_off || !promotes(asked, chain.newest())) return at_once;
    is_cut_off = true;
    return std::nullopt;  // others are quicker
  };
  chain.put("k", "1");
  REQUIRE(chain.world.run_until([&] { return is_cut_off; }, 5s));
  chain.world.isolate(chain.host(0));
  chain.say_failed(1, 0);
  REQUIRE(chain.world.run_until([&] { return chain.order() == std::vector<std::size_t>{1, 2, 3}; }, 5s));
  REQUIRE(has_lease(chain, 0));
  REQUIRE(follows(chain, 1, chain.newest().epoch));
  REQUIRE(follows(chain, 3, chain.newest().epoch));
  REQUIRE(chain.read("k", 1) == "1");  // so that the client knows who the head is
  chain.put("k", "2");
  return chain.read_within("k", 0);
}

/// The chain is 0, 1, and nobody has held a lease for long. The tail asks whether that is so and drops the head; in
/// between, what the head had asked before is answered: it has a lease. What it answers once 1 has acknowledged another
/// write.
std::optional<std::string> read_behind_an_early_end() {
  simulated_healing_chain chain{{.length = 2, .authority_timeout = 60ms}};
  bool are_cut_off = true;
  bool has_asked = false;
  bool one_proposes = false;
  chain.put("k", "1");
  chain.on_answer = [&](std::size_t node, const auto& told) -> delay {
    // It is told later than what came of the proposal.
    return node == 1 && std::holds_alternative<replication::authority_quieted>(told) ? 30ms : at_once;
  };
  chain.on_question = [&](std::size_t node, const auto& asked) -> delay {
    if (node == 0 && has_asked) return std::nullopt;
    if (node == 1 && std::holds_alternative<replication::authority_cas>(asked)) return 15ms;
    if (are_cut_off) return std::nullopt;
    if (node != 0 || !std::holds_alternative<replication::authority_renew>(asked)) {
      return one_proposes ? delay{at_once} : std::nullopt;
    }
    has_asked = true;
    return 8ms;
  };
  chain.world.run_for(1s);
  are_cut_off = false;
  REQUIRE(chain.world.run_until([&] { return has_asked; }, 1s));
  chain.world.isolate(chain.host(0));
  one_proposes = true;
  chain.say_failed(1, 0);
  REQUIRE(follows(chain, 1, 2));
  REQUIRE(has_lease(chain, 0));
  REQUIRE(chain.read("k", 1) == "1");
  chain.put("k", "2");
  return chain.read_within("k", 0);
}

/// The chain is 0, 1, 2. The head is cut off and dropped, of which 2, the tail, hears later than 1. What the head
/// answers once 1 has acknowledged another write.
std::optional<std::string> read_before_the_tail_hears() {
  simulated_healing_chain chain{{.length = 3, .authority_timeout = 60ms}};
  chain.put("k", "1");
  chain.on_question = [](std::size_t node, const auto&) -> delay { return node == 0 ? std::nullopt : delay{at_once}; };
  chain.on_answer = [](std::size_t node, const auto&) -> delay { return node == 2 ? 30ms : at_once; };
  chain.world.isolate(chain.host(0));
  chain.say_failed(1, 0);
  REQUIRE(follows(chain, 1, 2));
  REQUIRE(chain.replica(2).core().in_force().epoch == 1);
  REQUIRE(chain.read("k", 1) == "1");
  REQUIRE(has_lease(chain, 0));
  chain.put("k", "2");
  return chain.read_within("k", 0);
}

/// The chain is 0, 1, with disks. That of the head stands still while a write passes, and the tail is gone. Whether the
/// head opens, and shows what no disk but the lost one has.
bool opens_before_its_disk() {
  simulated_healing_chain chain{{.length = 2, .sync_takes_max = 2ms}};
  chain.put("k", "1");
  chain.hold_back(0, true);
  (void)chain.begin_put("k", "2");
  chain.world.run_for(50ms);
  chain.crash(1);
  REQUIRE(chain.world.run_until([&] { return chain.order() == std::vector<std::size_t>{0}; }, 5s));
  chain.world.run_for(2s);
  return chain.has_opened(0);
}

/// The chain is 0, 1, with disks. That of the tail stands still while writes pass, and goes on doing so when it
/// restarts with some of them, which are not there for certain. Whether it is in the chain again all the same.
bool is_appended_with_what_it_read() {
  simulated_healing_chain chain{{.length = 2, .sync_takes_max = 2ms}};
  chain.put("k", "1");
  chain.hold_back(1, true);
  const auto pending = chain.begin_put("k", "2");
  chain.world.run_for(50ms);
  chain.crash(1);
  chain.restart(1);
  REQUIRE(chain.written(pending));
  chain.world.run_for(5s);
  return chain.order().size() == 2;
}

/// The chain is 0, 1, 2, with disks. That of the middle stands still while writes pass, so that it restarts without
/// some of them, cut off from the others; the tail, which has them, drops the head. Whether the tail is fenced off
/// then.
bool fences_who_holds_more() {
  simulated_healing_chain chain{{.length = 3, .sync_takes_max = 2ms}};
  chain.put("k", "1");
  chain.hold_back(1, true);
  for (const char* value : {"2", "3", "4", "5"}) (void)chain.begin_put("k", value, 100ms);
  chain.world.run_for(50ms);
  chain.crash(1);
  chain.world.isolate(chain.host(1));
  chain.hold_back(1, false);
  chain.restart(1);
  chain.say_failed(2, 0);
  REQUIRE(chain.world.run_until([&] { return chain.newest().epoch == 2; }, 5s));
  REQUIRE(chain.order() == std::vector<std::size_t>{1, 2});
  chain.world.heal();
  chain.world.run_for(1s);
  const auto& told = chain.replica(1).events();
  return std::any_of(told.begin(), told.end(),
                     [](const auto& each) { return each.what == replication::event::kind::fenced; });
}

}  // namespace

TEST_CASE("a durable tail that opens with what it only holds shows what a power cut takes away",
          "[sim][views][mutants]") {
  CHECK_FALSE(opens_before_its_disk());
  const planting mistake{mutation::opens_with_held};
  CHECK(opens_before_its_disk());
}

TEST_CASE("a replica that trusts what it read at its start is appended with what a power cut takes away",
          "[sim][views][mutants]") {
  CHECK_FALSE(is_appended_with_what_it_read());
  const planting mistake{mutation::trusts_what_it_read};
  CHECK(is_appended_with_what_it_read());
}

TEST_CASE("a replica that restarts and takes part in a view that others chose has less than its successor",
          "[sim][views][mutants]") {
  CHECK_FALSE(fences_who_holds_more());
  const planting mistake{mutation::restarted_takes_part};
  CHECK(fences_who_holds_more());
}

TEST_CASE("a tail that was frozen and tells its watermark before its gate ends bends the truth",
          "[sim][views][mutants]") {
  CHECK(read_at_a_tail_that_was_frozen() == "2");
  const planting mistake{mutation::right_kept_while_frozen};
  CHECK(read_at_a_tail_that_was_frozen() == "1");
}

TEST_CASE("a learner that is appended and ignores the gate before it opens beside a lease", "[sim][views][mutants]") {
  CHECK(read_behind_an_append() == std::nullopt);
  const planting mistake{mutation::append_without_gate};
  CHECK(read_behind_an_append() == "1");
}

TEST_CASE("voters that were quiet before a view was chosen end its gate beside a lease", "[sim][views][mutants]") {
  CHECK(read_behind_an_early_end() == std::nullopt);
  const planting mistake{mutation::early_before_adoption};
  CHECK(read_behind_an_early_end() == "1");
}

TEST_CASE("a tail that takes records of an epoch that it has not adopted commits them beside a lease",
          "[sim][views][mutants]") {
  CHECK(read_before_the_tail_hears() == std::nullopt);
  const planting mistake{mutation::takes_other_epochs};
  CHECK(read_before_the_tail_hears() == "1");
}

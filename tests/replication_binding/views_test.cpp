// A chain on real sockets whose view changes: it heals itself while writes go on.
#include <cstdint>
#include <string>
#include <string_view>

#include "healing_chain.hpp"

namespace artillery::replication {
namespace {

/// What somebody who may not answer says: it never was an old value.
void check_answers_nothing(healing_chain& chain, std::size_t removed) {
  read_outcome asked;
  chain.at(removed).async_read(bytes{"key 1"}, strong, asked);
  REQUIRE(chain.until([&] { return asked.done(); }));
  CHECK(asked.error() == errc::not_serving);
  CHECK(chain.at(removed).try_read("key 1").what == local_read::outcome::ask);
}

std::uint64_t figure(healing_chain& chain, std::size_t number, std::string_view name) {
  std::uint64_t found = 0;
  chain.at(number).metrics([&](std::string_view each, std::uint64_t value) {
    if (each == name) found = value;
  });
  return found;
}

}  // namespace

TEST_CASE("a chain whose replica is killed goes on, and takes it back", "[replication][views]") {
  const auto killed = static_cast<std::size_t>(GENERATE(0, 1, 2));
  healing_chain chain{3};
  chain.begin_load();
  REQUIRE(chain.goes_on());
  chain.kill(killed);
  REQUIRE(chain.goes_on());
  REQUIRE(chain.is_chain_of(2));
  chain.start(killed);
  REQUIRE(chain.goes_on());
  REQUIRE(chain.is_chain_of(3));
  CHECK(chain.tail() == killed);
  REQUIRE(chain.goes_on());
  chain.end_load();
}

TEST_CASE("a spare takes the place of a replica that is gone", "[replication][views]") {
  healing_chain chain{4};
  chain.begin_load();
  REQUIRE(chain.goes_on());
  CHECK(chain.at(3).status().role == role::none);
  chain.kill(0);
  REQUIRE(chain.goes_on());
  REQUIRE(chain.is_chain_of(3));
  CHECK(chain.tail() == 3);
  chain.end_load();
}

TEST_CASE("a chain of three shrinks to one and grows back, and no write fails", "[replication][views]") {
  healing_chain chain{3};
  chain.begin_load();
  REQUIRE(chain.goes_on());
  CHECK_FALSE(chain.change(2, view_change::remove(chain.node(2))));
  REQUIRE(chain.goes_on());
  check_answers_nothing(chain, 2);
  CHECK_FALSE(chain.change(1, view_change::remove(chain.node(0))));
  REQUIRE(chain.goes_on());
  check_answers_nothing(chain, 0);
  REQUIRE(chain.is_chain_of(1));
  CHECK(chain.change(1, view_change::remove(chain.node(1))) == errc::invalid_argument);
  CHECK(chain.at(0).status().role == role::none);

  CHECK_FALSE(chain.change(1, view_change::add(chain.node(0))));
  REQUIRE(chain.is_chain_of(2));
  CHECK(chain.change(1, view_change::add(chain.node(2))) == errc::not_tail);
  CHECK_FALSE(chain.change(0, view_change::add(chain.node(2))));
  REQUIRE(chain.is_chain_of(3));
  REQUIRE(chain.goes_on());
  // The first, two removals and two joins; it need not have heard of the step between, at which a learner is admitted.
  CHECK(figure(chain, 1, "replication.views") >= 5);
  CHECK(figure(chain, 1, "replication.proposals") >= 1);
  CHECK(figure(chain, 1, "replication.gates_waited") >= 1);
  CHECK(figure(chain, 1, "replication.learners_promoted") >= 1);
  CHECK(figure(chain, 1, "replication.checkpoints") >= 1);
  chain.end_load();
}

TEST_CASE("a hint alone makes a chain go on without a replica", "[replication][views]") {
  healing_chain chain{4};
  REQUIRE(chain.is_chain_of(3));
  chain.at(0).hint(chain.node(2), peer_hint::failed);
  REQUIRE(chain.until([&] {
    const view now = chain.decides().newest();
    return std::none_of(now.replicas.begin(), now.replicas.end(),
                        [&](const member& m) { return m.id == replica_id{chain.node(2), 1}; });
  }));
  REQUIRE(chain.is_chain_of(3));
}

TEST_CASE("a replica whose lease nobody renews is dropped, though its links hold", "[replication][views]") {
  healing_chain chain{3};
  chain.begin_load();
  REQUIRE(chain.goes_on());
  chain.decides().ignore(chain.node(1));
  REQUIRE(chain.until([&] {
    const view now = chain.decides().newest();
    return std::none_of(now.replicas.begin(), now.replicas.end(),
                        [&](const member& m) { return m.id == replica_id{chain.node(1), 1}; });
  }));
  REQUIRE(chain.goes_on());
}

TEST_CASE("of two processes with one node id the later one stays, and the other ends with a reason",
          "[replication][views]") {
  const auto doubled = static_cast<std::size_t>(GENERATE(0, 1));  // the tail hears of it from nobody but the other
  healing_chain chain{2, 2};
  const std::unique_ptr<replica> twin = chain.twin_of(doubled, 1'000'000);
  twin->async_run(asio::detached);
  REQUIRE(chain.until([&] { return chain.run_of(doubled).done(); }));
  CHECK(chain.run_of(doubled).error() == errc::node_id_in_use);
  REQUIRE(chain.until([&] { return twin->status().role == role::tail; }));
}

TEST_CASE("a replica that comes with an old incarnation ends with a reason", "[replication][views]") {
  healing_chain chain{2, 2};
  chain.kill(1);
  REQUIRE(chain.is_chain_of(1));
  chain.start(1);
  REQUIRE(chain.is_chain_of(2));
  const std::unique_ptr<replica> twin = chain.twin_of(1, 2);
  run_outcome ended;
  twin->async_run(ended);
  REQUIRE(chain.until([&] { return ended.done(); }));
  CHECK(ended.error() == errc::node_id_in_use);
  REQUIRE(chain.is_chain_of(2));
}

TEST_CASE("a replica tells its view, its role and how far its learners are", "[replication][views]") {
  healing_chain chain{3, 2};
  const replica_status tail = chain.at(1).status();
  CHECK(tail.view == chain.decides().newest());
  CHECK(tail.role == role::tail);
  CHECK(tail.tail == tail_state::open);
  CHECK(chain.at(0).status().tail == tail_state::none);
  CHECK(tail.lease_until > clock::now());
  REQUIRE(chain.until([&] { return !chain.at(1).status().candidates.empty(); }));
  CHECK(chain.at(1).status().candidates.front().id.node == chain.node(2));
  CHECK(chain.at(1).status().candidates.front().at == chain.at(2).local_endpoint());
}

TEST_CASE("a replica cannot be told a view beside its authority", "[replication][views]") {
  healing_chain chain{1, 1};
  run_outcome done;
  view other = chain.decides().newest();
  other.epoch += 1;
  chain.at(0).async_adopt(other, done);
  REQUIRE(chain.until([&] { return done.done(); }));
  CHECK(done.error() == errc::stale_epoch);
}

}  // namespace artillery::replication

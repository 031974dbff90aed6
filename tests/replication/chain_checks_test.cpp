// Each invariant's checker sees its invariant broken: a checker that was never seen to fail is none.
#include "sim/chain_checks.hpp"

#include "catch.hpp"

using namespace artillery;
using namespace artillery::sim;
using namespace std::chrono_literals;

namespace {

std::shared_ptr<chain_store> store_of(std::uint64_t effects) {
  auto objects = std::make_shared<chain_store>();
  for (std::uint64_t seq = 1; seq <= effects; ++seq) {
    objects->apply_committed("k", {.version = {1, seq}, .value = bytes{"v" + std::to_string(seq)}});
  }
  return objects;
}

/// Three replicas after two writes, all committed.
chain_members quiet() {
  chain_members members(3);
  for (chain_member& m : members) {
    m.objects = store_of(2);
    m.epoch = m.epoch_before = 1;
    m.last = m.commit = m.commit_before = 2;
  }
  return members;
}

template <class Change>
chain_members after(Change change) {
  chain_members members = quiet();
  change(members);
  return members;
}

const replication::replica_config limits{};

history_operation local_read(std::uint64_t invoked, std::string key, std::uint64_t seq, std::uint64_t as_of) {
  history_operation op;
  op.key = std::move(key);
  op.asked = 1;
  op.local = true;
  op.found = true;
  op.came_to = history_operation::outcome::done;
  op.version = {1, seq};
  op.as_of = {1, as_of};
  op.invoked = invoked;
  op.completed = invoked + 1;
  return op;
}

}  // namespace

TEST_CASE("a quiet chain breaks nothing", "[replication][checks]") {
  const chain_members members = quiet();
  CHECK_FALSE(check_epochs(members));
  CHECK_FALSE(check_prefix_order(members));
  CHECK_FALSE(check_equal_prefixes(members));
  CHECK_FALSE(check_commit_order(members));
  CHECK_FALSE(check_committed_held_by_all(members));
  CHECK_FALSE(check_leases(members));
  CHECK_FALSE(check_no_hole(members));
  CHECK_FALSE(check_memory_bounds(members, limits));
  CHECK_FALSE(check_converged(members));
}

TEST_CASE("an epoch that falls is seen", "[replication][checks]") {
  CHECK(check_epochs(after([](auto& m) { m[1].epoch_before = 2; })));
}

TEST_CASE("a replica that holds more than its predecessor is seen", "[replication][checks]") {
  CHECK(check_prefix_order(after([](auto& m) { m[2].last = 3; })));
  CHECK(check_prefix_order(after([](auto& m) { m[1].objects = store_of(3); })));
}

TEST_CASE("a replica that holds something else than its predecessor is seen", "[replication][checks]") {
  const chain_members members = after([](auto& m) {
    auto other = store_of(1);
    other->apply_committed("k", {.version = {1, 2}, .value = bytes{"something else"}});
    m[1].objects = other;
  });
  CHECK_FALSE(check_prefix_order(members));
  CHECK(check_equal_prefixes(members));
}

TEST_CASE("a watermark that falls, or runs ahead, is seen", "[replication][checks]") {
  CHECK(check_commit_order(after([](auto& m) { m[0].commit = 1; })));
  CHECK(check_commit_order(after([](auto& m) { m[2].commit = 3; })));
  CHECK(check_commit_order(after([](auto& m) { m[1].commit = m[1].commit_before = 1; })));
}

TEST_CASE("a committed record that a member lacks is seen", "[replication][checks]") {
  CHECK(check_committed_held_by_all(after([](auto& m) { m[2].last = m[2].commit = 1; })));
}

TEST_CASE("an answer after the lease's end is seen", "[replication][checks]") {
  CHECK(check_leases(after([](auto& m) { m[1].answers_without_lease = 1; })));
}

TEST_CASE("a write that was applied twice is seen", "[replication][checks]") {
  CHECK_FALSE(check_applied_once({{"k", {1, 1}, false, "a"}, {"k", {1, 2}, false, "b"}, {"k", {1, 3}, true, ""}}));
  CHECK(check_applied_once({{"k", {1, 1}, false, "a"}, {"k", {1, 2}, false, "b"}, {"k", {1, 3}, false, "a"}}));
}

TEST_CASE("a hole in a log is seen", "[replication][checks]") {
  CHECK(check_no_hole(after([](auto& m) { m[0].is_contiguous = false; })));
}

TEST_CASE("whatever grows beyond its limit is seen", "[replication][checks]") {
  using change = void (*)(chain_member&);
  const auto grow = GENERATE(change{[](chain_member& m) {
                               m.log_size = 2;
                               m.log_weight = limits.window_bytes_max + 1;
                             }},
                             change{[](chain_member& m) { m.sessions = limits.sessions_max + 1; }},
                             change{[](chain_member& m) { m.results_max = limits.results_per_session_max + 1; }},
                             change{[](chain_member& m) { m.waiting_reads = limits.waiting_reads_max + 1; }},
                             change{[](chain_member& m) { m.client_links = limits.clients_max + 1; }},
                             change{[](chain_member& m) { m.member_links = 4; }}, change{[](chain_member& m) {
                               auto kept = store_of(1);
                               kept->apply("k", {.version = {1, 2}, .value = bytes{"v2"}});
                               m.objects = kept;
                             }});
  CHECK(check_memory_bounds(after([&](auto& m) { grow(m[1]); }), limits));
}

TEST_CASE("one write that is larger than the window is no fault", "[replication][checks]") {
  CHECK_FALSE(check_memory_bounds(after([](auto& m) {
                                    m[0].log_size = 1;
                                    m[0].log_weight = limits.window_bytes_max + 1;
                                  }),
                                  limits));
}

TEST_CASE("what is left over after a quiet while is seen", "[replication][checks]") {
  CHECK(check_converged(after([](auto& m) { m[1].commit = 1; })));
  CHECK(check_converged(after([](auto& m) { m[1].log_size = 1; })));
  CHECK(check_converged(after([](auto& m) { m[1].objects = store_of(1); })));
  CHECK(check_converged(after([](auto& m) { m[1].sessions_hash = 1; })));
}

TEST_CASE("reads that go back at one replica are seen", "[replication][checks]") {
  CHECK_FALSE(check_monotone_reads({local_read(1, "a", 3, 5), local_read(3, "a", 5, 6), local_read(5, "b", 1, 6)}));
  CHECK(check_monotone_reads({local_read(1, "a", 3, 5), local_read(3, "b", 1, 4)}));
  CHECK(check_monotone_reads({local_read(1, "a", 3, 5), local_read(3, "a", 2, 6)}));
  // Under way together: they have no order.
  history_operation second = local_read(1, "a", 2, 4);
  CHECK_FALSE(check_monotone_reads({local_read(1, "a", 3, 5), second}));
  // Elsewhere, or by somebody else.
  second = local_read(3, "a", 2, 4);
  second.asked = 0;
  CHECK_FALSE(check_monotone_reads({local_read(1, "a", 3, 5), second}));
}

TEST_CASE("what an eventual read counts may be lost, the object's versions do not go back", "[replication][checks]") {
  history_operation first = local_read(1, "a", 9, 9);
  first.level = replication::eventual;
  CHECK_FALSE(check_monotone_reads({first, local_read(3, "a", 5, 6)}));
  history_operation second = local_read(3, "b", 4, 5);
  second.level = replication::eventual;
  CHECK_FALSE(check_monotone_reads({first, second}));
  second = local_read(3, "a", 8, 9);
  second.level = replication::eventual;
  CHECK(check_monotone_reads({first, second}));
}

#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "artillery/sim.hpp"
#include "base/random.hpp"
#include "sim/chain_client.hpp"
#include "sim/chain_replica.hpp"
#include "sim/chain_session.hpp"
#include "sim/chain_swarm.hpp"
#include "sim/history.hpp"

namespace artillery::sim {

/// Those who use a chain, and what they saw of it: clients, each with a pipeline, and the threads of the replicas' own
/// processes that read. Each draws from a stream of its own.
///
/// Operations are numbered in blocks, `blocks_per_user` for each user, so that a block can be left out: it is drawn all
/// the same, and not asked.
class chain_load {
public:
  static constexpr std::uint64_t blocks_per_user = 8;
  /// In runs whose histories are searched, so many operations of one key are open at most: under way, or writes of
  /// unknown outcome.
  static constexpr std::size_t open_per_key_max = 6;

  /// `first_block`: the number of the first block among all choices of the run.
  chain_load(world& in, const chain_swarm& swarm, const run_options& options, std::uint64_t first_block,
             bool is_searched, std::uint64_t seed);

  /// Users begin when their hosts are there: replicas first, in order, then clients.
  void begin(std::vector<host> replicas, std::vector<host> clients);

  [[nodiscard]] std::unique_ptr<client_program> client(std::uint64_t seed, client_program::ended on_end);
  /// Without `on_end`.
  [[nodiscard]] replica_callers callers();
  /// Their process is gone, with everything that was under way in it. A client goes on in its next life, a replica's
  /// readers do not.
  void client_crashed(std::size_t index);
  void replica_crashed(std::size_t replica);
  /// A replica's process runs again: its readers go on.
  void replica_is_back(std::size_t replica);
  /// Nobody waits for what this client began: it stays cut off.
  void give_up_on_client(std::size_t index);

  /// All that was to be asked was asked and answered.
  [[nodiscard]] bool ended() const;
  /// What was answered that must not have been: twice, or after its caller had ended it.
  [[nodiscard]] const std::optional<std::string>& fault() const noexcept { return fault_; }
  [[nodiscard]] const history& seen() const noexcept { return history_; }
  [[nodiscard]] std::uint64_t blocks() const noexcept { return users_.size() * blocks_per_user; }
  [[nodiscard]] std::uint64_t cancelled() const noexcept { return cancelled_; }
  [[nodiscard]] std::uint64_t void_tokens() const noexcept { return void_tokens_; }
  [[nodiscard]] std::uint64_t asked_after_try() const noexcept { return asked_after_try_; }

private:
  /// A client, or one reading thread of a replica.
  struct user {
    detail::random pace{0};
    std::uint64_t seed = 0;
    host at = 0;
    std::optional<std::size_t> replica;  // of a reader
    std::uint32_t issued = 0;
    std::uint32_t to_be_asked = 0;                     // its process has not come to it yet
    std::vector<replication::request_id> under_way{};  // asked and not answered
    std::uint32_t lives = 1;
    bool waits = false;                                              // for an answer, before it asks on
    bool over = false;                                               // asks no more, and nobody waits for it
    std::array<replication::version, chain_swarm::keys_max> seen{};  // newest version seen of each key
    chain_session session{};
  };

  void tick(std::size_t index);
  void go_on(std::size_t index);
  void issue(std::size_t index);
  [[nodiscard]] bool is_left_out(std::size_t index, std::uint32_t operation) const;
  void ask_client(std::size_t index, client_program& client, detail::random random, time_point now,
                  network_effects& out);
  void ask_write(std::size_t index, client_program& client, std::size_t key, detail::random& random, time_point now,
                 network_effects& out);
  void ask_read(std::size_t index, client_program& client, std::size_t key, detail::random& random, time_point now,
                network_effects& out);
  void ask_replica(std::size_t index, replica_program& replica, detail::random random, time_point now,
                   network_effects& out);
  void try_read(std::size_t index, replica_program& replica, detail::random& random, time_point now);
  void read_here(std::size_t index, replication::request_id request, replica_program& replica, time_point now,
                 network_effects& out);
  void cancel(std::size_t index, replication::request_id request);

  history_operation& begin_operation(std::size_t index, std::size_t key);
  [[nodiscard]] std::optional<std::size_t> draw_key(detail::random& random) const;
  [[nodiscard]] replication::condition draw_condition(const user& who, std::size_t key, detail::random& random) const;
  [[nodiscard]] replication::consistency draw_level(detail::random& random) const;
  void draw_token(history_operation& read) const;
  [[nodiscard]] std::optional<time_point> draw_deadline(detail::random& random, time_point now) const;
  void tried(const tried_read& done);
  void read_answered(replication::request_id request, std::error_code error, const replication::read_result& r);
  void write_answered(replication::request_id request, std::error_code error, const replication::write_result& r);
  /// Nothing when it was not to be answered.
  [[nodiscard]] bool is_heard(const history_operation& op) const;
  history_operation* complete(replication::request_id request, std::error_code error);
  void crashed(std::size_t index);
  [[nodiscard]] std::uint32_t operations() const noexcept;

  world& world_;
  const chain_swarm& swarm_;
  const run_options& options_;
  std::uint64_t first_block_;
  bool is_searched_;
  std::vector<user> users_;
  history history_;
  std::array<std::size_t, chain_swarm::keys_max> open_{};  // operations by key
  std::uint64_t order_ = 0;
  std::uint64_t cancelled_ = 0;
  std::uint64_t asked_after_try_ = 0;
  std::uint64_t void_tokens_ = 0;
  std::optional<std::string> fault_;
};

}  // namespace artillery::sim

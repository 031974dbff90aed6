#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "replication/client_core.hpp"
#include "replication/core.hpp"
#include "sim/chain_store.hpp"
#include "sim/explore_chain_monitor.hpp"
#include "sim/explore_choice.hpp"
#include "sim/explore_network.hpp"

namespace artillery::sim {

/// What may still befall a small chain.
struct chain_budget {
  static constexpr std::uint8_t unlimited = 255;

  std::uint8_t cuts = 0;            ///< streams that break
  std::uint8_t client_crashes = 0;  ///< of the client that writes
  std::uint8_t replica_crashes = 0;
  std::uint8_t restarts = 0;         ///< of crashed replicas, as strangers
  std::uint8_t hastened = 0;         ///< deadlines that pass while something is still under way
  std::uint8_t idle = 8;             ///< deadlines that pass while nothing is
  std::uint8_t retries = unlimited;  ///< pauses before a retry that end
};

/// How large a small chain is, and what may befall it.
struct chain_scope {
  std::size_t replicas = 2;
  /// One client asks for these, in this order, without waiting for answers.
  std::vector<replication::write> writes = {};
  /// Strong reads, each at any replica, by another client.
  std::uint8_t reads = 0;
  /// Reads come from the replicas' own processes instead, in three steps with anything in between.
  bool steps_reads = false;
  /// A replica sends what several inputs came to together, instead of after each input.
  bool gathers = false;
  chain_budget budget = {};
};

/// A chain of real cores with real clients, for the explorer.
///
/// It starts with all links open and a session. Each node has a clock of its own that stands still but for the node's
/// deadlines: a pause before a retry may be over at any moment, any other deadline only when nothing is under way and
/// somebody still waits (or hastened, as often as the budget says). Clocks of different nodes are never compared: no
/// lease ends here.
class chain_setup {
public:
  struct replica_actor {
    replication::core core;
    chain_store objects;
    time_point now;
    replication::serving_state published;
    bool unsent = false;  // flush follows
    std::uint64_t hash = 0;
  };
  struct client_actor {
    replication::client_core core;
    time_point now;
    std::uint64_t hash = 0;
  };
  /// A read of a replica's own process.
  struct stepping_read {
    enum class phase : std::uint8_t { noted, fetched, waiting };
    std::uint8_t operation = 0;
    std::uint8_t replica = 0;
    phase at = phase::noted;
    replication::read_note noted;
    replication::stored found;
  };
  /// Nodes are shared by all states that have them alike: a step copies the one that it concerns.
  struct state {
    std::vector<std::shared_ptr<const replica_actor>> members;    // of those that are down: as they were last
    std::vector<std::shared_ptr<const replica_actor>> strangers;  // later lives, by their place
    std::vector<std::shared_ptr<const client_actor>> clients;     // null: crashed
    std::vector<bool> down;                                       // members that are over
    explore_network network;
    explore_chain_monitor monitor{0};
    std::vector<stepping_read> stepping;
    std::uint8_t writes_asked = 0;
    std::uint8_t reads_asked = 0;
    chain_budget left;
  };

  explicit chain_setup(chain_scope scope) : scope_{std::move(scope)} {}

  [[nodiscard]] state initial() const;
  void choices(const state& at, std::vector<explore_choice>& out) const;
  [[nodiscard]] std::optional<std::string> apply(state& at, const explore_choice& choice) const;
  [[nodiscard]] std::optional<std::string> check_end(const state& at) const;
  [[nodiscard]] std::uint64_t hash(const state& at) const;
  [[nodiscard]] std::string describe(const state& at, const explore_choice& choice) const;

private:
  using kind = explore_choice::kind;

  static constexpr std::uint8_t ask_write = 0;
  static constexpr std::uint8_t ask_read = 1;
  static constexpr std::uint8_t step_flush = 0;
  static constexpr std::uint8_t step_read = 1;
  static constexpr std::uint8_t expire_retry = 0;
  static constexpr std::uint8_t expire_idle = 1;

  // explore_chain_nodes.cpp: how the cores are driven
  struct read_answer {
    replication::request_id request;
    std::error_code error;
    replication::read_result result;
  };
  struct write_answer {
    replication::request_id request;
    std::error_code error;
    replication::write_result result;
  };
  /// What one step of a node came to, besides what it sent.
  struct outcome {
    std::vector<read_answer> reads;
    std::vector<write_answer> writes;
    std::optional<std::string> fault;
  };
  class replica_sink;
  class client_sink;
  [[nodiscard]] std::size_t nodes() const noexcept { return scope_.replicas + clients(); }
  [[nodiscard]] std::size_t clients() const noexcept { return scope_.reads > 0 && !scope_.steps_reads ? 2 : 1; }
  [[nodiscard]] bool is_replica(std::size_t node) const noexcept { return node < scope_.replicas; }
  [[nodiscard]] replication::view view() const;
  [[nodiscard]] std::shared_ptr<replica_actor> make_replica(std::size_t position, std::uint64_t incarnation) const;
  [[nodiscard]] std::shared_ptr<client_actor> make_client(std::size_t index) const;
  /// The life of the replica that runs at this place; null when it is down.
  [[nodiscard]] static std::shared_ptr<const replica_actor>* running(state& at, std::size_t position) noexcept;
  [[nodiscard]] static const replica_actor* running(const state& at, std::size_t position) noexcept;
  template <class Call>
  void run_replica(state& at, std::size_t position, outcome& came_to, bool flushes, Call call) const;
  template <class Call>
  void run_client(state& at, std::size_t index, outcome& came_to, Call call) const;
  void receive(state& at, std::size_t node, const connection& from, const explore_network::arrival& what,
               outcome& came_to) const;
  void expire(state& at, std::size_t node, outcome& came_to) const;
  [[nodiscard]] std::optional<time_point> deadline(const state& at, std::size_t node) const;
  [[nodiscard]] time_point clock(const state& at, std::size_t node) const;
  /// Whether its next deadline is that of a pause before a retry.
  [[nodiscard]] bool retries(const state& at, std::size_t node) const;
  void ask(state& at, const explore_choice& choice, outcome& came_to) const;
  void flush(state& at, std::size_t position, outcome& came_to) const;
  void step(state& at, std::size_t read, outcome& came_to) const;
  void crash(state& at, std::size_t node, bool keeps_sent) const;
  void restart(state& at, std::size_t position, outcome& came_to) const;

  // explore_chain.cpp
  void settle(state& at) const;
  void add_arrivals(const state& at, std::vector<explore_choice>& out) const;
  void add_requests(const state& at, std::vector<explore_choice>& out) const;
  void add_faults(const state& at, std::vector<explore_choice>& out) const;
  [[nodiscard]] bool settled(const state& at) const;
  [[nodiscard]] std::optional<std::string> judge(state& at, const outcome& came_to) const;
  [[nodiscard]] std::optional<std::string> check_members(const state& at) const;
  [[nodiscard]] std::string name_of(std::size_t node) const;

  chain_scope scope_;
};

}  // namespace artillery::sim

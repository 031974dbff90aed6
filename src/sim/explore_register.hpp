#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/state_hash.hpp"
#include "replication/acceptor.hpp"
#include "replication/proposer.hpp"
#include "sim/explore_choice.hpp"
#include "sim/explore_network.hpp"

namespace artillery::sim {

/// How large a small register is, and what may befall it.
struct register_scope {
  std::size_t voters = 3;
  /// What each proposer asks, one after another: a swap of the epoch that it knows, or a read.
  std::vector<std::vector<bool>> swaps{{true}, {true}};
  std::uint8_t hastened = 0;  ///< deadlines of proposers that pass while messages are under way
  std::uint8_t crashes = 0;   ///< voters that come back with what their disks hold
  std::uint8_t restarts = 0;  ///< proposers that come back and know of nothing that was under way
  std::uint8_t losses = 0;    ///< of datagrams
  std::uint8_t rounds = 2;    ///< ballots that a life of a proposer begins at most before its run ends
  std::size_t hasty = 0;      ///< of the proposers the first so many: they give a question up rather than say it again
};

/// Real acceptors with disks, and real proposers, on a register that is founded already, for the explorer.
///
/// Every order of deliveries and writes is tried. A proposer's clock stands still but at its deadlines, which pass when
/// nothing is under way, or as often as the scope hastens them; those of voters stand still, since no lease is asked
/// for.
class register_setup {
public:
  struct vote {
    replication::ballot in;
    std::uint64_t epoch = 0;
    std::uint64_t proposal = 0;  // which of all there ever were
    std::uint32_t by = 0;        // a bit for each voter
  };
  using proposed = std::pair<std::uint64_t, std::uint64_t>;  // an epoch, and by which proposal
  struct voter_actor {
    replication::acceptor core;
    replication::voter_state durable;
    std::vector<std::pair<operation, replication::voter_state>> writes;  // under way, oldest first
  };
  struct proposer_actor {
    replication::proposer core;
    time_point now;
    std::uint64_t life = 1;
    std::size_t asked = 0;
    bool waits = false;
    std::uint64_t known = 1;  // epoch
    std::uint64_t newest_when_asked = 0;
    std::vector<proposed> open{};  // what it may have proposed in this life, and may yet be chosen
  };
  struct state {
    std::vector<std::shared_ptr<const voter_actor>> voters;
    std::vector<std::shared_ptr<const proposer_actor>> proposers;
    explore_network network;
    std::vector<vote> votes;               // by ballot
    std::vector<proposed> chosen{{1, 0}};  // ascending
    std::vector<proposed> voided;          // that must never be chosen any more
    std::string fault;
    std::uint8_t hastened_left = 0;
    std::uint8_t crashes_left = 0;
    std::uint8_t restarts_left = 0;
    std::uint8_t losses_left = 0;
  };

  explicit register_setup(const register_scope& scope) : scope_{scope} {}

  [[nodiscard]] state initial() const;
  void choices(const state& at, std::vector<explore_choice>& out) const;
  [[nodiscard]] std::optional<std::string> apply(state& at, const explore_choice& choice) const;
  [[nodiscard]] std::optional<std::string> check_end(const state& at) const;
  [[nodiscard]] std::uint64_t hash(const state& at) const;
  [[nodiscard]] std::string describe(const state& at, const explore_choice& choice) const;

private:
  class voter_sink;
  class proposer_sink;
  [[nodiscard]] replication::view view_of(std::uint64_t epoch, std::uint64_t proposal) const;
  [[nodiscard]] replication::member voter(std::size_t i) const;
  [[nodiscard]] replication::proposer proposer(std::size_t index, std::uint64_t life) const;
  [[nodiscard]] bool is_over(const proposer_actor& one) const noexcept;
  template <class Call>
  void run_voter(state& at, std::size_t node, Call call) const;
  template <class Call>
  void run_proposer(state& at, std::size_t index, Call call) const;
  void ask(state& at, std::size_t index) const;
  static void accepted(state& at, std::size_t voter, const replication::ballot& in, const replication::view& value);
  static void note_chosen(state& at, const vote& one);
  static void told(state& at, proposer_actor& self, const replication::authority_answer& answer);
  static void void_above(state& at, proposer_actor& self, std::uint64_t epoch);

  register_scope scope_;
};

}  // namespace artillery::sim

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "membership/core.hpp"
#include "sim/explore_choice.hpp"
#include "sim/explore_network.hpp"
#include "sim/membership_checkers.hpp"

namespace artillery::sim {

/// How large a small cluster is, and what may befall it.
struct cluster_scope {
  std::size_t members = 3;
  std::uint8_t crashes = 0;
  std::uint8_t losses = 0;   ///< of datagrams
  std::uint8_t echoes = 0;   ///< copies of datagrams, which arrive at any later time
  std::uint8_t changes = 0;  ///< of a member's tags, which raise its incarnation
  bool helped = true;        ///< a probe goes over streams and through others, too, when it is not answered
  duration window{};         ///< from the start of the exploration: when faults may fall
  duration length{};         ///< when a run ends, and everything must have come right
};

/// A cluster of real cores in which everybody knows everybody, for the explorer.
///
/// Time is one clock for all, and stands still while anything is under way: the network is faster than every timer. It
/// then passes to the earliest deadline of all. What each core draws is fixed by its seed. Full exchanges of state are
/// left out.
class cluster_setup {
public:
  struct member_actor {
    membership::core core;
    membership_checkers checkers;
  };
  struct state {
    std::vector<std::shared_ptr<const member_actor>> members;  // null: crashed
    explore_network network;
    time_point now;
    std::optional<std::uint8_t> crashed;
    std::uint8_t crashes_left = 0;
    std::uint8_t losses_left = 0;
    std::uint8_t echoes_left = 0;
    std::uint8_t changes_left = 0;
    std::vector<explore_network::datagram> echoes;
    bool streams_fail = false;
  };

  explicit cluster_setup(const cluster_scope& scope) : scope_{scope} {}

  [[nodiscard]] state initial() const;
  void choices(const state& at, std::vector<explore_choice>& out) const;
  [[nodiscard]] std::optional<std::string> apply(state& at, const explore_choice& choice) const;
  [[nodiscard]] std::optional<std::string> check_end(const state& at) const;
  [[nodiscard]] std::uint64_t hash(const state& at) const;
  [[nodiscard]] std::string describe(const state& at, const explore_choice& choice) const;

private:
  class sink;
  [[nodiscard]] static node_id id_of(std::size_t node) noexcept { return {1, node + std::uint64_t{1}}; }
  /// When the next timer of anybody is due.
  [[nodiscard]] static std::optional<time_point> next_deadline(const state& at);
  void add_ordinary(const state& at, std::vector<explore_choice>& out) const;
  [[nodiscard]] std::optional<std::string> receive(state& at, const explore_network::datagram& arrived) const;
  [[nodiscard]] std::optional<std::string> expire(state& at, std::size_t node) const;
  template <class Call>
  [[nodiscard]] std::optional<std::string> run(state& at, std::size_t node, Call call) const;

  cluster_scope scope_;
};

}  // namespace artillery::sim

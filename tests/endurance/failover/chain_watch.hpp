#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agents.hpp"
#include "artillery/clock.hpp"
#include "faults.hpp"

namespace failover {

/// A view as an agent told of it.
struct told_view {
  std::uint64_t epoch = 0;
  std::vector<std::string> replicas;  ///< ids, head first

  [[nodiscard]] bool lists(const std::string& id) const;
};

/// How the chain of some agents stands, by what they have told.
class chain_watch {
public:
  chain_watch(demo::agents& crowd, std::size_t length) : crowd_{crowd}, length_{length} {}

  /// The newest view that any of them has told of.
  [[nodiscard]] told_view newest() const;
  /// It has all its replicas again, and each of them has told of it.
  [[nodiscard]] bool is_whole() const;
  /// Who has that place in the newest view, which must be whole.
  [[nodiscard]] demo::agent& at(victim_role role) const;
  /// Its replicas, head first.
  [[nodiscard]] std::vector<demo::agent*> replicas() const;
  /// The others agree on a chain without it.
  [[nodiscard]] bool has_dropped(const demo::agent& victim) const;
  /// How few replicas a view had that any of them told of since then, or has now.
  [[nodiscard]] std::size_t shortest_since(artillery::time_point moment) const;

private:
  [[nodiscard]] demo::agent* find(const std::string& id) const;

  demo::agents& crowd_;
  std::size_t length_;
};

/// The newest view that this agent has told of, in its present life or an earlier one; epoch 0: none.
[[nodiscard]] told_view newest_view_of(const demo::agent& one);

}  // namespace failover

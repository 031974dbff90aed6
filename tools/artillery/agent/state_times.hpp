#pragma once

#include <chrono>
#include <map>
#include <vector>

#include "artillery/node.hpp"

namespace tool::agent {

/// For how long each member has been in its state, as this agent saw it.
class state_times {
public:
  void note(const artillery::node_event& event);
  /// Forgets all but these, which are ascending by id.
  void keep(const std::vector<artillery::membership::member>& known);
  /// Of a member that no event told of, this agent itself: since this object was made.
  [[nodiscard]] std::chrono::milliseconds since(const artillery::membership::member& who) const;

private:
  struct entry {
    artillery::membership::member_state state{};
    artillery::time_point at;
  };

  artillery::time_point begun_ = artillery::clock::now();
  std::map<artillery::node_id, entry> entered_;
};

}  // namespace tool::agent

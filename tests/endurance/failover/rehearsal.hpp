#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agents.hpp"
#include "chain_watch.hpp"
#include "faults.hpp"
#include "network.hpp"
#include "traffic.hpp"

namespace failover {

/// What came of one fault.
struct fault_account {
  std::string victim;
  bool was_dropped = false;        ///< the others agreed on a chain without it
  artillery::duration dropped{};   ///< after its beginning
  artillery::duration gap{};       ///< the longest in acknowledged writes, from its beginning to a whole chain
  artillery::duration whole{};     ///< after its end
  std::size_t shortest = 0;        ///< replicas in the chain, at the least, from its beginning to a whole chain
  std::size_t answered_after = 0;  ///< reads that were asked of the victim meanwhile, answered by it afterwards
};

/// Three agents in a network of their own, under traffic, and what is done to them.
class rehearsal {
public:
  static constexpr std::size_t replicas = 3;
  [[nodiscard]] static std::vector<std::string> names() { return {"a", "b", "c"}; }

  /// Starts the agents and waits for their chain, then begins the traffic. Throws tool::failure, as all of it does.
  rehearsal(const network& net, demo::agents& crowd, int interrupt, const std::string& preset, std::uint64_t seed);

  /// Does it, undoes it, and waits until the chain is whole and everybody is answered again.
  [[nodiscard]] fault_account carry_out(const fault& what);
  /// Lets time pass; fails when the run is interrupted.
  void pause(artillery::duration length) const;
  [[nodiscard]] traffic::outcome finish() { return traffic_->finish(); }

private:
  void start_agents(const std::string& cluster, const std::string& preset);
  void begin(const fault& what, demo::agent& victim);
  void end(const fault& what, demo::agent& victim);
  [[nodiscard]] bool comes_true(const std::function<bool()>& holds, artillery::duration limit);
  void wait_until_whole(const demo::agent& victim, artillery::time_point since);
  void mend();
  void remove(demo::agent& victim);
  bool change(const demo::agent& asked, nlohmann::json what) const;
  [[nodiscard]] std::size_t number_of(const demo::agent& one) const;

  const network& net_;
  demo::agents& crowd_;
  int interrupt_;
  artillery::duration lease_;
  chain_watch chain_;
  std::unique_ptr<traffic> traffic_;
  const demo::agent* removed_ = nullptr;  ///< by an operator, and not back yet
};

}  // namespace failover

#include "commands/replica_text.hpp"

#include <nlohmann/json.hpp>

namespace tool {

std::string writes_text(const nlohmann::json& replica) {
  if (replica.value("stopped", false)) return "stopped: a replica is unreachable";
  if (replica.value("short_of_replicas", false)) return "refused: the chain is shorter than it must be (replicas_min)";
  return "served";
}

}  // namespace tool

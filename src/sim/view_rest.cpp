#include "sim/view_rest.hpp"

#include <algorithm>

namespace artillery::sim {

bool is_at_rest(const chain_in_sight& seen) {
  const replication::view& newest = seen.newest;
  std::size_t up = 0;
  for (std::size_t i = 0; i < seen.cores.size(); ++i) {
    const bool is_kept_out =
        std::find(newest.kept_out.begin(), newest.kept_out.end(), node_id{1, i + 1}) != newest.kept_out.end();
    up += seen.cores[i] != nullptr && !is_kept_out ? 1U : 0U;
  }
  if (newest.replicas.size() < std::min(seen.wanted, up) || !newest.learners.empty()) return false;
  const auto head = seen.lives.find(newest.replicas.front().id);
  return std::all_of(newest.replicas.begin(), newest.replicas.end(), [&](const replication::member& each) {
    const auto life = seen.lives.find(each.id);
    if (life == seen.lives.end() || life->second.running == nullptr) return false;
    return life->second.epoch == newest.epoch && life->second.commit == head->second.last.seq &&
           life->second.records().empty();
  });
}

std::optional<std::string> difference_at_rest(const chain_in_sight& seen) {
  const replica_life& head = seen.lives.at(seen.newest.replicas.front().id);
  for (const replication::member& each : seen.newest.replicas) {
    const replica_life& life = seen.lives.at(each.id);
    if (!life.objects->same_as(*head.objects)) return "the replicas of a chain at rest hold other objects";
    if (!same_sessions(life.running->sessions(), head.running->sessions())) {
      return "the replicas of a chain at rest know other sessions";
    }
  }
  return std::nullopt;
}

std::string unrest(const chain_in_sight& seen) {
  std::string text = "epoch " + std::to_string(seen.newest.epoch) + " of " +
                     std::to_string(seen.newest.replicas.size()) + " and " +
                     std::to_string(seen.newest.learners.size()) + " learners";
  for (std::size_t i = 0; i < seen.cores.size(); ++i) {
    if (seen.cores[i] == nullptr) continue;
    const replication::replica_status here = seen.cores[i]->status();
    text += "; " + std::to_string(i + 1) + "/" + std::to_string(here.self.incarnation) + ": epoch " +
            std::to_string(here.view.epoch) + " role " + std::to_string(static_cast<int>(here.role)) + " tail " +
            std::to_string(static_cast<int>(here.tail)) + " last " + std::to_string(here.last) + " commit " +
            std::to_string(here.commit) + " candidates " + std::to_string(here.candidates.size()) +
            (seen.cores[i]->is_passive() ? " passive" : "");
  }
  return text;
}

}  // namespace artillery::sim

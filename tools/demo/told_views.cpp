#include "told_views.hpp"

#include <algorithm>

#include "exit_code.hpp"
#include "output/event_text.hpp"

namespace demo {

using nlohmann::json;
using tool::output::field_text;

std::vector<std::string> ids_of(const json& view) {
  std::vector<std::string> ids;
  for (const json& replica : view.value("replicas", json::array())) ids.push_back(field_text(replica, "id"));
  return ids;
}

const json& newest_view(const agent& one) {
  const json* newest = nullptr;
  for (const heard& each : one.events) {
    const std::string name = field_text(each.event, "event");
    if (name == "chain_formed" || name == "chain_changed") newest = &each.event;
  }
  if (newest == nullptr) {
    throw tool::failure{tool::exit_code::failed, "agent " + one.name + " told of no chain"};
  }
  return *newest;
}

std::optional<artillery::time_point> all_told(agents& crowd, const agent& but,
                                              const std::function<bool(const json&)>& wanted,
                                              artillery::time_point since) {
  artillery::time_point last{};
  for (const agent* one : crowd.living()) {
    if (one == &but) continue;
    const heard* found = one->find("chain_changed", wanted, since);
    if (found == nullptr) return std::nullopt;
    last = std::max(last, found->at);
  }
  return last;
}

}  // namespace demo

#include "chain_watch.hpp"

#include <algorithm>

#include "exit_code.hpp"
#include "output/event_text.hpp"

namespace failover {

using nlohmann::json;
using tool::output::field_text;

bool told_view::lists(const std::string& id) const {
  return std::find(replicas.begin(), replicas.end(), id) != replicas.end();
}

namespace {

bool is_view(const demo::heard& told) {
  const std::string name = field_text(told.event, "event");
  return name == "chain_formed" || name == "chain_changed";
}

told_view view_in(const json& event) {
  told_view view;
  view.epoch = event.value("epoch", std::uint64_t{0});
  for (const json& replica : event.value("replicas", json::array())) view.replicas.push_back(field_text(replica, "id"));
  return view;
}

}  // namespace

told_view newest_view_of(const demo::agent& one) {
  // The last one is the newest: an agent's epochs never fall.
  const auto last = std::find_if(one.events.rbegin(), one.events.rend(), is_view);
  return last == one.events.rend() ? told_view{} : view_in(last->event);
}

told_view chain_watch::newest() const {
  told_view newest;
  for (const auto& one : crowd_.all()) {
    told_view view = newest_view_of(*one);
    if (view.epoch > newest.epoch) newest = std::move(view);
  }
  return newest;
}

bool chain_watch::is_whole() const {
  const told_view view = newest();
  return view.replicas.size() == length_ &&
         std::all_of(view.replicas.begin(), view.replicas.end(), [&](const std::string& id) {
           const demo::agent* one = find(id);
           return one != nullptr && !one->expected_to_end && newest_view_of(*one).epoch == view.epoch;
         });
}

bool chain_watch::has_dropped(const demo::agent& victim) const {
  const told_view view = newest();
  return view.epoch > 0 && !view.lists(victim.id);
}

std::size_t chain_watch::shortest_since(artillery::time_point moment) const {
  std::size_t shortest = newest().replicas.size();
  for (const auto& one : crowd_.all()) {
    for (auto told = one->events.rbegin(); told != one->events.rend() && told->at >= moment; ++told) {
      if (is_view(*told)) shortest = std::min(shortest, view_in(told->event).replicas.size());
    }
  }
  return shortest;
}

demo::agent& chain_watch::at(victim_role role) const {
  const told_view view = newest();
  if (view.replicas.size() != length_) throw tool::failure{tool::exit_code::failed, "the chain is not whole"};
  const std::size_t place = role == victim_role::head ? 0 : role == victim_role::tail ? length_ - 1 : length_ / 2;
  demo::agent* found = find(view.replicas[place]);
  if (found == nullptr) throw tool::failure{tool::exit_code::failed, "the chain has a replica that nobody started"};
  return *found;
}

std::vector<demo::agent*> chain_watch::replicas() const {
  std::vector<demo::agent*> found;
  for (const std::string& id : newest().replicas) {
    if (demo::agent* one = find(id)) found.push_back(one);
  }
  return found;
}

demo::agent* chain_watch::find(const std::string& id) const {
  for (const auto& one : crowd_.all()) {
    if (one->id == id) return one.get();
  }
  return nullptr;
}

}  // namespace failover

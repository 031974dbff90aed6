#include "scenarios/room.hpp"

namespace artillery::scenarios {

std::unique_ptr<room> make_room(std::string_view name) {
  if (name == "replication") return make_replication_room();
  if (name == "membership") return make_membership_room();
  if (name == "discovery") return make_discovery_room();
  if (name == "register") return make_register_room();
  return nullptr;
}

std::string perform(const script& what, room& in) {
  stage& on = in.on();
  for (const command& next : what.commands) {
    const bool about_the_trace = next.name() == "show" || next.name() == "hide";
    if (!about_the_trace) on.story.heading(next.text());
    on.story.mute(next.quiet());
    if (!on.obey(next) && !in.obey(next)) next.fail("there is no command '" + next.name() + "'");
    next.require_all_used();
    if (!next.at_once() && !about_the_trace) on.run_for(in.settling());
    on.story.mute(false);
  }
  return on.story.text();
}

}  // namespace artillery::scenarios

#include "protocols.hpp"

#include <utility>

#include "membership/mutant.hpp"

namespace artillery::membership {
mutation planted = mutation::none;
}

namespace study {

namespace membership = artillery::membership;

std::string_view to_string(protocol which) noexcept {
  switch (which) {
    case protocol::swim: return "swim";
    case protocol::lifeguard: return "lifeguard";
    case protocol::whole: return "whole";
  }
  return {};
}

artillery::sim::study_figures run(protocol which, std::uint64_t seed, artillery::sim::study_plan plan) {
  if (which == protocol::swim) {
    plan.settings.awareness_max = 0;
    plan.settings.suspicion_max_mult = 1;
  }
  membership::planted =
      which == protocol::whole ? membership::mutation::none : membership::mutation::trusts_after_pause;
  artillery::sim::membership_study one{seed, std::move(plan)};
  return one.run();
}

}  // namespace study

#include "scenarios/view_register.hpp"

#include <variant>

#include "replication/next_view.hpp"

namespace artillery::scenarios {

using namespace replication;

authority_answer view_register::answer(const replica_id& who, const authority_question& question) {
  const chosen_view now{newest_, {}};
  if (const auto* read = std::get_if<authority_read>(&question)) {
    return authority_view{.id = read->id, .newest = now, .fences = true};
  }
  if (const auto* cas = std::get_if<authority_cas>(&question)) {
    using outcome = authority_cas_done::outcome;
    if (cas->expected != newest_.epoch) return authority_cas_done{.id = cas->id, .what = outcome::refused, .now = now};
    newest_ = cas->next;
    return authority_cas_done{.id = cas->id, .what = outcome::chosen, .now = chosen_view{newest_, {}}};
  }
  if (const auto* renewal = std::get_if<authority_renew>(&question)) {
    const bool yes = renewal->epoch == newest_.epoch && is_replica(newest_, who);
    return authority_renewed{.id = renewal->id, .yes = yes};
  }
  return authority_quieted{.id = std::get<authority_quiet>(question).id, .yes = false};
}

}  // namespace artillery::scenarios

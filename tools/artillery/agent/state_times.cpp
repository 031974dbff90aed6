#include "agent/state_times.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>

namespace tool::agent {

namespace membership = artillery::membership;

namespace {

/// Of whom an event tells; null: of nobody in particular.
const membership::member* subject_of(const artillery::node_event& event) {
  const auto* told = std::get_if<membership::event>(&event);
  if (told == nullptr) return nullptr;
  return std::visit(
      [](const auto& happened) -> const membership::member* {
        if constexpr (requires { happened.member; }) return &happened.member;
        return nullptr;
      },
      *told);
}

}  // namespace

void state_times::note(const artillery::node_event& event) {
  const membership::member* who = subject_of(event);
  if (who == nullptr) return;
  const auto [found, is_new] = entered_.try_emplace(who->id, entry{who->state, artillery::clock::now()});
  // A change of tags is none of state.
  if (!is_new && found->second.state != who->state) found->second = {who->state, artillery::clock::now()};
}

void state_times::keep(const std::vector<membership::member>& known) {
  std::erase_if(entered_, [&](const auto& one) {
    return !std::ranges::binary_search(known, one.first, {}, &membership::member::id);
  });
}

std::chrono::milliseconds state_times::since(const membership::member& who) const {
  const auto found = entered_.find(who.id);
  const artillery::time_point at = found == entered_.end() ? begun_ : found->second.at;
  return std::chrono::duration_cast<std::chrono::milliseconds>(artillery::clock::now() - at);
}

}  // namespace tool::agent

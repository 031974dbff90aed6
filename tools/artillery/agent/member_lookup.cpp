#include "agent/member_lookup.hpp"

#include <cstddef>
#include <optional>

#include "agent/request_fields.hpp"
#include "output/table.hpp"

namespace tool::agent {

using artillery::node_id;
using artillery::membership::member;

namespace {

/// So many are listed where one is not known.
constexpr std::size_t listed_max = 16;

std::string listed(const std::vector<member>& members) {
  std::string text;
  for (std::size_t i = 0; i < members.size() && i < listed_max; ++i) text += (i == 0 ? "" : ", ") + shown(members[i]);
  const bool is_all = members.size() <= listed_max;
  return is_all ? text : text + " and " + std::to_string(members.size() - listed_max) + " more";
}

}  // namespace

std::string shown(const member& who) {
  return output::printable(who.name) + " (" + artillery::to_short_string(who.id) + ")";
}

node_id node_called(const std::string& text, const std::vector<member>& members) {
  std::vector<const member*> found;
  for (const member& one : members) {
    if (one.name == text || artillery::to_string(one.id) == text) found.push_back(&one);
  }
  for (const member& one : members) {
    if (found.empty() && text.size() >= 4 && artillery::to_string(one.id).starts_with(text)) found.push_back(&one);
  }
  if (found.size() == 1) return found.front()->id;
  if (const auto id = artillery::parse_node_id(text); id && found.empty()) return *id;
  throw bad_field{(found.empty() ? "there is no member '" : "there is more than one member '") + text +
                  "'; the members are: " + listed(members)};
}

std::vector<member> present(std::vector<member> members) {
  using artillery::membership::member_state;
  std::erase_if(members,
                [](const member& one) { return one.state == member_state::failed || one.state == member_state::left; });
  return members;
}

}  // namespace tool::agent

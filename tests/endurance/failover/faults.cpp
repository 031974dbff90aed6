#include "faults.hpp"

#include <array>
#include <utility>

#include "base/random.hpp"

namespace failover {
namespace {

constexpr std::array<std::pair<fault_kind, std::string_view>, 6> names{{{fault_kind::kill, "kill"},
                                                                        {fault_kind::stop, "stop"},
                                                                        {fault_kind::cut, "cut"},
                                                                        {fault_kind::cut_in, "cut-in"},
                                                                        {fault_kind::cut_out, "cut-out"},
                                                                        {fault_kind::remove, "remove"}}};

}  // namespace

std::string_view to_string(fault_kind kind) noexcept {
  for (const auto& [each, name] : names) {
    if (each == kind) return name;
  }
  return "kill";
}

std::string_view to_string(victim_role role) noexcept {
  switch (role) {
    case victim_role::head: return "head";
    case victim_role::middle: return "middle";
    case victim_role::tail: return "tail";
  }
  return "head";
}

std::optional<fault_kind> parse_fault_kind(std::string_view text) noexcept {
  for (const auto& [kind, name] : names) {
    if (name == text) return kind;
  }
  return std::nullopt;
}

const std::vector<fault_kind>& all_fault_kinds() {
  static const std::vector<fault_kind> all = [] {
    std::vector<fault_kind> kinds;
    for (const auto& each : names) kinds.push_back(each.first);
    return kinds;
  }();
  return all;
}

std::vector<fault> draw_faults(const std::vector<fault_kind>& kinds, std::size_t times, std::uint64_t seed) {
  constexpr std::size_t roles = 3;
  constexpr std::size_t short_every = 4;
  artillery::detail::random random{seed};
  std::vector<fault> all;
  for (const fault_kind kind : kinds) {
    for (std::size_t i = 0; i < times; ++i) {
      fault& one = all.emplace_back();
      one.kind = kind;
      one.role = static_cast<victim_role>(i % roles);
      one.is_short = kind != fault_kind::kill && i % short_every == short_every - 1;
      one.draw = random.next();
    }
  }
  for (std::size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[random.below(i)]);
  return all;
}

}  // namespace failover

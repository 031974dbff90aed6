#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

/// What is done to one replica of a chain.
namespace failover {

enum class fault_kind : std::uint8_t {
  kill,     ///< SIGKILL; started again later, with its directory
  stop,     ///< SIGSTOP, later SIGCONT: all that was sent to it meanwhile waits for it
  cut,      ///< the other replicas and it do not hear each other; clients still reach it
  cut_in,   ///< it does not hear the others, which hear it
  cut_out,  ///< the others do not hear it; it hears them
  remove    ///< cut off, and removed by an operator at once, while its lease goes on; added again later
};

enum class victim_role : std::uint8_t { head, middle, tail };

[[nodiscard]] std::string_view to_string(fault_kind kind) noexcept;
[[nodiscard]] std::string_view to_string(victim_role role) noexcept;
[[nodiscard]] std::optional<fault_kind> parse_fault_kind(std::string_view text) noexcept;
[[nodiscard]] const std::vector<fault_kind>& all_fault_kinds();

struct fault {
  fault_kind kind{};
  victim_role role{};
  /// Ends soon after the victim's lease has, whether or not the others have gone on without it by then.
  bool is_short = false;
  std::uint64_t draw = 0;  ///< for what else is up to chance
};

/// Each kind so many times, in turn on head, middle and tail, in an order that follows from the seed. Every fourth of
/// a kind is short; a kill never is.
[[nodiscard]] std::vector<fault> draw_faults(const std::vector<fault_kind>& kinds, std::size_t times,
                                             std::uint64_t seed);

}  // namespace failover

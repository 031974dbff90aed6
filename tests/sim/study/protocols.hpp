#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "sim/membership_study.hpp"

namespace study {

/// How much of the protocol takes part.
enum class protocol : std::uint8_t {
  swim,       ///< probes, helpers, and a suspicion that always lasts as long (SWIM)
  lifeguard,  ///< and local health, and suspicions that shrink as they are confirmed (Lifeguard)
  whole       ///< and what a process notices of its own pauses
};

inline constexpr std::array all_protocols{protocol::swim, protocol::lifeguard, protocol::whole};

[[nodiscard]] std::string_view to_string(protocol which) noexcept;

/// Runs it that way. Programs with planted mistakes only.
[[nodiscard]] artillery::sim::study_figures run(protocol which, std::uint64_t seed, artillery::sim::study_plan plan);

}  // namespace study

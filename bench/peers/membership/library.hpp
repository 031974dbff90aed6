#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace peers {

/// Whose nodes are measured.
enum class library : std::uint8_t { ours, memberlist, serf };

inline constexpr std::array all_libraries{library::ours, library::memberlist, library::serf};

[[nodiscard]] std::string_view to_string(library of) noexcept;

/// The program that is a node of that library.
[[nodiscard]] std::string program_of(library of);

/// What its nodes tell of one that took leave: memberlist's do not tell it from one that failed.
[[nodiscard]] std::string_view word_for_leaving(library of) noexcept;

}  // namespace peers

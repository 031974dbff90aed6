#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/run_options.hpp"

/// What is fixed of a run, as words of the command line and of the corpus, and back.
namespace simulator {

/// `all`, `none`, or names with commas between them; nothing for anything else.
[[nodiscard]] std::optional<std::uint32_t> parse_families(std::string_view text);
[[nodiscard]] std::string families_text(std::uint32_t families);
/// What `--faults` takes, for a message.
[[nodiscard]] std::string known_families();

/// Numbers and ranges of numbers with commas between them: `3,7-9`; ascending, each once. Nothing for anything else.
[[nodiscard]] std::optional<std::vector<std::uint64_t>> parse_numbers(std::string_view text);
[[nodiscard]] std::string numbers_text(const std::vector<std::uint64_t>& ascending);

/// The words that fix what `options` fixes: empty, or ` --faults loss --nodes 3`.
[[nodiscard]] std::string words_of(const artillery::sim::run_options& options);

/// Sixteen hexadecimal digits; nothing for anything else.
[[nodiscard]] std::optional<std::uint64_t> parse_hash(std::string_view text);
[[nodiscard]] std::string hash_text(std::uint64_t hash);

/// Whether everything is left to the seed.
[[nodiscard]] bool is_unrestricted(const artillery::sim::run_options& options);

}  // namespace simulator

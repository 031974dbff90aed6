#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "room.hpp"

/// The seeds that found the planted mistakes of a room when they were last looked for: a file for each room beside its
/// corpus, a line for each mistake, with its name, a seed, and behind `#` whatever is to be said of it. They are tried
/// first, so that nobody has to go through the thousands of seeds before them again.
namespace simulator {

using known_seeds = std::map<std::string, std::uint64_t>;

/// `<folder>/<room>.mutants.txt`
[[nodiscard]] std::string known_seeds_file(const std::string& folder, const std::string& room);
/// Nothing when there is no such file. Throws `tool::failure` when a line is none, or is not about one of the room's.
[[nodiscard]] known_seeds read_known_seeds(const std::string& file, const room& where);
[[nodiscard]] std::string known_seed_text(const std::string& mutant, std::uint64_t seed);
/// Puts `found` into the file, in the places of the mistakes that have lines already; every other line stays.
void write_known_seeds(const std::string& file, const room& where, const known_seeds& found);

}  // namespace simulator

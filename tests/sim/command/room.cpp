#include "room.hpp"

#include <algorithm>
#include <cctype>
#include <exception>

#include "base/assert.hpp"
#include "sim/trace.hpp"

namespace simulator {

namespace sim = artillery::sim;

namespace {

/// Behind the time that a line begins with: `12 us: …` or `at 12 ms: …`.
std::string without_time(const std::string& line) {
  std::size_t at = line.starts_with("at ") ? 3 : 0;
  const std::size_t digits = at;
  while (at < line.size() && std::isdigit(static_cast<unsigned char>(line[at])) != 0) ++at;
  if (at == digits) return line;
  for (const char* unit : {" us: ", " ms: "}) {
    const std::string text{unit};
    if (line.compare(at, text.size(), text) == 0) return line.substr(at + text.size());
  }
  return line;
}

}  // namespace

std::string names_of(const std::vector<room>& all) {
  std::string names;
  for (const room& one : all) names += (names.empty() ? "" : " ") + one.name;
  return names;
}

const room* find_room(const std::vector<room>& all, const std::string& name) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const room& one) { return one.name == name; });
  return found == all.end() ? nullptr : &*found;
}

sim::run_result run_guarded(const room& where, std::uint64_t seed, const sim::run_options& options) {
  sim::run_result failed;
  try {
    return where.run(seed, options);
  } catch (const artillery::detail::broken_invariant& broken) {
    failed.violations = {"invariant broken: " + std::string{broken.what()} + " at " + broken.file() + ":" +
                         std::to_string(broken.line())};
  } catch (const std::exception& error) {
    failed.violations = {"exception: " + std::string{error.what()}};
  }
  return failed;
}

std::optional<std::uint64_t> hash_of_draws(const room& where, std::uint64_t seed, const sim::run_options& options) {
  if (!where.describe) return std::nullopt;
  sim::trace hash;
  for (const auto& [name, value] : where.describe(seed, options)) hash.add(name).add(value);
  return hash.value();
}

std::string invariant_of(const std::string& violation) {
  const std::string line = without_time(violation);
  // These two say behind the colon what they are about.
  const bool whole = line.starts_with("invariant broken: ") || line.starts_with("exception: ");
  std::string kind;
  bool in_number = false;
  for (const char c : whole ? line : line.substr(0, line.find(": "))) {
    const bool digit = std::isdigit(static_cast<unsigned char>(c)) != 0;
    if (!digit) kind += c;
    if (digit && !in_number) kind += '#';
    in_number = digit;
  }
  return kind;
}

}  // namespace simulator

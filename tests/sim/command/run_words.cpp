#include "run_words.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "notation.hpp"

namespace simulator {

namespace sim = artillery::sim;

namespace {

/// More are a mistake, not a wish: no run has as many choices.
constexpr std::uint64_t numbers_max = 1'000'000;

constexpr std::size_t hash_digits = 16;

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  for (std::size_t comma = text.find(','); comma != std::string_view::npos; comma = text.find(',')) {
    parts.push_back(text.substr(0, comma));
    text.remove_prefix(comma + 1);
  }
  parts.push_back(text);
  return parts;
}

}  // namespace

std::optional<std::uint32_t> parse_families(std::string_view text) {
  if (text == "all") return sim::run_options::all_families;
  if (text == "none") return 0;
  std::uint32_t families = 0;
  for (const std::string_view name : split(text)) {
    const auto& names = sim::fault_family_names;
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) return std::nullopt;
    families |= 1U << static_cast<unsigned>(found - names.begin());
  }
  return families;
}

std::string families_text(std::uint32_t families) {
  if (families == sim::run_options::all_families) return "all";
  std::string text;
  for (std::size_t i = 0; i < sim::fault_families; ++i) {
    if ((families >> i & 1U) == 0) continue;
    text += (text.empty() ? "" : ",") + std::string{sim::fault_family_names[i]};
  }
  return text.empty() ? "none" : text;
}

std::string known_families() {
  std::string text = "all, none, or some of:";
  for (const std::string_view name : sim::fault_family_names) text += ' ' + std::string{name};
  return text;
}

std::optional<std::vector<std::uint64_t>> parse_numbers(std::string_view text) {
  std::vector<std::uint64_t> numbers;
  for (const std::string_view part : split(text)) {
    const std::size_t dash = part.find('-');
    const auto first = tool::parse_number(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : tool::parse_number(part.substr(dash + 1));
    if (!first || !last || *last < *first || *last - *first >= numbers_max - numbers.size()) return std::nullopt;
    for (std::uint64_t number = *first; number <= *last; ++number) numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  return numbers;
}

std::string numbers_text(const std::vector<std::uint64_t>& ascending) {
  std::string text;
  for (std::size_t i = 0; i < ascending.size();) {
    std::size_t end = i + 1;
    while (end < ascending.size() && ascending[end] == ascending[end - 1] + 1) ++end;
    if (!text.empty()) text += ',';
    text += std::to_string(ascending[i]);
    if (end - i > 1) text += '-' + std::to_string(ascending[end - 1]);
    i = end;
  }
  return text;
}

std::string words_of(const sim::run_options& options) {
  std::string words;
  if (options.families != sim::run_options::all_families) words += " --faults " + families_text(options.families);
  if (options.nodes) words += " --nodes " + std::to_string(*options.nodes);
  if (options.time) words += " --time " + tool::to_text(*options.time);
  if (options.operations) words += " --operations " + std::to_string(*options.operations);
  if (!options.without.empty()) words += " --without " + numbers_text(options.without);
  return words;
}

std::optional<std::uint64_t> parse_hash(std::string_view text) {
  std::uint64_t hash = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), hash, 16);
  if (text.size() != hash_digits || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return hash;
}

std::string hash_text(std::uint64_t hash) {
  std::array<char, hash_digits + 1> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(hash));
  return text.data();
}

bool is_unrestricted(const sim::run_options& options) {
  return words_of(options).empty();
}

}  // namespace simulator

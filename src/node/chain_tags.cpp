#include "node/chain_tags.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "artillery/node/types.hpp"

namespace artillery::detail {

namespace {

constexpr std::size_t digits = 16;
constexpr std::string_view genesis_mark = "genesis ";
/// Of "[0000:0000:0000:0000:0000:0000:0000:0000%4294967295]:65535".
constexpr std::size_t endpoint_size_max = 58;

std::string hex(std::uint64_t value) {
  std::string text(digits, '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, value >>= 4U)
    *digit = "0123456789abcdef"[value & 15U];
  return text;
}

template <class Number>
std::optional<Number> parse_number(std::string_view text, int base) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> parse_incarnation(std::string_view text) {
  if (text.size() != digits) return std::nullopt;
  const auto value = parse_number<std::uint64_t>(text, 16);
  return value && *value != 0 && hex(*value) == text ? value : std::nullopt;
}

/// Cuts off and returns what stands before the first `separator`; everything when there is none.
std::string_view next_part(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

}  // namespace

std::string to_string(const replica_tag& tag) {
  return to_string(tag.at) + ' ' + hex(tag.incarnation) + ' ' + std::to_string(tag.expect) + ' ' +
         std::to_string(tag.voter_port);
}

std::string to_string(const chain_tag& tag) {
  if (tag.genesis != 0) return std::string{genesis_mark} + hex(tag.genesis);
  std::string text;
  for (const std::uint64_t incarnation : tag.list) {
    if (!text.empty()) text += ',';
    text += hex(incarnation);
  }
  return text;
}

std::optional<replica_tag> parse_replica_tag(std::string_view text) {
  const auto at = parse_endpoint(next_part(text, ' '));
  const auto incarnation = parse_incarnation(next_part(text, ' '));
  const auto expect = parse_number<std::size_t>(next_part(text, ' '), 10);
  const auto voter_port = parse_number<std::uint16_t>(text, 10);
  if (!at || at->none() || at->is_any() || !incarnation || !expect || !voter_port) return std::nullopt;
  if (*expect == 0 || *expect > node_config::expect_max || (*expect == 1) != (*voter_port == 0)) return std::nullopt;
  return replica_tag{*at, *incarnation, *expect, *voter_port};
}

std::optional<chain_tag> parse_chain_tag(std::string_view text) {
  chain_tag tag;
  if (text.starts_with(genesis_mark)) {
    const auto genesis = parse_incarnation(text.substr(genesis_mark.size()));
    if (!genesis) return std::nullopt;
    tag.genesis = *genesis;
    return tag;
  }
  if (text.size() % (digits + 1) != digits || text.size() / (digits + 1) >= node_config::expect_max)
    return std::nullopt;
  while (!text.empty()) {
    const auto incarnation = parse_incarnation(next_part(text, ','));
    if (!incarnation || std::find(tag.list.begin(), tag.list.end(), *incarnation) != tag.list.end())
      return std::nullopt;
    tag.list.push_back(*incarnation);
  }
  if (tag.list.size() < 2) return std::nullopt;
  return tag;
}

std::size_t chain_tags_size_max(std::size_t expect) noexcept {
  if (expect == 0) return 0;
  const std::size_t entry = 2;  // counted for each tag beside its key and value
  const std::size_t replica = node_config::replica_tag.size() + entry + endpoint_size_max + 1 + digits + 2 + 6;
  if (expect == 1) return replica;
  return replica + node_config::chain_tag.size() + entry +
         std::max(expect * (digits + 1) - 1, genesis_mark.size() + digits);
}

}  // namespace artillery::detail

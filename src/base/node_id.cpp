#include "artillery/node_id.hpp"

namespace artillery {
namespace {

constexpr std::string_view digits = "0123456789abcdef";

void append_hex(std::string& out, std::uint64_t value) {
  for (int shift = 60; shift >= 0; shift -= 4) out += digits[(value >> shift) & 15U];
}

std::optional<std::uint64_t> parse_hex(std::string_view text) {
  std::uint64_t value = 0;
  for (char c : text) {
    const char lower = (c >= 'A' && c <= 'F') ? static_cast<char>(c - 'A' + 'a') : c;
    const auto at = digits.find(lower);
    if (at == std::string_view::npos) return std::nullopt;
    value = (value << 4U) | at;
  }
  return value;
}

}  // namespace

std::string to_string(const node_id& id) {
  std::string out;
  out.reserve(32);
  append_hex(out, id.high);
  append_hex(out, id.low);
  return out;
}

std::string to_short_string(const node_id& id) {
  return to_string(id).substr(0, 8);
}

std::optional<node_id> parse_node_id(std::string_view text) {
  if (text.size() != 32) return std::nullopt;
  const auto high = parse_hex(text.substr(0, 16));
  const auto low = parse_hex(text.substr(16));
  if (!high || !low) return std::nullopt;
  return node_id{*high, *low};
}

}  // namespace artillery

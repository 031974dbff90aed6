#include "byte_json.hpp"

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>

namespace tool {

namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::uint8_t byte_at(std::string_view text, std::size_t at) noexcept {
  return static_cast<std::uint8_t>(text[at]);
}

/// What a UTF-8 sequence looks like by its first byte: how many follow, and where the first of these must lie.
struct sequence {
  std::size_t following = 0;
  std::uint8_t low = 0x80;
  std::uint8_t high = 0xbf;
};

std::optional<sequence> sequence_of(std::uint8_t first) noexcept {
  if (first < 0x80) return sequence{};
  if (first >= 0xc2 && first <= 0xdf) return sequence{1};
  if (first == 0xe0) return sequence{2, 0xa0, 0xbf};
  if (first == 0xed) return sequence{2, 0x80, 0x9f};
  if (first >= 0xe1 && first <= 0xef) return sequence{2};
  if (first == 0xf0) return sequence{3, 0x90, 0xbf};
  if (first >= 0xf1 && first <= 0xf3) return sequence{3};
  if (first == 0xf4) return sequence{3, 0x80, 0x8f};
  return std::nullopt;
}

}  // namespace

bool is_utf8(std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size();) {
    auto expected = sequence_of(byte_at(text, at++));
    if (!expected || text.size() - at < expected->following) return false;
    for (std::size_t i = 0; i < expected->following; ++i, ++at) {
      const std::uint8_t low = i == 0 ? expected->low : 0x80;
      const std::uint8_t high = i == 0 ? expected->high : 0xbf;
      if (byte_at(text, at) < low || byte_at(text, at) > high) return false;
    }
  }
  return true;
}

std::string to_base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) group = group << 8U | (i < count ? byte_at(bytes, at + i) : 0U);
    for (std::size_t i = 0; i < 4; ++i) out += i <= count ? alphabet[group >> (18 - 6 * i) & 63U] : '=';
  }
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  std::string out;
  out.reserve(text.size() / 4 * 3);
  std::uint32_t group = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool is_padding = at >= text.size() - padding;
    const std::size_t digit = is_padding ? 0 : alphabet.find(text[at]);
    if (digit == std::string_view::npos) return std::nullopt;
    group = group << 6U | static_cast<std::uint32_t>(digit);
    if (at % 4 != 3) continue;
    for (std::size_t i = 0; i < 3; ++i) out += static_cast<char>(group >> (16 - 8 * i) & 255U);
    group = 0;
  }
  out.resize(out.size() - padding);
  // The bits that padding cuts off must be zero, else two texts would stand for the same bytes.
  if (to_base64(out) != text) return std::nullopt;
  return out;
}

nlohmann::json bytes_to_json(std::string_view bytes) {
  if (is_utf8(bytes)) return std::string{bytes};
  return {{"base64", to_base64(bytes)}};
}

std::optional<std::string> bytes_from_json(const nlohmann::json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_object() || value.size() != 1) return std::nullopt;
  const auto encoded = value.find("base64");
  if (encoded == value.end() || !encoded->is_string()) return std::nullopt;
  return from_base64(encoded->get_ref<const std::string&>());
}

std::string to_line(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace tool

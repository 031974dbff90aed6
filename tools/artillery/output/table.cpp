#include "output/table.hpp"

#include <algorithm>
#include <utility>

#include "byte_json.hpp"

namespace tool::output {

namespace {

bool is_continuation(char byte) noexcept {
  return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80U;
}

/// Characters, not bytes; wide ones count as one.
std::size_t columns_of(std::string_view text) noexcept {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char byte) { return !is_continuation(byte); }));
}

/// The bytes of the character at `at`, or 0 when they are none.
std::size_t character_at(std::string_view text, std::size_t at) noexcept {
  std::size_t size = 1;
  while (size < 4 && at + size < text.size() && is_continuation(text[at + size])) ++size;
  return is_utf8(text.substr(at, size)) ? size : 0;
}

bool is_control(std::string_view character) noexcept {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7f;
  // U+0080 to U+009F, which some terminals obey like escape sequences.
  return character.size() == 2 && first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;
}

std::string escape(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char one : bytes) {
    const auto byte = static_cast<unsigned char>(one);
    out += {'\\', 'x', digits[byte >> 4U], digits[byte & 15U]};
  }
  return out;
}

std::string render(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns_of(row[i]));
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - columns_of(row[i]) + 2, ' ');
    }
    out += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  }
  return out;
}

}  // namespace

std::string printable(std::string_view text, std::size_t columns_max) {
  std::string out;
  std::size_t columns = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = character_at(text, at);
    const std::string_view character = text.substr(at, std::max<std::size_t>(size, 1));
    const bool plain = size > 0 && !is_control(character);
    const std::string shown = plain ? std::string{character} : escape(character);
    const std::size_t width = plain ? 1 : shown.size();
    const bool is_last = at + character.size() == text.size();
    if (columns + width > columns_max - (is_last ? 0 : 1)) return out + "…";
    out += shown;
    columns += width;
    at += character.size();
  }
  return out;
}

table::table(std::vector<std::string> headings) {
  rows_.push_back(std::move(headings));
}

void table::add(std::vector<std::string> cells) {
  for (std::string& cell : cells) cell = printable(cell);
  rows_.push_back(std::move(cells));
}

std::string table::text() const {
  return render(rows_);
}

void listing::add(std::string name, std::string_view value) {
  rows_.push_back({std::move(name), printable(value)});
}

std::string listing::text() const {
  return render(rows_);
}

}  // namespace tool::output

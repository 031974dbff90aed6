#include "values.hpp"

#include <algorithm>

#include "base/random.hpp"

namespace endurance {
namespace {

using artillery::bytes;
using artillery::detail::mix64;

constexpr char end_of_name = '|';

/// Most values are small, a few large, all of a size that follows from their name.
std::size_t size_of(const std::string& name) {
  const std::uint64_t draw = mix64(artillery::detail::hash_name(name));
  const std::uint64_t kind = draw % 100;
  const std::uint64_t spread = draw >> 32U;
  if (kind < 70) return 24 + spread % 200;
  if (kind < 97) return 1'024 + spread % 16'384;
  return 65'536 + spread % 131'072;
}

}  // namespace

/// A value is its name, then filling that follows from it: what comes back can be judged by itself.
bytes value_of(const std::string& name) {
  std::string text = name + end_of_name;
  const std::size_t size = std::max(size_of(name), text.size());
  text.reserve(size);
  std::uint64_t word = artillery::detail::hash_name(name);
  while (text.size() < size) {
    word = mix64(word);
    for (unsigned i = 0; i < 8 && text.size() < size; ++i) text += static_cast<char>(word >> (8 * i));
  }
  return bytes{text};
}

std::string name_in(const bytes& value) {
  return std::string{value.text().substr(0, value.text().find(end_of_name))};
}

std::string key_of(std::uint64_t number) {
  return "object/" + std::to_string(number);
}

}  // namespace endurance

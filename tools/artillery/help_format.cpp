#include "help_format.hpp"

#include <CLI/Formatter.hpp>
#include <cstddef>
#include <sstream>

namespace tool {

namespace {

constexpr std::size_t name_columns = 32;
constexpr std::size_t description_columns = 80;

/// Lines of at most `columns`, broken at blanks.
std::string wrapped(const std::string& text, std::size_t columns) {
  std::istringstream words{text};
  std::string out;
  std::size_t used = 0;
  for (std::string word; words >> word; used += word.size()) {
    const bool fits = used + 1 + word.size() <= columns;
    if (!out.empty()) out += fits ? ' ' : '\n';
    used = fits && !out.empty() ? used + 1 : 0;
    out += word;
  }
  return out;
}

}  // namespace

help_format::help_format() {
  column_width(name_columns);
}

std::string help_format::make_option_opts(const CLI::Option* option) const {
  const bool is_flag = option->get_items_expected_max() == 0;
  return is_flag || option->get_type_name().empty() ? std::string{} : ' ' + option->get_type_name();
}

std::string help_format::make_option_desc(const CLI::Option* option) const {
  std::string text = option->get_description();
  const bool is_flag = option->get_items_expected_max() == 0;
  if (!is_flag && !option->get_default_str().empty()) text += " (default " + option->get_default_str() + ")";
  if (!option->get_envname().empty()) text += " [$" + option->get_envname() + "]";
  return wrapped(text, description_columns);
}

}  // namespace tool

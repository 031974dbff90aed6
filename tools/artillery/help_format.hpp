#pragma once

#include <CLI/App.hpp>
#include <CLI/FormatterFwd.hpp>
#include <string>

namespace tool {

/// Help for people: names and types in a column, descriptions wrapped beside it, each with its default and environment
/// variable. What excludes what is left to the descriptions and the errors.
class help_format : public CLI::Formatter {
public:
  help_format();
  [[nodiscard]] std::string make_option_opts(const CLI::Option* option) const override;
  [[nodiscard]] std::string make_option_desc(const CLI::Option* option) const override;
};

}  // namespace tool

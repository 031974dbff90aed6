#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "options.hpp"

namespace tool {

/// The text that was asked for with --help; thrown, because it ends the reading of a command line like an error does.
struct help_requested {
  std::string text;
};

/// Reads the words after the program's name. Throws `failure` with exit_code::wrong_use (the text names the option,
/// what is wrong and what is allowed), or `help_requested`.
[[nodiscard]] command parse_command_line(std::vector<std::string> words);

// One function for each group of subcommands, each in a file of its own. `chosen` is set once the line is read.
void add_agent_command(CLI::App& app, std::optional<command>& chosen);
void add_cluster_commands(CLI::App& app, std::optional<command>& chosen);
void add_talk_commands(CLI::App& app, std::optional<command>& chosen);
void add_chain_commands(CLI::App& app, std::optional<command>& chosen);
void add_object_commands(CLI::App& app, std::optional<command>& chosen);

/// --cluster, --name, --socket and -o.
void add_common_options(CLI::App& app, common_options& options);
/// --timeout of a request.
void add_timeout_option(CLI::App& app, common_options& options);
/// --timeout of a question to members.
void add_query_timeout_option(CLI::App& app, common_options& options);
/// --count and --timeout of what listens; where it listens only with a flag, they need that.
void add_stream_options(CLI::App& app, stream_options& options, CLI::Option* flag);
/// --tag KEY[=VALUE], again for further ones.
CLI::Option* add_tag_filter(CLI::App& app, tag_filter& tags, const std::string& description);

/// An option whose text `parse` turns into a value, or else into nothing; then the error says `allowed`.
template <class Value, class Parse>
CLI::Option* add_parsed_option(CLI::App& app, const std::string& name, Value& target, Parse parse,
                               const std::string& allowed, const std::string& description) {
  const std::string shown = name.substr(name.find("--") == std::string::npos ? 0 : name.find("--"));
  return app.add_option_function<std::string>(
      name,
      [&target, parse, allowed, shown](const std::string& text) {
        auto value = parse(text);
        if (!value) throw CLI::ValidationError(shown, "'" + text + "' is not allowed; " + allowed);
        target = std::move(*value);
      },
      description);
}

}  // namespace tool

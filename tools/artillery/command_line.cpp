#include "command_line.hpp"

#include <pwd.h>
#include <unistd.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <array>
#include <memory>

#include "artillery/version.hpp"
#include "control/socket_path.hpp"
#include "exit_code.hpp"
#include "help_format.hpp"
#include "notation.hpp"

namespace tool {

namespace {

constexpr const char* program_footer = R"(Examples:
  artillery agent                                  an agent of its own on this machine
  artillery agent --name a --expect 3              one of three that form a chain; the others: b, c
  artillery put greeting hello                     write, acknowledged by every replica
  artillery get greeting --raw                     read it back, linearizably
  artillery members -o json                        who is there; `artillery watch` shows it live
  artillery query load --timeout 2s                ask all members; `artillery answer load 0.7` answers
  artillery chain status                           who holds the data, in which order

Exit codes:
  0 done                     4 no answer in time
  1 refused or broken        5 a write or message that may or may not have happened
  2 wrong use                6 get: no such object
  3 no agent to talk to      7 cas: the object is not as was asked; nothing changed
                             8 chain repair --force without --yes: nothing was done

`artillery <command> --help` tells more.)";

std::string user_name() {
  const uid_t user = ::geteuid();
  std::array<char, 4096> memory{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(user, &entry, memory.data(), memory.size(), &found) == 0 && found != nullptr) return found->pw_name;
  return std::to_string(user);
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "agent";
  std::string text{name.data()};
  return text.substr(0, std::min(text.find('.'), artillery::membership::name_size_max));
}

std::optional<output_format> parse_format(const std::string& text) {
  if (text == "table") return output_format::table;
  if (text == "json") return output_format::json;
  if (text == "jsonl") return output_format::jsonl;
  return std::nullopt;
}

/// For text that has a size.
auto sized(std::size_t max) {
  return
      [max](const std::string& text) { return text.empty() || text.size() > max ? std::nullopt : std::optional{text}; };
}

/// Reads how long to wait, 1 ms at least.
auto wait_up_to(artillery::duration max) {
  return [max](const std::string& text) {
    auto value = parse_duration(text);
    return value && *value >= std::chrono::milliseconds{1} && *value <= max ? value : std::nullopt;
  };
}

/// What CLI11 says of a word that it does not know does not tell what there is.
std::string explain(const CLI::App& app, const CLI::ParseError& error) {
  const auto unknown = app.remaining();
  std::string text = error.what();
  const auto chosen = app.get_subcommands();
  const std::string help = chosen.empty() ? "artillery --help" : "artillery " + chosen.front()->get_name() + " --help";
  if (chosen.empty()) {
    if (!unknown.empty()) text = "there is no command '" + unknown.front() + "'";
    text += "; the commands are:";
    for (const CLI::App* one : app.get_subcommands([](const CLI::App*) { return true; })) text += ' ' + one->get_name();
  }
  return text + "\n`" + help + "` tells what is allowed";
}

}  // namespace

std::string common_options::socket_path() const {
  return socket.empty() ? control::default_socket_path(cluster, name) : socket;
}

void add_common_options(CLI::App& app, common_options& options) {
  constexpr const char* group = "Which agent, and how to show the answer";
  options.cluster = ("local-" + user_name()).substr(0, artillery::node_config::cluster_size_max);
  options.name = host_name();
  add_parsed_option(app, "--cluster", options.cluster, sized(artillery::node_config::cluster_size_max),
                    "1 to " + std::to_string(artillery::node_config::cluster_size_max) + " bytes are",
                    "Name of the cluster")
      ->envname("ARTILLERY_CLUSTER")
      ->type_name("TEXT")
      ->default_str(options.cluster)
      ->group(group);
  add_parsed_option(app, "--name", options.name, sized(artillery::membership::name_size_max),
                    "1 to " + std::to_string(artillery::membership::name_size_max) + " bytes are", "Name of the agent")
      ->envname("ARTILLERY_NAME")
      ->type_name("TEXT")
      ->default_str(options.name)
      ->group(group);
  app.add_option("--socket", options.socket, "The agent's socket; by default found by cluster and name")
      ->envname("ARTILLERY_SOCKET")
      ->type_name("PATH")
      ->group(group);
  add_parsed_option(app, "-o,--format", options.format, parse_format, "table, json and jsonl are", "How to print")
      ->type_name("table|json|jsonl")
      ->default_str("table")
      ->group(group);
}

void add_timeout_option(CLI::App& app, common_options& options) {
  add_parsed_option(app, "--timeout", options.timeout, wait_up_to(std::chrono::hours{24}),
                    "1ms to 24h are, such as 500ms, 2s, 1m", "How long to wait for the answer")
      ->type_name("DURATION")
      ->default_str(to_text(options.timeout));
}

void add_query_timeout_option(CLI::App& app, common_options& options) {
  add_parsed_option(app, "--timeout", options.timeout, wait_up_to(artillery::membership::query_timeout_max),
                    "1ms to 1h are, such as 500ms, 2s, 1m",
                    "How long answers are taken, unless all have answered before")
      ->type_name("DURATION")
      ->default_str(to_text(options.timeout));
}

void add_stream_options(CLI::App& app, stream_options& options, CLI::Option* flag) {
  const auto parse_count = [](const std::string& text) {
    auto number = parse_number(text);
    return number && *number > 0 ? number : std::nullopt;
  };
  CLI::Option* count =
      add_parsed_option(app, "--count", options.count, parse_count, "a number from 1 on is", "End after so many events")
          ->type_name("N");
  CLI::Option* timeout =
      add_parsed_option(
          app, "--timeout", options.timeout, [](const std::string& text) { return parse_duration(text); },
          "0s to 24h are, such as 500ms, 2s, 1m", "End after this long; exit code 4 if --count was not reached by then")
          ->type_name("DURATION");
  if (flag == nullptr) return;
  count->needs(flag);
  timeout->needs(flag);
}

CLI::Option* add_tag_filter(CLI::App& app, tag_filter& tags, const std::string& description) {
  const auto take = [&tags](const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      const std::size_t equals = text.find('=');
      if (equals == 0 || text.empty())
        throw CLI::ValidationError("--tag", "'" + text + "' is not allowed; key or key=value is");
      tags.emplace_back(text.substr(0, equals),
                        equals == std::string::npos ? std::nullopt : std::optional{text.substr(equals + 1)});
    }
  };
  return app.add_option_function<std::vector<std::string>>("--tag", take, description)
      ->type_name("KEY[=VALUE]")
      ->expected(1)
      ->take_all();
}

command parse_command_line(std::vector<std::string> words) {
  CLI::App app{"The command of artillery " + std::string{artillery::version_text} +
                   ": runs an agent, and talks to the one that runs.",
               "artillery"};
  app.require_subcommand(1);
  app.footer(program_footer);
  app.formatter(std::make_shared<help_format>());
  std::optional<command> chosen;
  add_agent_command(app, chosen);
  add_cluster_commands(app, chosen);
  add_talk_commands(app, chosen);
  add_chain_commands(app, chosen);
  add_object_commands(app, chosen);
  try {
    std::reverse(words.begin(), words.end());  // as CLI11 wants them
    app.parse(std::move(words));
  } catch (const CLI::CallForHelp&) {
    throw help_requested{app.help()};
  } catch (const CLI::ParseError& error) {
    throw failure{exit_code::wrong_use, explain(app, error)};
  }
  if (!chosen) throw failure{exit_code::wrong_use, "no command was chosen"};
  return std::move(*chosen);
}

}  // namespace tool

#include <arpa/inet.h>

#include <memory>

#include "command_line.hpp"
#include "exit_code.hpp"
#include "notation.hpp"

namespace tool {

namespace {

constexpr const char* agent_footer =
    R"(Prints one line when it is ready, then one for each event (-o jsonl: all as JSON). SIGINT and SIGTERM make it take
leave of the others and end with 0; a second one ends it at once.

Examples:
  artillery agent
  artillery agent --name a --expect 3
  artillery agent --name a --expect 3 --dir ~/.local/state/artillery/a       may be ended and started again
  artillery agent --bind 10.0.0.5:7946 --seed 10.0.0.6:7946 --expect 3 --insecure
  artillery agent -o jsonl | while read -r line; do …; done)";

/// An address with or without a port: `127.0.0.1`, `127.0.0.1:7946`, `::1`, `[::1]:7946`.
std::optional<artillery::endpoint> parse_address(const std::string& text) {
  if (auto whole = artillery::parse_endpoint(text)) return whole;
  in_addr v4{};
  in6_addr v6{};
  if (::inet_pton(AF_INET, text.c_str(), &v4) == 1) return artillery::parse_endpoint(text + ":0");
  if (::inet_pton(AF_INET6, text.c_str(), &v6) == 1) return artillery::parse_endpoint("[" + text + "]:0");
  return std::nullopt;
}

std::optional<std::uint16_t> parse_port(const std::string& text) {
  auto number = parse_number(text);
  if (!number || *number == 0 || *number > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

std::optional<host_port> parse_host_port(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0 || !parse_port(text.substr(colon + 1))) return std::nullopt;
  std::string host = text.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (host.empty() || host.find_first_of("[]") != std::string::npos) return std::nullopt;
  return host_port{host, text.substr(colon + 1)};
}

std::optional<std::vector<host_port>> parse_seeds(const std::vector<std::string>& texts) {
  std::vector<host_port> seeds;
  for (const std::string& text : texts) {
    auto seed = parse_host_port(text);
    if (!seed)
      throw CLI::ValidationError("--seed",
                                 "'" + text + "' is not allowed; host:port is, such as 10.0.0.6:7946 or [::1]:7946");
    seeds.push_back(std::move(*seed));
  }
  return seeds;
}

std::optional<std::size_t> parse_expect(const std::string& text) {
  auto number = parse_number(text);
  if (!number || *number > artillery::node_config::expect_max) return std::nullopt;
  return static_cast<std::size_t>(*number);
}

std::optional<std::size_t> parse_value_size(const std::string& text) {
  constexpr std::size_t most = std::size_t{64} << 20U;
  auto size = parse_size(text);
  return size && *size >= 1 && *size <= most ? size : std::nullopt;
}

std::optional<artillery::log_level> parse_log_level(const std::string& text) {
  using artillery::log_level;
  for (log_level level : {log_level::debug, log_level::info, log_level::warning, log_level::error}) {
    if (artillery::to_string(level) == text) return level;
  }
  return std::nullopt;
}

void add_where(CLI::App& app, agent_options& options) {
  add_parsed_option(app, "--bind", options.bind, parse_address,
                    "a numeric address is, with or without a port, such as 127.0.0.1, 10.0.0.5:7946 or [::1]:7946",
                    "Where to listen, UDP and TCP; port 0 or none: a free one")
      ->type_name("ADDRESS[:PORT]")
      ->default_str("127.0.0.1");
  add_parsed_option(app, "--replication-port", options.replication_port, parse_port, "1 to 65535 are",
                    "TCP port of replication; otherwise a free one")
      ->type_name("PORT");
  add_parsed_option(app, "--advertise", options.advertise, parse_address,
                    "a numeric address is, with or without a port, such as 192.0.2.7 or 192.0.2.7:7946",
                    "What others are told to talk to, when that is not the bound address")
      ->type_name("ADDRESS[:PORT]");
  app.add_option(
         "--dir", options.directory,
         "Directory in which this agent keeps its id and its vote on the chain, so that it may be started again "
         "as the same; otherwise neither outlives it")
      ->type_name("DIR");
  app.add_flag("--insecure", options.insecure,
               "Listen on an address other than loopback although there are no keys yet: whoever reaches the ports "
               "can join, read and write");
}

void add_finding(CLI::App& app, agent_options& options) {
  app.add_option_function<std::vector<std::string>>(
         "--tag",
         [&options](const std::vector<std::string>& texts) {
           for (const std::string& text : texts) {
             auto tag = parse_tag(text);
             if (!tag) throw CLI::ValidationError("--tag", "'" + text + "' is not allowed; key=value is");
             options.tags.insert_or_assign(std::move(tag->first), std::move(tag->second));
           }
         },
         "A fact that all members are told of this one; may be given several times")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->take_all();
  app.add_option_function<std::vector<std::string>>(
         "--seed", [&options](const std::vector<std::string>& texts) { options.seeds = *parse_seeds(texts); },
         "A member to join through; may be given several times")
      ->type_name("HOST:PORT")
      ->expected(1)
      ->take_all();
  add_parsed_option(app, "--discovery-port", options.discovery_port, parse_port, "1 to 65535 are",
                    "UDP port on which all agents of a link find each other by broadcast")
      ->type_name("PORT")
      ->default_str(std::to_string(options.discovery_port));
  app.add_flag_callback(
         "--no-discovery", [&options] { options.discover = false; },
         "Neither announce this agent nor look for others by broadcast")
      ->excludes("--discovery-port");
}

void add_behaviour(CLI::App& app, agent_options& options, bool& preset_given) {
  add_parsed_option(app, "--expect", options.expect, parse_expect,
                    "0 to " + std::to_string(artillery::node_config::expect_max) + " are",
                    "How many agents form the chain, the same at each; 1: this one alone; 0: never a replica")
      ->type_name("N")
      ->default_str("1");
  const auto parse_preset = [&preset_given](const std::string& text) {
    preset_given = true;
    return artillery::parse_timing_preset(text);
  };
  add_parsed_option(app, "--preset", options.preset, parse_preset, "local, lan and wan are",
                    "Timings of failure detection: local reports a death in about half a second; the default is local "
                    "on loopback, else lan")
      ->type_name("local|lan|wan");
  add_parsed_option(app, "--value-size-max", options.value_size_max, parse_value_size,
                    "1 to 64M are, such as 4096, 512K, 16M", "Largest value, the same at all agents")
      ->type_name("SIZE")
      ->default_str("1M");
  add_parsed_option(app, "--log-level", options.log_level, parse_log_level, "debug, info, warning and error are",
                    "Which remarks of the library go to standard error")
      ->type_name("LEVEL")
      ->default_str("warning");
}

}  // namespace

void add_agent_command(CLI::App& app, std::optional<command>& chosen) {
  auto options = std::make_shared<agent_options>();
  auto preset_given = std::make_shared<bool>(false);
  CLI::App* agent = app.add_subcommand("agent", "Run a node until it is told to end");
  agent->footer(agent_footer);
  add_where(*agent, *options);
  add_finding(*agent, *options);
  add_behaviour(*agent, *options, *preset_given);
  add_common_options(*agent, options->common);
  agent->callback([options, preset_given, &chosen] {
    if (!options->bind.is_loopback() && !options->insecure)
      throw CLI::ValidationError("--bind", artillery::to_string(options->bind) +
                                               " can be reached from other machines and there are no keys yet; only "
                                               "loopback addresses are allowed, or add --insecure");
    if (!options->bind.is_loopback() && !*preset_given) options->preset = artillery::timing_preset::lan;
    chosen = *options;
  });
}

}  // namespace tool

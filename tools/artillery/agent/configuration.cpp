#include "agent/configuration.hpp"

#include <asio/io_context.hpp>
#include <asio/ip/udp.hpp>
#include <cstdio>
#include <string>
#include <string_view>

#include "agent/report.hpp"
#include "notation.hpp"
#include "output/table.hpp"

namespace tool::agent {

namespace {

artillery::endpoint to_endpoint(const asio::ip::udp::endpoint& at) {
  if (at.address().is_v4()) return artillery::endpoint::v4(at.address().to_v4().to_bytes(), at.port());
  const asio::ip::address_v6 v6 = at.address().to_v6();
  return artillery::endpoint::v6(v6.to_bytes(), at.port(), static_cast<std::uint32_t>(v6.scope_id()));
}

std::vector<artillery::endpoint> resolve(const std::vector<host_port>& seeds) {
  std::vector<artillery::endpoint> found;
  asio::io_context io;
  asio::ip::udp::resolver resolver{io};
  for (const host_port& seed : seeds) {
    std::error_code error;
    const auto results = resolver.resolve(seed.host, seed.port, error);
    if (error || results.empty())
      throw failure{exit_code::failed, "--seed: there is no address for '" + seed.host + "': " + error.message()};
    for (const auto& one : results) found.push_back(to_endpoint(one.endpoint()));
  }
  return found;
}

artillery::log_sink log_to_stderr(artillery::log_level least) {
  return [least](artillery::log_level level, std::string_view component, std::string_view message) {
    if (level < least) return;
    const std::string line = time_text() + "  " + std::string{artillery::to_string(level)} + "  " +
                             std::string{component} + ": " + output::printable(message) + '\n';
    std::fwrite(line.data(), 1, line.size(), stderr);
  };
}

std::string where(const agent_options& options) {
  std::string text = "--bind " + artillery::to_string(options.bind);
  if (options.replication_port != 0) text += ", --replication-port " + std::to_string(options.replication_port);
  if (options.discover) text += ", --discovery-port " + std::to_string(options.discovery_port);
  return text;
}

}  // namespace

artillery::node_config configuration_of(const agent_options& options) {
  artillery::node_config config;
  config.cluster = options.common.cluster;
  config.name = options.common.name;
  config.bind = options.bind;
  config.directory = options.directory;
  config.replication_port = options.replication_port;
  config.advertise = options.advertise;
  config.seeds = resolve(options.seeds);
  config.tags = options.tags;
  config.discover = options.discover;
  config.discovery_port = options.discovery_port;
  config.timings = options.preset;
  config.expect = options.expect;
  config.value_size_max = options.value_size_max;
  config.log = log_to_stderr(options.log_level);
  if (std::string problem = config.validate(); !problem.empty()) throw failure{exit_code::wrong_use, problem};
  return config;
}

failure explain_end(const agent_options& options, const std::error_code& error) {
  std::string text = "the node cannot go on (" + where(options) + "): " + error.message();
  if (error == std::errc::address_in_use) text += "; another program has the port, choose another or 0";
  if (error == std::errc::address_not_available) text += "; no interface of this machine has the address";
  if (error == std::errc::permission_denied) text += "; ports below 1024 are for root, choose another or 0";
  return {exit_code::failed, text};
}

}  // namespace tool::agent

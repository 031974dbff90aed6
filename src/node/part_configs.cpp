#include "node/part_configs.hpp"

#include <chrono>
#include <memory>
#include <mutex>
#include <random>
#include <utility>

#include "artillery/node.hpp"
#include "node/node_directory.hpp"

namespace artillery::detail {

namespace {

membership::config preset(timing_preset timings) {
  switch (timings) {
    case timing_preset::local: return membership::config::local();
    case timing_preset::lan: return membership::config::lan();
    case timing_preset::wan: return membership::config::wan();
  }
  return {};
}

}  // namespace

node_config completed(node_config given, const node_id& kept) {
  if (given.id.none()) given.id = kept.none() ? draw_node_id() : kept;
  if (given.name.empty()) given.name = to_short_string(given.id);
  if (given.log) {
    // Each part remarks on its own strand.
    given.log = [turn = std::make_shared<std::mutex>(), sink = std::move(given.log)](
                    log_level level, std::string_view component, std::string_view message) {
      const std::lock_guard lock{*turn};
      sink(level, component, message);
    };
  }
  return given;
}

std::uint64_t draw_incarnation() {
  using std::chrono::microseconds;
  constexpr unsigned drawn_bits = 12;  // two nodes that start in the same microsecond still differ, most likely
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  const auto now = static_cast<std::uint64_t>(std::chrono::duration_cast<microseconds>(since_epoch).count());
  std::random_device device;
  return now << drawn_bits | (device() >> (32U - drawn_bits));
}

discovery::config discovery_config_of(const node_config& node) {
  discovery::config config;
  config.cluster = node.cluster;
  config.port = node.discovery_port;
  config.node = node.id;
  config.event_queue_max = node.events_max;
  config.log = node.log;
  // What listens on loopback cannot be reached from elsewhere, so nobody else needs to hear of it. Linux names it thus.
  if (node.bind.is_loopback()) config.interfaces = {"lo"};
  return config;
}

membership::config membership_config_of(const node_config& node) {
  membership::config config = preset(node.timings);
  config.cluster = node.cluster;
  config.name = node.name;
  config.id = node.id;
  config.tags = node.tags;
  config.bind = node.bind;
  config.advertise = node.advertise;
  config.event_queue_max = node.events_max;
  config.log = node.log;
  return config;
}

replication::replica_config replica_config_of(const node_config& node, std::uint64_t incarnation) {
  replication::replica_config config;
  config.cluster = node.cluster;
  config.chain = chain_of_nodes;
  config.self = {node.id, incarnation};
  config.value_size_max = node.value_size_max;
  config.replicas_wanted = node.expect;
  return config;
}

replication::quorum_config quorum_config_of(const node_config& node, std::string directory) {
  replication::quorum_config config;
  config.cluster = node.cluster;
  config.chain = chain_of_nodes;
  config.node = node.id;
  config.directory = std::move(directory);
  config.bind = node.bind.with_port(node.replication_port);
  config.log = node.log;
  return config;
}

duration lease_of(const node_config& node) noexcept {
  using namespace std::chrono_literals;
  switch (node.timings) {
    case timing_preset::local: return 500ms;
    case timing_preset::lan: return 1s;
    case timing_preset::wan: return 3s;
  }
  return 1s;
}

replication::replica_options replica_options_of(const node_config& node) {
  replication::replica_options options;
  options.listen = node.bind.with_port(node.replication_port);
  if (node.advertise != endpoint{}) options.advertise = node.advertise.with_port(0);
  options.events_max = node.events_max;
  options.log = node.log;
  return options;
}

replication::client_config client_config_of(const node_config& node, std::vector<endpoint> replicas) {
  replication::client_config config;
  config.cluster = node.cluster;
  config.chain = chain_of_nodes;
  config.replicas = std::move(replicas);
  config.value_size_max = node.value_size_max;
  return config;
}

discovery::service service_of(const node_config& node, const endpoint& membership) {
  discovery::service service;
  service.type = node_service_type;
  service.protocol = node_service_protocol;
  service.name = node.name.substr(0, discovery::service::name_max);
  service.instance = node.id;
  service.endpoints = {membership};
  // A name that cannot be shown, or was cut in the middle of a character, is no reason not to be found.
  if (!service.validate().empty()) service.name = to_short_string(node.id);
  return service;
}

}  // namespace artillery::detail

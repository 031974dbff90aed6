#include "node/part_configs.hpp"

#include <memory>
#include <mutex>
#include <random>
#include <utility>

#include "artillery/node.hpp"

namespace artillery::detail {

namespace {

std::uint64_t entropy() {
  std::random_device device;
  const std::uint64_t upper = device();
  const std::uint64_t lower = device();
  return (upper << 32U) | (lower & 0xffffffffU);
}

membership::config preset(timing_preset timings) {
  switch (timings) {
    case timing_preset::local: return membership::config::local();
    case timing_preset::lan: return membership::config::lan();
    case timing_preset::wan: return membership::config::wan();
  }
  return {};
}

}  // namespace

node_config completed(node_config given) {
  if (given.id.none()) {
    const std::uint64_t high = entropy();
    const std::uint64_t low = entropy();
    given.id = {high, low | 1U};
  }
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
  std::uint64_t drawn = 0;
  while (drawn == 0) drawn = entropy();
  return drawn;
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
  return config;
}

replication::replica_options replica_options_of(const node_config& node) {
  replication::replica_options options;
  options.listen = node.bind.with_port(node.replication_port);
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

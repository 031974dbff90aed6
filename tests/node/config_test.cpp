#include <functional>
#include <string>

#include "artillery/node/types.hpp"
#include "catch.hpp"

using artillery::endpoint;
using artillery::node_config;

namespace {

std::string problem(const std::function<void(node_config&)>& change) {
  node_config config;
  change(config);
  return config.validate();
}

}  // namespace

TEST_CASE("the default configuration of a node is sound", "[node][config]") {
  CHECK(node_config{}.validate().empty());
}

TEST_CASE("a wrong option of a node is named together with what is allowed", "[node][config]") {
  CHECK(problem([](node_config& c) { c.expect = 8; }) == "expect is 8; 0 to 7 are allowed");
  CHECK(problem([](node_config& c) { c.cluster.clear(); }) == "length of cluster is 0; 1 to 64 are allowed");
  CHECK(problem([](node_config& c) { c.name.assign(65, 'n'); }) == "length of name is 65; 0 to 64 are allowed");
  CHECK(problem([](node_config& c) { c.value_size_max = 0; }) == "value_size_max is 0; 1 to 67108864 are allowed");
  CHECK(problem([](node_config& c) { c.events_max = 15; }) == "events_max is 15; 16 to 1000000 are allowed");
  CHECK(problem([](node_config& c) { c.waiting_calls_max = 0; }) == "waiting_calls_max is 0; 1 to 1000000 are allowed");
  CHECK(problem([](node_config& c) { c.tags["chain"] = "mine"; }) ==
        "tags: the key \"chain\" is the node's own; choose another one");
  CHECK(problem([](node_config& c) {
          c.expect = 7;
          c.tags["note"].assign(200, 'x');
        }).starts_with("size of all tags is 206; 0 to "));
  CHECK(problem([](node_config& c) { c.bind = endpoint::v4(224, 0, 0, 1, 0); }) ==
        "bind is 224.0.0.1:0; a multicast address is not allowed");
  CHECK(problem([](node_config& c) { c.advertise = endpoint::v4(0, 0, 0, 0, 7000); }) ==
        "advertise is 0.0.0.0:7000; an address that others can talk to is needed");
  CHECK(problem([](node_config& c) { c.advertise = endpoint::v6({}, 7000); }).starts_with("advertise is "));
  CHECK(problem([](node_config& c) { c.seeds = {endpoint::v4(127, 0, 0, 1, 0)}; }) ==
        "seeds: 127.0.0.1:0 is not an address that one can talk to, with a port");
  CHECK(problem([](node_config& c) { c.seeds.assign(257, endpoint::v4(127, 0, 0, 1, 1)); }) ==
        "number of seeds is 257; 0 to 256 are allowed");
  CHECK(problem([](node_config& c) { c.discovery_port = 0; }) ==
        "discovery_port is 0; 1 to 65535 are allowed, the same one at all nodes");
  CHECK(problem([](node_config& c) {
          c.bind = endpoint::v4(127, 0, 0, 1, 7946);
          c.replication_port = 7946;
        }) == "replication_port is 7946, the port of bind; membership listens there, choose another one");
}

TEST_CASE("the names of presets read back", "[node][config]") {
  using artillery::timing_preset;
  for (const auto preset : {timing_preset::local, timing_preset::lan, timing_preset::wan})
    CHECK(artillery::parse_timing_preset(to_string(preset)) == preset);
  CHECK_FALSE(artillery::parse_timing_preset("LAN"));
}

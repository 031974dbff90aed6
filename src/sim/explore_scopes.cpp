#include "sim/explore_scopes.hpp"

#include <utility>

#include "sim/explore_chain.hpp"
#include "sim/explore_search.hpp"

namespace artillery::sim {
namespace {

using replication::condition;
using replication::write;

explore_scope scope_of(std::string name, std::string description, bool quick, const chain_scope& chain,
                       std::uint32_t deviations_max = explore_limits::unlimited) {
  return {std::move(name), std::move(description), quick, [chain, deviations_max](std::uint64_t states_max) {
            explore_limits limits{.deviations_max = deviations_max};
            if (states_max != 0) limits.states_max = states_max;
            return explore(chain_setup{chain}, limits);
          }};
}

write put(const char* value) {
  return write::put(explore_object, value);
}

}  // namespace

std::vector<explore_scope> explore_scopes() {
  std::vector<explore_scope> all;
  all.push_back(scope_of("chain-2-calm", "2 replicas, 2 writes, 2 reads by clients, no faults", true,
                         {.replicas = 2, .writes = {put("a"), put("b")}, .reads = 2}));
  all.push_back(scope_of("chain-2-steps", "2 replicas, 2 writes, 2 reads in three steps each, no faults", true,
                         {.replicas = 2, .writes = {put("a"), put("b")}, .reads = 2, .steps_reads = true}));
  all.push_back(scope_of("chain-2-cut-1w", "2 replicas, 1 write, 1 read, 1 stream breaks", true,
                         {.replicas = 2, .writes = {put("a")}, .reads = 1, .budget = {.cuts = 1}}));
  all.push_back(scope_of("chain-2-cut", "2 replicas, 2 writes, 2 reads, 1 stream breaks", false,
                         {.replicas = 2, .writes = {put("a"), put("b")}, .reads = 2, .budget = {.cuts = 1}}));
  all.push_back(scope_of(
      "chain-2-steps-cut", "2 replicas, 2 writes, 2 reads in three steps each, 1 stream breaks", false,
      {.replicas = 2, .writes = {put("a"), put("b")}, .reads = 2, .steps_reads = true, .budget = {.cuts = 1}}));
  all.push_back(scope_of("chain-3-calm", "3 replicas, 1 write, 2 reads, no faults", true,
                         {.replicas = 3, .writes = {put("a")}, .reads = 2}));
  all.push_back(scope_of("chain-3-cut", "3 replicas, 1 write, 1 read, 1 stream breaks", false,
                         {.replicas = 3, .writes = {put("a")}, .reads = 1, .budget = {.cuts = 1}}));
  return all;
}

}  // namespace artillery::sim

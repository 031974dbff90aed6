#pragma once

#include <cstdint>
#include <string>

#include "room.hpp"
#include "sim/chain_swarm.hpp"

/// What a chain's run is like, whether or not its view changes.
namespace simulator {

[[nodiscard]] std::string chain_load_text(const artillery::sim::chain_swarm& s);
[[nodiscard]] std::string chain_limits_text(const artillery::sim::chain_swarm& s);
/// The faults, numbered from 0, by plain names: `one_way_cuts`, as the summary counts them.
void add_chain_choices(drawn& to, const artillery::sim::chain_swarm& s);
/// What the choices from `first` on are.
void add_blocks(drawn& to, std::uint64_t first);

}  // namespace simulator

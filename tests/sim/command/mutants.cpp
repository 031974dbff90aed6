#include "mutants.hpp"

#include <array>
#include <cstdint>
#include <string_view>

#include "discovery/mutant.hpp"
#include "membership/mutant.hpp"
#include "replication/mutant.hpp"

namespace artillery::discovery {
mutation planted = mutation::none;
}
namespace artillery::membership {
mutation planted = mutation::none;
}
namespace artillery::replication {
mutation planted = mutation::none;
}

namespace simulator {

namespace {

/// `names` are those of all of a room's mistakes, the first of which is none; `planted` is the room's.
template <class Mutation, std::size_t N>
void add_mutants(room& to, const std::array<std::string_view, N>& names, Mutation& planted) {
  to.mutants.assign(names.begin() + 1, names.end());
  to.plant = [&planted](std::size_t which) {
    planted = which + 1 < N ? static_cast<Mutation>(which + 1) : Mutation::none;
  };
}

}  // namespace

std::vector<room> rooms_with_mutants() {
  std::vector<room> all = rooms();
  for (room& one : all) {
    if (one.name == "chain") {
      add_mutants(one, artillery::replication::mutation_names, artillery::replication::planted);
    } else if (one.name == "membership") {
      add_mutants(one, artillery::membership::mutation_names, artillery::membership::planted);
    } else if (one.name == "discovery") {
      add_mutants(one, artillery::discovery::mutation_names, artillery::discovery::planted);
    }
  }
  return all;
}

}  // namespace simulator

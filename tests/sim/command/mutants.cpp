#include "mutants.hpp"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "discovery/mutant.hpp"
#include "membership/mutant.hpp"
#include "replication/mutant.hpp"
#include "replication/register_mutant.hpp"

namespace artillery::discovery {
mutation planted = mutation::none;
}
namespace artillery::membership {
mutation planted = mutation::none;
}
namespace artillery::replication {
mutation planted = mutation::none;
register_mutation register_planted = register_mutation::none;
}  // namespace artillery::replication

namespace simulator {

namespace {

/// `names` are those of all of a protocol's mistakes, the first of which is none; the room finds those that `concern`
/// it, beside those of other lists, but for those that are not found `by_seeds`.
template <class Mutation, std::size_t N, class Concern, class BySeeds>
void add_mutants(room& to, const std::array<std::string_view, N>& names, Mutation& planted, Concern concern,
                 BySeeds by_seeds) {
  const std::size_t first = to.mutants.size();
  std::vector<Mutation> those;
  for (std::size_t i = 1; i < N; ++i) {
    if (!concern(static_cast<Mutation>(i))) continue;
    those.push_back(static_cast<Mutation>(i));
    to.mutants.emplace_back(names[i]);
    if (!by_seeds(static_cast<Mutation>(i))) to.left_to_tests.emplace_back(names[i]);
  }
  to.plant = [those, &planted, first, others = to.plant](std::size_t which) {
    if (others) others(which);
    const bool is_here = which >= first && which - first < those.size();
    planted = is_here ? those[which - first] : Mutation::none;
  };
}

}  // namespace

std::vector<room> rooms_with_mutants() {
  namespace replication = artillery::replication;
  const auto any = [](auto) { return true; };
  const auto of_views = [](replication::mutation which) { return replication::concerns_views(which); };
  const auto of_one_view = [](replication::mutation which) { return !replication::concerns_views(which); };
  const auto in_a_chain = [](replication::register_mutation which) { return replication::shows_in_a_chain(which); };
  const auto by_seeds = [](auto which) { return replication::is_found_by_seeds(which); };
  std::vector<room> all = rooms();
  for (room& one : all) {
    if (one.name == "chain") {
      add_mutants(one, replication::mutation_names, replication::planted, of_one_view, any);
    } else if (one.name == "views") {
      add_mutants(one, replication::mutation_names, replication::planted, of_views, by_seeds);
      add_mutants(one, replication::register_mutation_names, replication::register_planted, in_a_chain, any);
    } else if (one.name == "register") {
      add_mutants(one, replication::register_mutation_names, replication::register_planted, any, by_seeds);
    } else if (one.name == "membership") {
      add_mutants(one, artillery::membership::mutation_names, artillery::membership::planted, any, any);
    } else if (one.name == "discovery") {
      add_mutants(one, artillery::discovery::mutation_names, artillery::discovery::planted, any, any);
    }
  }
  return all;
}

}  // namespace simulator

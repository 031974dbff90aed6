// Each check of the simulator is seen to fail: a mistake of mutant.hpp that it is meant for is planted, and it, not
// just any check, complains within a bounded number of seeds. That every mistake is found by some check is shown by
// `./dev sim mutants`.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.hpp"
#include "catch.hpp"
#include "membership/mutant.hpp"
#include "sim/membership_run.hpp"

namespace artillery::membership {
mutation planted = mutation::none;
}

using artillery::membership::mutation;
using artillery::membership::mutation_names;
using artillery::membership::planted;

namespace {

namespace sim = artillery::sim;

constexpr std::uint32_t all = sim::run_options::all_families;
constexpr std::uint32_t none = 0;
constexpr std::uint32_t awake = all & ~(1U << static_cast<unsigned>(sim::fault_family::clock));

struct trial {
  mutation mistake;
  std::string_view words;        ///< of what the check says
  std::uint32_t families = all;  ///< of faults: with fewer of them, what is demanded at the end is soon reached
};

std::vector<std::string> violations_of(std::uint64_t seed, std::uint32_t families) {
  sim::run_options options;
  options.families = families;
  try {
    return sim::run_membership_seed(seed, options).violations;
  } catch (const artillery::detail::broken_invariant& broken) {
    return {std::string{"invariant "} + broken.what()};
  } catch (const std::exception& error) {
    return {error.what()};
  }
}

/// The first seed in which that check complains of the mistake, or 0.
std::uint64_t seed_that_finds(const trial& wanted, std::uint64_t seeds_max) {
  planted = wanted.mistake;
  std::uint64_t found = 0;
  for (std::uint64_t seed = 1; seed <= seeds_max && found == 0; ++seed) {
    for (const std::string& line : violations_of(seed, wanted.families)) {
      if (line.find(wanted.words) == std::string::npos) continue;
      found = seed;
      if (std::getenv("ARTILLERY_SHOW_MUTANTS") != nullptr) {
        std::cout << mutation_names[static_cast<std::size_t>(wanted.mistake)] << " found in seed " << seed << ": "
                  << line << std::endl;
      }
      break;
    }
  }
  planted = mutation::none;
  return found;
}

}  // namespace

TEST_CASE("each check of membership is seen to fail", "[membership][mutants]") {
  constexpr std::uint64_t seeds_max = 3'000;
  const auto each = GENERATE(
      // what a process is told
      trial{mutation::no_deduplication, "was given event", none},
      trial{mutation::no_topic_order, "was given event", none}, trial{mutation::untold_gaps, "nor told to be missed"},
      trial{mutation::believes_far_numbers, "a payload that nobody sent"},
      trial{mutation::believes_any_cluster, "who is not of us"}, trial{mutation::no_tombstones, "come back at"},
      trial{mutation::no_suspicion, "failed with no cause"}, trial{mutation::trusts_after_pause, "suspected n"},
      trial{mutation::leaves_unheard, "nobody heard it"}, trial{mutation::no_message_deduplication, "was given twice"},
      trial{mutation::receipts_unseen, "nobody was given it"},
      trial{mutation::no_message_retry, "did not arrive in time"},
      trial{mutation::answers_counted_twice, "was answered twice"},
      trial{mutation::asks_everybody, "who was not asked"},
      trial{mutation::notices_suffice, "did not get the large event"},
      // what it sends
      trial{mutation::unbounded_datagrams, "sent a datagram of"}, trial{mutation::pushes_unspaced, "in a second"},
      trial{mutation::no_byte_limit, "over its cap"},
      // what is demanded at the end
      trial{mutation::no_refutation, "no convergence after healing"},
      trial{mutation::no_digest_repair, "final events of"}, trial{mutation::forgets_own_events, "sent at once", none},
      trial{mutation::never_done_telling, "an idle cluster", none},
      trial{mutation::refuses_restarts, "for restarted at once", none},
      trial{mutation::no_replay, "is new and was told", none},
      trial{mutation::replays_everything, "is new and was told", none},
      trial{mutation::moves_the_beginning, "knew each other", none},
      trial{mutation::answers_as_of_now, "knew each other", none},
      trial{mutation::believes_any_beginning, "is new and was told event", none},
      trial{mutation::renews_suspicions, "not every death is known", none},
      trial{mutation::keeps_old_events, "things when idle", none});
  CAPTURE(mutation_names[static_cast<std::size_t>(each.mistake)], each.words);
  CHECK(seed_that_finds(each, seeds_max) != 0);
}

TEST_CASE("who blames others for what it missed is found where machines sleep, and only there",
          "[membership][mutants]") {
  constexpr std::uint64_t seeds_max = 300;
  CHECK(seed_that_finds({mutation::trusts_after_pause, "with no cause", awake}, seeds_max) == 0);
}

#include "shrink.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "run_words.hpp"

namespace simulator {

namespace sim = artillery::sim;

namespace {

constexpr std::uint64_t nodes_max = 64;
constexpr std::uint64_t operations_max = 4096;
constexpr std::uint64_t milliseconds_max = 600'000;

}  // namespace

shrinker::shrinker(sim::run_options start, run_size size, attempt try_it, std::function<bool()> is_over)
    : smallest_{std::move(start)}, size_{size}, try_it_{std::move(try_it)}, is_over_{std::move(is_over)} {}

void shrinker::shrink() {
  std::string before;
  do {
    before = words_of(smallest_);
    drop_families();
    find_least(1, nodes_max, [](sim::run_options& o, std::uint64_t n) { o.nodes = static_cast<std::size_t>(n); });
    find_least(0, operations_max,
               [](sim::run_options& o, std::uint64_t n) { o.operations = static_cast<std::uint32_t>(n); });
    find_least(0, milliseconds_max,
               [](sim::run_options& o, std::uint64_t n) { o.time = std::chrono::milliseconds{n}; });
    drop_choices();
  } while (words_of(smallest_) != before && !is_over_());
  forget_choices_that_are_gone();
}

bool shrinker::takes(const sim::run_options& candidate, must what) {
  if (is_over_()) return false;
  ++attempts_;
  const std::optional<run_size> size = try_it_(candidate);
  if (!size || (what == must::fail_and_be_smaller && size->events >= size_.events)) return false;
  smallest_ = candidate;
  size_ = *size;
  return true;
}

void shrinker::drop_families() {
  for (std::size_t i = 0; i <= sim::fault_families; ++i) {
    sim::run_options candidate = smallest_;
    candidate.families = i == 0 ? 0 : candidate.families & ~(1U << (i - 1));  // first all of them
    if (candidate.families != smallest_.families) takes(candidate, must::fail);
  }
}

/// The least value with which it fails, by doubling from `low` on and then by halving what lies between. What a seed
/// drew is not known here, and need not be: a value that makes the run no smaller is not taken.
template <class Set>
void shrinker::find_least(std::uint64_t low, std::uint64_t high, Set set) {
  const auto holds = [&](std::uint64_t value) {
    sim::run_options candidate = smallest_;
    set(candidate, value);
    return takes(candidate, must::fail_and_be_smaller);
  };
  std::uint64_t sound_below = low;
  std::uint64_t value = low;
  while (!holds(value)) {
    sound_below = value + 1;
    value = value == 0 ? 1 : value * 2;
    if (value > high || is_over_()) return;
  }
  while (sound_below < value) {
    const std::uint64_t middle = sound_below + (value - sound_below) / 2;
    if (holds(middle)) {
      value = middle;
    } else {
      sound_below = middle + 1;
    }
  }
}

void shrinker::drop_choices() {
  std::vector<std::uint64_t> kept;
  for (std::uint64_t choice = 0; choice < size_.choices; ++choice) {
    if (!std::binary_search(smallest_.without.begin(), smallest_.without.end(), choice)) kept.push_back(choice);
  }
  for (std::size_t chunk = kept.size(); chunk > 0; chunk /= 2) {
    for (std::size_t at = 0; at < kept.size() && !is_over_();) {
      const auto begin = kept.begin() + static_cast<std::ptrdiff_t>(at);
      const auto end = kept.begin() + static_cast<std::ptrdiff_t>(std::min(at + chunk, kept.size()));
      sim::run_options candidate = smallest_;
      candidate.without.clear();
      std::set_union(smallest_.without.begin(), smallest_.without.end(), begin, end,
                     std::back_inserter(candidate.without));
      if (takes(candidate, must::fail)) {
        kept.erase(begin, end);
      } else {
        at += chunk;
      }
    }
  }
}

/// With fewer operations there are fewer choices; numbers behind the last one say nothing.
void shrinker::forget_choices_that_are_gone() {
  sim::run_options candidate = smallest_;
  std::erase_if(candidate.without, [this](std::uint64_t choice) { return choice >= size_.choices; });
  if (candidate.without.size() != smallest_.without.size()) takes(candidate, must::fail);
}

}  // namespace simulator

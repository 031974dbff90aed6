#include "sim/view_plots.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace artillery::sim {

namespace {

using namespace std::chrono_literals;

constexpr duration look_every = 200us;
constexpr std::uint64_t looks_max = 2'500;

}  // namespace

void view_plots::when(condition ready, std::function<void()> strike, std::uint64_t looks_left) {
  if (is_over_ || looks_left == 0) return;
  if (ready()) return strike();
  world_.schedule(world_.now() + look_every, [this, ready = std::move(ready), strike = std::move(strike), looks_left] {
    when(ready, strike, looks_left - 1);
  });
}

std::size_t view_plots::node_at(std::size_t place) const {
  return static_cast<std::size_t>(authority_.newest().replicas[place].id.node.low - 1);
}

std::size_t view_plots::tail() const {
  return node_at(authority_.newest().replicas.size() - 1);
}

/// Null also while the tail does not know that it is.
const replication::core* view_plots::tail_core() const {
  const replication::core* const here = with_.core_at(tail());
  const bool knows = here != nullptr && here->in_force().epoch == authority_.newest().epoch;
  return knows ? here : nullptr;
}

void view_plots::fail_while_joining(std::uint64_t draw, duration length) {
  const auto is_fed = [this] {
    const replication::core* const here = tail_core();
    if (here == nullptr || authority_.newest().replicas.size() < 2) return false;
    const auto learners = here->status().learners;
    return std::any_of(learners.begin(), learners.end(), [](const auto& each) { return each.has_checkpoint; });
  };
  when(
      is_fed,
      [this, draw, length] {
        const std::size_t others = authority_.newest().replicas.size() - 1;
        const std::size_t failed = node_at(draw % others);
        with_.isolate(failed, length);
        with_.say_failed(tail(), failed);
      },
      looks_max);
}

void view_plots::silence_authority(std::uint64_t draw, duration length) {
  for (std::size_t i = 0; i < with_.nodes; ++i) authority_.cut_off(i);
  world_.schedule(world_.now() + length, [this, draw, length] {
    if (is_over_) return;
    authority_.mend();
    const std::size_t count = authority_.newest().replicas.size();
    if (count < 2) return;
    const std::size_t place = draw % count;
    with_.isolate(node_at(place), length);
    with_.say_failed(node_at((place + 1) % count), node_at(place));
  });
}

void view_plots::strand_frozen_tail(std::uint64_t draw, duration length) {
  const auto is_frozen = [this] {
    const replication::core* const here = tail_core();
    return here != nullptr && here->opening().is_frozen() && authority_.newest().replicas.size() > 1;
  };
  when(
      is_frozen,
      [this, draw, length] {
        const std::size_t stranded = tail();
        authority_.cut_off(stranded);
        const auto has_opened = [this, stranded] {
          const replication::core* const here = tail_core();
          return here != nullptr && tail() != stranded && here->opening().is_open();
        };
        // Its readers get some time.
        const duration pause{static_cast<duration::rep>(draw / 64 % 20'000'000)};
        when(
            has_opened,
            [this, stranded, pause, length] {
              world_.schedule(world_.now() + pause, [this, stranded, length] { drop_new_tail(stranded, length); });
            },
            looks_max);
        world_.schedule(world_.now() + length + 500ms, [this] { authority_.mend(); });
      },
      looks_max);
}

void view_plots::drop_new_tail(std::size_t stranded, duration length) {
  if (is_over_ || tail() == stranded || authority_.newest().replicas.size() < 3) return;
  const std::size_t dropped = tail();
  with_.isolate(dropped, length);
  with_.say_failed(node_at(0), dropped);
  when([this, dropped] { return tail() != dropped; }, [this] { authority_.mend(); }, looks_max);
}

}  // namespace artillery::sim

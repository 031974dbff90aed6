#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "artillery/sim.hpp"
#include "replication/core.hpp"
#include "sim/simulated_authority.hpp"

namespace artillery::sim {

/// Faults for which no moment that is drawn would be the right one: each waits for its own, for a while, and then
/// strikes.
class view_plots {
public:
  /// What they look at, and what they do. Replicas are numbered as their nodes are.
  struct means {
    std::size_t nodes = 0;
    std::function<const replication::core*(std::size_t)> core_at;  ///< null: down
    std::function<void(std::size_t at, std::size_t about)> say_failed;
    std::function<void(std::size_t, duration)> isolate;
  };

  view_plots(world& in, simulated_authority& authority, means with)
      : world_{in}, authority_{authority}, with_{std::move(with)} {}

  /// A replica is cut off, and the tail told so, while a learner is fed: it is promoted behind an unfinished gate.
  void fail_while_joining(std::uint64_t draw, duration length);
  /// Nobody reaches the authority for a while; when they do again, one of them is cut off from the others and said to
  /// have failed: the voters were quiet before that.
  void silence_authority(std::uint64_t draw, duration length);
  /// A tail that froze does not hear what came of its proposal. The new tail is dropped before the old one hears of it.
  void strand_frozen_tail(std::uint64_t draw, duration length);

  /// Nothing strikes any more.
  void end() noexcept { is_over_ = true; }

private:
  using condition = std::function<bool()>;

  /// Looks again and again whether it is time.
  void when(condition ready, std::function<void()> strike, std::uint64_t looks_left);
  [[nodiscard]] std::size_t node_at(std::size_t place) const;
  [[nodiscard]] std::size_t tail() const;
  [[nodiscard]] const replication::core* tail_core() const;
  void drop_new_tail(std::size_t stranded, duration length);

  world& world_;
  simulated_authority& authority_;
  means with_;
  bool is_over_ = false;
};

}  // namespace artillery::sim

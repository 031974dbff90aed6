#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <system_error>

#include "artillery/sim.hpp"
#include "replication/core.hpp"
#include "sim/simulated_authority.hpp"
#include "sim/voted_authority.hpp"

namespace artillery::sim {

/// How another chain is forced in the place of one whose voters are gone.
struct forcing_manners {
  bool is_mistaken = false;  ///< the voters are there
  bool is_left_out = false;  ///< the replica at which it is forced was dropped, and does not know
  duration alone{};          ///< how long it was cut off then
  duration aftermath{};      ///< how long the nodes of the lost chain go on afterwards
  std::uint64_t draw = 0;
};

/// An operator who takes the majority of the voters for gone, for good, and forces another chain at one replica.
class view_forcing {
public:
  /// What it looks at, and what it does. Replicas are numbered as their nodes are.
  struct means {
    std::size_t nodes = 0;
    std::function<const replication::core*(std::size_t)> core_at;  ///< null: down
    std::function<time_point(std::size_t)> local_time;
    std::function<void(std::size_t, duration)> isolate;
    std::function<void(std::size_t at, std::size_t about)> say_failed;
  };

  view_forcing(world& in, voted_authority& authority, means with)
      : world_{in}, authority_{authority}, with_{std::move(with)} {}

  void begin(const forcing_manners& how);
  /// Whatever it came to: it waits for nothing any more.
  void end();
  /// It was refused, or the other chain is in force.
  [[nodiscard]] bool is_over() const noexcept { return is_over_; }

  [[nodiscard]] bool has_forced() const noexcept { return figures_.forced > 0; }
  struct figures {
    std::uint64_t tried = 0;
    std::uint64_t refused_by_majority = 0;
    std::uint64_t refused_as_stale = 0;
    std::uint64_t forced = 0;
  };
  [[nodiscard]] const figures& counted() const noexcept { return figures_; }

private:
  using step = void (view_forcing::*)();

  /// The replica that it is about, while it lives.
  [[nodiscard]] const replication::core* survivor() const;
  [[nodiscard]] std::optional<std::size_t> choose(std::uint64_t draw) const;
  void after(duration pause, step next);
  void leave_out();
  void lose_voters();
  void wait_for_lease();
  void ask();
  void decide(std::error_code read);
  void wait_for_adoption();
  void give_up();

  world& world_;
  voted_authority& authority_;
  means with_;
  forcing_manners how_;
  std::size_t at_ = 0;
  replication::replica_id who_;
  time_point lease_until_;  // on the survivor's clock, when it began
  std::uint64_t forced_epoch_ = 0;
  bool is_over_ = true;
  figures figures_;
};

}  // namespace artillery::sim

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "artillery/sim.hpp"
#include "membership/core.hpp"

namespace artillery::sim {

/// What one process of a simulated cluster tells its observer.
class membership_observer {
public:
  virtual ~membership_observer() = default;
  virtual void delivered(std::size_t process, const membership::event& event, time_point now) = 0;
  virtual void sent_datagram(std::size_t process, std::size_t size, time_point now) = 0;
  virtual void heard_datagram(std::size_t /*process*/, bytes_view /*datagram*/, time_point /*now*/) {}
  /// A call has ended.
  virtual void ended(std::size_t /*process*/, const membership::finished_call& /*what*/, time_point /*now*/) {}
  /// Something came of a query.
  virtual void came(std::size_t /*process*/, const membership::query_news& /*what*/, time_point /*now*/) {}
  /// The node has left, which it tells once.
  virtual void gone(std::size_t /*process*/, time_point /*now*/) {}
  /// Now and then, for what must hold at any time.
  virtual void look_at(std::size_t /*process*/, const membership::core& /*core*/, time_point /*now*/) {}

protected:
  membership_observer() = default;
  membership_observer(const membership_observer&) = default;
  membership_observer& operator=(const membership_observer&) = default;
};

/// The real core as a program of the simulator. `process` is a number that no other process of the run has. Every
/// `inputs_per_check` inputs the whole state is checked, which takes time as the members are many.
class membership_host final : public program {
public:
  using call = std::function<void(membership::core&, time_point, membership::core::effects_type&)>;

  membership_host(std::size_t process, membership::core core, const endpoint& at, std::vector<endpoint> seeds,
                  membership_observer& observer, std::uint32_t inputs_per_check = 64)
      : process_{process},
        core_{std::move(core)},
        at_{at},
        seeds_{std::move(seeds)},
        observer_{observer},
        inputs_per_check_{inputs_per_check} {}

  void start(time_point now, network_effects& out) override;
  void receive(const connection& from, const bytes& message, time_point now, network_effects& out) override;
  void link(const connection& which, link_state state, time_point now, network_effects& out) override;
  void expire(time_point now, network_effects& out) override;
  [[nodiscard]] std::optional<time_point> next_deadline() const override { return core_.next_deadline(); }

  /// A call of the user's.
  void run(const call& what, time_point now, network_effects& out);
  [[nodiscard]] const membership::core& core() const noexcept { return core_; }
  [[nodiscard]] std::size_t process() const noexcept { return process_; }

private:
  void after_input(time_point now);
  void tell_observer(time_point now);

  std::size_t process_;
  membership::core core_;
  endpoint at_;
  std::vector<endpoint> seeds_;
  membership_observer& observer_;
  std::uint32_t inputs_per_check_;
  std::uint32_t inputs_ = 0;
  bool told_gone_ = false;
};

}  // namespace artillery::sim

#pragma once

#include <functional>

#include "artillery/sim.hpp"
#include "replication/client_core.hpp"

namespace artillery::sim {

/// A client of a chain as a program of the simulator.
class client_program final : public program {
public:
  using read_answered = std::function<void(replication::request_id, std::error_code, const replication::read_result&)>;
  using write_answered =
      std::function<void(replication::request_id, std::error_code, const replication::write_result&)>;

  /// Its process ends, however it does: what is left of it, for the last time.
  using ended = std::function<void(const client_program&)>;

  client_program(const replication::client_config& config, std::uint64_t seed, read_answered on_read,
                 write_answered on_write, ended on_end = {});
  ~client_program() override;

  void start(time_point now, network_effects& out) override;
  void receive(const connection& from, const bytes& message, time_point now, network_effects& out) override;
  void link(const connection& which, link_state state, time_point now, network_effects& out) override;
  void expire(time_point now, network_effects& out) override;
  [[nodiscard]] std::optional<time_point> next_deadline() const override;

  void read(replication::request_id request, const bytes& key, const replication::consistency& level,
            const replication::routing& where, const replication::session_token& after,
            std::optional<time_point> deadline, time_point now, network_effects& out);
  void write(replication::request_id request, const replication::write& what, std::optional<time_point> deadline,
             time_point now, network_effects& out);

  [[nodiscard]] const replication::client_core& core() const noexcept { return core_; }

private:
  class sink;

  replication::client_core core_;
  read_answered on_read_;
  write_answered on_write_;
  ended on_end_;
};

}  // namespace artillery::sim

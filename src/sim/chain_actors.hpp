#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "artillery/sim.hpp"
#include "base/random.hpp"
#include "replication/client_core.hpp"
#include "replication/core.hpp"
#include "replication/read_service.hpp"
#include "sim/chain_store.hpp"

namespace artillery::sim {

/// How a simulated replica is driven.
struct replica_driving {
  duration flush_delay{};          ///< what comes within it is sent together; 0: every input by itself
  std::uint32_t direct_reads = 0;  ///< per thousand reads that go through the three steps outside the core …
  duration step_pause_max{};       ///< … with pauses of up to this between them
};

/// One replica of a chain as a program of the simulator: the core, its store, and the driver's part.
class replica_program final : public program {
public:
  replica_program(const replication::replica_config& config, const replication::view& chain, std::uint64_t seed,
                  const replica_driving& driving);

  void start(time_point now, network_effects& out) override;
  void receive(const connection& from, const bytes& message, time_point now, network_effects& out) override;
  void link(const connection& which, link_state state, time_point now, network_effects& out) override;
  void expire(time_point now, network_effects& out) override;
  [[nodiscard]] std::optional<time_point> next_deadline() const override;

  /// A call of its user's.
  void hint(const node_id& about, replication::peer_hint what, time_point now, network_effects& out);

  [[nodiscard]] const replication::core& core() const noexcept { return core_; }
  [[nodiscard]] const chain_store& objects() const noexcept { return *objects_; }
  /// Outlives the program, for the checkers.
  [[nodiscard]] std::shared_ptr<const chain_store> share_objects() const noexcept { return objects_; }
  [[nodiscard]] const std::vector<replication::event>& events() const noexcept { return events_; }
  /// Strong reads of clean objects that asked the tail all the same.
  [[nodiscard]] std::uint64_t needless_questions() const noexcept { return needless_questions_; }
  /// Reads of which a later step came to another end than an unbroken run would have.
  [[nodiscard]] std::uint64_t broken_direct_reads() const noexcept { return broken_direct_reads_; }

private:
  class sink;
  /// A read between two of its steps.
  struct stepping_read {
    time_point next;
    connection from;
    bytes frame;
    replication::direct_read read;
    bool fetched = false;
    replication::stored found;
  };

  void into_core(const connection& from, const bytes& message, time_point now, network_effects& out);
  void step_reads(time_point now, network_effects& out);
  void after_input(time_point now, network_effects& out);
  [[nodiscard]] duration pause();

  replication::core core_;
  replication::view chain_;
  detail::random random_;
  replica_driving driving_;
  std::shared_ptr<chain_store> objects_ = std::make_shared<chain_store>();
  std::unique_ptr<replication::published> published_ = std::make_unique<replication::published>();
  std::vector<stepping_read> stepping_;
  std::optional<time_point> flush_at_;
  std::vector<replication::event> events_;
  std::uint64_t needless_questions_ = 0;
  std::uint64_t broken_direct_reads_ = 0;
};

/// A client of a chain as a program of the simulator.
class client_program final : public program {
public:
  using read_answered = std::function<void(replication::request_id, std::error_code, const replication::read_result&)>;
  using write_answered =
      std::function<void(replication::request_id, std::error_code, const replication::write_result&)>;

  client_program(const replication::client_config& config, std::uint64_t seed, read_answered on_read,
                 write_answered on_write);

  void start(time_point now, network_effects& out) override;
  void receive(const connection& from, const bytes& message, time_point now, network_effects& out) override;
  void link(const connection& which, link_state state, time_point now, network_effects& out) override;
  void expire(time_point now, network_effects& out) override;
  [[nodiscard]] std::optional<time_point> next_deadline() const override;

  void read(replication::request_id request, const bytes& key, const replication::consistency& level,
            const replication::routing& where, std::optional<time_point> deadline, time_point now,
            network_effects& out);
  void write(replication::request_id request, const replication::write& what, std::optional<time_point> deadline,
             time_point now, network_effects& out);

  [[nodiscard]] const replication::client_core& core() const noexcept { return core_; }

private:
  class sink;

  replication::client_core core_;
  read_answered on_read_;
  write_answered on_write_;
};

}  // namespace artillery::sim

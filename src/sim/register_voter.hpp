#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "artillery/sim.hpp"
#include "replication/acceptor.hpp"
#include "sim/register_checks.hpp"

namespace artillery::sim {

/// What the run knows of a voter's disk beside the disk itself.
struct voter_disk {
  /// Writes that completed. The file is replaced as a whole, so it is the last of these, or a later one that was under
  /// way; the world's disk, a log, would not tell a torn write from a completed one that rotted.
  std::size_t completed = 0;
  replication::voter_state durable;  ///< what the last of them says
  bool is_damaged = false;           ///< the voter refused to start with it
};

/// A voter as a program of the world, on a disk that may fail.
class voter_program final : public program {
public:
  struct identity {
    std::size_t index = 0;
    std::uint32_t cluster = 0;
    std::uint64_t chain = 0;
    replication::replica_id fresh;  ///< who it is on an empty disk
  };
  /// `true_now`: the world's time.
  voter_program(const identity& self, voter_disk& disk, register_checks& checks, const world& around)
      : self_{self}, disk_{disk}, checks_{checks}, world_{around} {}

  std::size_t recover(const std::vector<bytes>& records) override;
  void start(time_point now, network_effects& out) override;
  void receive(const connection& from, const bytes& message, time_point now, network_effects& out) override;
  void completed(artillery::operation op, std::error_code error, time_point now, network_effects& out) override;

  /// Nothing before it knows its disk, or when it does not like it.
  [[nodiscard]] const replication::acceptor* acceptor() const noexcept { return acceptor_ ? &*acceptor_ : nullptr; }

private:
  class sink;
  void answered(const connection& to, bytes_view datagram);

  identity self_;
  voter_disk& disk_;
  register_checks& checks_;
  const world& world_;
  std::optional<replication::voter_state> found_;
  std::optional<replication::acceptor> acceptor_;
  std::map<artillery::operation, replication::voter_state> writes_;  // under way
  std::map<std::pair<endpoint, std::uint64_t>, replication::register_request> asked_;
};

}  // namespace artillery::sim

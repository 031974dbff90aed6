#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agents.hpp"
#include "artillery/clock.hpp"
#include "pulse.hpp"

namespace failover {

enum class place : std::uint8_t { head, middle, tail };
enum class ending : std::uint8_t {
  killed,  ///< SIGKILL
  left     ///< SIGTERM: the agent takes leave
};

[[nodiscard]] std::string_view to_string(place where) noexcept;

/// What the end of one replica, and its return, came to.
struct sample {
  ending how{};
  place where{};
  artillery::duration detection{};  ///< from its end until a first other member reported it
  artillery::duration view{};       ///< from there until all others had a view without it
  artillery::duration opening{};    ///< from there until the first write that began in the new view was acknowledged
  artillery::duration gap{};        ///< longest time without an acknowledged write
  artillery::duration
      read_gap{};               ///< longest time without a strong read of an object that nobody writes, at the others
  artillery::duration whole{};  ///< from its new start until the chain had all its replicas
  artillery::duration join_gap{};  ///< longest time without an acknowledged write meanwhile
};

/// A chain of three agents as processes under a steady load, whose replicas end and come back one after the other.
class trials {
public:
  static constexpr std::size_t replicas = 3;

  /// Starts them and waits for their chain. `interrupt` becomes readable when it is to be given up.
  trials(const std::string& program, const std::string& directory, int interrupt);

  /// Ends the replica at that place, waits for the others to go on, and brings it back. Fails (tool::failure) when that
  /// does not come about in time.
  [[nodiscard]] sample run(ending how, place where);
  /// The last remarks of each agent, for the account of a failure.
  [[nodiscard]] std::string remarks() const { return crowd_.remarks(); }
  [[nodiscard]] std::uint64_t failed_writes() const { return load_->failed_writes(); }

private:
  [[nodiscard]] demo::agent& agent_at(place where);
  void end(demo::agent& victim, ending how);
  void bring_back(demo::agent& victim, sample& into);

  demo::agents crowd_;
  std::unique_ptr<pulse> load_;
};

}  // namespace failover

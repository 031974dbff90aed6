#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "scenarios/stage.hpp"

namespace artillery::scenarios {

/// One of the three protocols, on a stage: its actors, its commands, and its messages in words.
class room : public narrator {
public:
  virtual ~room() = default;
  /// False: it is not a command of this room.
  virtual bool obey(const command& what) = 0;
  [[nodiscard]] virtual stage& on() = 0;
  /// Time that passes after a command that does not end with `&`.
  [[nodiscard]] virtual duration settling() const = 0;
};

[[nodiscard]] std::unique_ptr<room> make_replication_room();
[[nodiscard]] std::unique_ptr<room> make_membership_room();
[[nodiscard]] std::unique_ptr<room> make_discovery_room();
[[nodiscard]] std::unique_ptr<room> make_register_room();

/// By the name of its folder; null for any other.
[[nodiscard]] std::unique_ptr<room> make_room(std::string_view name);

/// Plays all commands and gives the trace. Throws `script_error`.
[[nodiscard]] std::string perform(const script& what, room& in);

}  // namespace artillery::scenarios

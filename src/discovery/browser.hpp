#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "artillery/clock.hpp"
#include "artillery/discovery/types.hpp"
#include "base/random.hpp"
#include "base/state_hash.hpp"

namespace artillery::discovery {

/// What this node looks for, and when it asks: browsing for types, without end and ever more rarely, and seeking one
/// service before a deadline.
class browser {
public:
  static constexpr std::size_t browses_max = 16;
  static constexpr std::size_t seeks_max = 64;

  explicit browser(detail::random random) : random_{random} {}

  /// False: `browses_max` types are browsed for already. Browsing again starts the questions over.
  bool browse(std::string_view type, time_point now);
  bool stop_browse(std::string_view type);
  [[nodiscard]] bool browses(std::string_view type) const noexcept;

  /// False: `seeks_max` are under way.
  bool seek(std::uint64_t request, std::string_view type, time_point deadline, time_point now);
  bool stop_seek(std::uint64_t request);

  /// A link came up: the questions start over.
  void restart(time_point now);

  struct asking {
    std::string type;
    bool first_wins = false;
  };
  /// The next question to put at `now`; to be asked until there is none.
  [[nodiscard]] std::optional<asking> due(time_point now);
  /// A seek whose deadline has passed, taken out; to be asked until there is none.
  [[nodiscard]] std::optional<std::uint64_t> timed_out(time_point now);
  /// A seek that `found` answers, taken out; to be asked until there is none.
  [[nodiscard]] std::optional<std::uint64_t> answered_by(const service& found);
  [[nodiscard]] std::optional<time_point> next_deadline() const noexcept;

  void add_to(detail::state_hash& hash, time_point now) const;

private:
  struct schedule {
    std::string type;
    std::uint8_t asked = 0;
    time_point next;
  };
  struct sought : schedule {
    std::uint64_t request = 0;
    time_point deadline;
  };

  [[nodiscard]] time_point first_question(time_point now);

  detail::random random_;
  std::vector<schedule> browses_;
  std::vector<sought> seeks_;
};

}  // namespace artillery::discovery

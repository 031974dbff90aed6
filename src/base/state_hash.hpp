#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <type_traits>

#include "artillery/bytes.hpp"
#include "artillery/clock.hpp"
#include "artillery/endpoint.hpp"
#include "artillery/node_id.hpp"
#include "base/random.hpp"

namespace artillery::detail {

/// Folds a state into 64 bits, the same on every machine and compiler. For traces and the explorer, not against an
/// adversary.
class state_hash {
public:
  /// For a world whose clocks move by `step`, or by next to nothing: a moment counts in whole steps from now, what has
  /// passed as now, and everything that lies `steps_max` ahead as one. Names that are only counted up are left out:
  /// whoever hashes so knows by other means what they stand for.
  [[nodiscard]] static constexpr state_hash coarse(duration step, std::int64_t steps_max) noexcept {
    state_hash into;
    into.step_ = step;
    into.steps_max_ = steps_max;
    return into;
  }
  [[nodiscard]] constexpr bool is_coarse() const noexcept { return step_ != duration{}; }

  template <class Integer>
    requires(std::is_integral_v<Integer> || std::is_enum_v<Integer>)
  constexpr state_hash& add(Integer value) noexcept {
    value_ = mix64(value_ ^ static_cast<std::uint64_t>(value)) + 0x632be59bd9b4e019ULL;
    return *this;
  }
  state_hash& add(bytes_view view) noexcept {
    add(view.size());
    std::size_t i = 0;
    for (; i + 8 <= view.size(); i += 8) {
      std::uint64_t word = 0;
      for (std::size_t k = 0; k < 8; ++k) word |= static_cast<std::uint64_t>(view[i + k]) << (8 * k);
      add(word);
    }
    std::uint64_t rest = 0;
    for (; i < view.size(); ++i) rest = (rest << 8U) | static_cast<std::uint64_t>(view[i]);
    return add(rest);
  }
  state_hash& add(std::string_view text) noexcept { return add(as_bytes(text)); }
  state_hash& add(const node_id& id) noexcept { return add(id.high).add(id.low); }
  state_hash& add(const endpoint& e) noexcept {
    for (auto b : e.address()) add(b);
    return add(e.port()).add(e.scope()).add(e.is_v6());
  }
  template <class Rep, class Period>
  constexpr state_hash& add(std::chrono::duration<Rep, Period> d) noexcept {
    return add(d.count());
  }
  /// A moment as it lies from `now`. One at either end of what the clock can say stays there.
  constexpr state_hash& add(time_point when, time_point now) noexcept {
    const bool endless = when == time_point::max() || when == time_point::min();
    if (is_coarse()) return add(when == time_point::max() ? steps_max_ : steps_between(now, when));
    return add(endless).add(endless ? when.time_since_epoch() : when - now);
  }
  constexpr state_hash& add(const std::optional<time_point>& when, time_point now) noexcept {
    add(when.has_value());
    return when ? add(*when, now) : *this;
  }
  /// A name that is only counted up.
  constexpr state_hash& add_name(std::uint64_t counted) noexcept { return is_coarse() ? *this : add(counted); }
  [[nodiscard]] constexpr std::uint64_t value() const noexcept { return value_; }

private:
  [[nodiscard]] constexpr std::int64_t steps_between(time_point now, time_point when) const noexcept {
    return when <= now ? 0 : std::min<std::int64_t>((when - now + step_ / 2) / step_, steps_max_);
  }

  duration step_{};
  std::int64_t steps_max_ = 0;
  std::uint64_t value_ = 0x2545f4914f6cdd1dULL;
};

}  // namespace artillery::detail

#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "artillery/clock.hpp"
#include "base/log_table.hpp"
#include "base/state_hash.hpp"
#include "membership/message.hpp"

namespace artillery::membership {

/// Independent confirmations that shrink a suspicion's timeout to its least.
inline constexpr std::size_t confirmations_max = 2;

/// The least time that a suspect has to refute:  mult · max(1, log10(members)) · interval  (SWIM, section 4.2).
[[nodiscard]] constexpr duration suspicion_timeout_min(std::uint32_t mult, std::size_t members,
                                                       duration interval) noexcept {
  const std::uint32_t log = std::max<std::uint32_t>(1'000, detail::log10_milli(members));
  return interval * mult / 1'000 * log;
}

/// Lifeguard's dogpile: from `most` down to `least` with the logarithm of the confirmations had, of `needed`.
[[nodiscard]] constexpr duration suspicion_timeout(duration least, duration most, std::size_t had,
                                                   std::size_t needed) noexcept {
  if (needed == 0 || had >= needed) return least;
  const std::uint32_t share = detail::log10_milli(had + 1) * 1'000 / detail::log10_milli(needed + 1);
  return std::max(least, most - (most - least) / 1'000 * share);
}

/// One suspicion: who confirmed it, and how long it still may stand.
struct suspicion {
  node_id about;
  time_point started;
  duration least{};
  duration most{};
  std::uint8_t needed = 0;
  std::uint8_t had = 0;
  std::array<short_name, confirmations_max + 1> accusers{};

  [[nodiscard]] time_point deadline() const noexcept { return started + suspicion_timeout(least, most, had, needed); }
};

/// The suspicions that this node holds. Few at a time, so a plain list.
class suspicions {
public:
  void start(const suspicion& one) { all_.push_back(one); }
  void end(const node_id& about);
  /// Counts one more accuser; whether it is new, and therefore worth telling on.
  bool confirm(const node_id& about, short_name accuser);
  /// The next suspicion whose time is over.
  [[nodiscard]] const suspicion* expired(time_point now) const noexcept;
  [[nodiscard]] std::optional<time_point> next_deadline() const noexcept;
  [[nodiscard]] const suspicion* find(const node_id& about) const noexcept;
  void postpone(duration by) noexcept;
  void hash(detail::state_hash& into, time_point now) const;

private:
  std::vector<suspicion> all_;
};

/// Lifeguard's local health multiplier: 0 is well; the higher, the more this node doubts itself rather than others.
class awareness {
public:
  explicit constexpr awareness(std::uint32_t max) noexcept : max_{max} {}
  constexpr void worse(std::uint32_t by = 1) noexcept { score_ = std::min(score_ + by, max_); }
  constexpr void better() noexcept { score_ -= score_ > 0 ? 1U : 0U; }
  [[nodiscard]] constexpr std::uint32_t score() const noexcept { return score_; }
  [[nodiscard]] constexpr duration scale(duration base) const noexcept { return base * (score_ + 1); }

private:
  std::uint32_t max_;
  std::uint32_t score_ = 0;
};

}  // namespace artillery::membership

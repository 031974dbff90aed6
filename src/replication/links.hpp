#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "artillery/clock.hpp"
#include "artillery/effects.hpp"
#include "artillery/endpoint.hpp"
#include "base/backoff.hpp"
#include "base/indexed.hpp"
#include "base/random.hpp"
#include "base/state_hash.hpp"
#include "replication/message.hpp"

namespace artillery::replication {

/// A stream that this node opens and keeps open: it is opened anew, after a pause, whenever it breaks, and given up
/// when nothing is heard on it for too long (a dead machine sends no reset).
class outgoing_link {
public:
  outgoing_link() = default;
  outgoing_link(const endpoint& to, const detail::backoff_limits& pause, duration silence_max)
      : to_{to}, pause_{pause}, silence_max_{silence_max} {}

  enum class phase : std::uint8_t {
    idle,        // waits until `retry_at` to be opened
    connecting,  // until `up`
    greeting,    // hello is sent, welcome awaited
    open         // welcome came: frames may be sent
  };

  [[nodiscard]] phase state() const noexcept { return phase_; }
  [[nodiscard]] bool open() const noexcept { return phase_ == phase::open; }
  [[nodiscard]] bool congested() const noexcept { return congested_; }
  [[nodiscard]] bool can_send() const noexcept { return open() && !congested_; }
  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
  [[nodiscard]] const endpoint& to() const noexcept { return to_; }
  [[nodiscard]] artillery::connection connection() const noexcept {
    return artillery::connection::stream(number_, to_);
  }
  /// Since when it has not been open; nothing while it is.
  [[nodiscard]] std::optional<time_point> down_since() const noexcept { return down_since_; }

  /// Opens it now, under a number that is used for nothing else.
  void connect(std::uint64_t number, time_point now, network_effects& out);
  void connected(time_point now) noexcept;
  void welcomed() noexcept;
  void set_congested(bool congested) noexcept { congested_ = congested; }
  void heard(time_point now) noexcept {
    heard_ = now;
    probed_at_.reset();
  }
  /// It broke by itself.
  void lost(time_point now, detail::random& random);
  /// It is given up from this side.
  void close(time_point now, detail::random& random, network_effects& out);

  enum class action : std::uint8_t { none, connect, probe, close };
  /// What is to be done by now. `watched`: something is awaited from the other end, so silence means something.
  [[nodiscard]] action due(time_point now, bool watched) const noexcept;
  void probed(time_point now) noexcept { probed_at_ = now; }
  /// A probe is due at once, unless one is under way.
  void doubt(time_point now) noexcept { heard_ = std::min(heard_, now - silence_max_ / 2); }
  [[nodiscard]] bool heard_since(time_point since) const noexcept { return heard_ > since; }
  /// A probe has been waiting for an answer for so long.
  [[nodiscard]] bool unanswered_for(duration time, time_point now) const noexcept {
    return probed_at_ && *probed_at_ + time <= now;
  }
  /// No pause is needed any more.
  void hurry(time_point now) noexcept { retry_at_ = std::min(retry_at_, now); }
  [[nodiscard]] std::optional<time_point> next_deadline(bool watched) const noexcept;

  void hash(detail::state_hash& into, time_point now) const;

private:
  endpoint to_;
  std::uint64_t number_ = 0;
  phase phase_ = phase::idle;
  bool congested_ = false;
  time_point retry_at_ = time_point::min();  // at once
  time_point heard_{};
  std::optional<time_point> probed_at_;  // since it was last heard
  std::optional<time_point> down_since_ = time_point::min();
  detail::backoff pause_;
  duration silence_max_{};
};

/// A stream that a peer opened and said hello on.
struct accepted_link {
  std::uint64_t key = 0;  // its number
  link_role role = link_role::client;
  replica_id from;
  bool heard = true;   // of a client: since the last round of looking for silent ones
  bool asked = false;  // of a client: whether it is there, in the last round
};

/// A stream that a peer opened and said nothing on yet.
struct ungreeted_link {
  std::uint64_t number = 0;
  time_point since;
};

/// How long a link may be silent: what is configured, or what the largest value takes at 16 MiB/s, there and back, if
/// that is longer. A frame counts as heard only when it is whole.
[[nodiscard]] constexpr duration silence_allowed(duration configured, std::size_t value_size_max) noexcept {
  constexpr std::size_t bytes_per_millisecond = (std::size_t{16} << 20U) / 1000;
  const duration value_takes = std::chrono::milliseconds{value_size_max / bytes_per_millisecond};
  return std::max(configured, 2 * value_takes);
}

using accepted_links = detail::indexed<accepted_link, detail::number_hash>;

}  // namespace artillery::replication

#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string_view>
#include <utility>

#include "artillery/clock.hpp"
#include "artillery/replication/store.hpp"
#include "artillery/replication/types.hpp"
#include "replication/mutant.hpp"

// The strong local read of CRAQ with a lease, as three pure steps: note → fetch → check(now). They are written here
// once and run by `try_read` in a row on any thread, by the core for its clients' reads, and by the simulator, which
// lets pauses and whatever else fall between them.

namespace artillery::replication {

/// What a replica's core lets readers know; the core has it as a plain value and its driver publishes it.
struct serving_state {
  std::uint64_t epoch = 0;                     ///< 0: not in a view, answers nothing
  std::uint64_t commit = 0;                    ///< records up to this one are known committed here
  time_point lease_until = time_point::min();  ///< may answer strong reads before this instant
  std::uint32_t drift_ppm = 0;                 ///< of the view
  bool strong_here = false;                    ///< false at all but the tail when the view's reads are tail_only

  friend bool operator==(const serving_state&, const serving_state&) noexcept = default;
};

/// A serving state that is written on the replica's strand and read on any thread. Each field is loaded by itself with
/// acquire order; what a reader needs of their order is argued at `check`.
class published {
public:
  /// The lease goes first where it is taken away and last where it is given, so that nobody sees a new lease with an
  /// old epoch.
  void publish(const serving_state& state) noexcept {
    if (state.epoch != epoch_.load(std::memory_order_relaxed)) {
      lease_until_.store(none, std::memory_order_release);
      epoch_.store(state.epoch, std::memory_order_release);
      drift_ppm_.store(state.drift_ppm, std::memory_order_release);
      strong_here_.store(state.strong_here, std::memory_order_release);
    }
    commit_.store(state.commit, std::memory_order_release);
    lease_until_.store(state.lease_until.time_since_epoch().count(), std::memory_order_release);
  }

  [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_.load(std::memory_order_acquire); }

  /// The fields in the order that `check` asks for: the epoch last.
  [[nodiscard]] serving_state load() const noexcept {
    serving_state state;
    state.commit = commit_.load(std::memory_order_acquire);
    state.lease_until = time_point{duration{lease_until_.load(std::memory_order_acquire)}};
    state.drift_ppm = drift_ppm_.load(std::memory_order_acquire);
    state.strong_here = strong_here_.load(std::memory_order_acquire);
    state.epoch = epoch_.load(std::memory_order_acquire);
    return state;
  }

private:
  static constexpr duration::rep none = time_point::min().time_since_epoch().count();

  std::atomic<std::uint64_t> epoch_{0};
  std::atomic<std::uint64_t> commit_{0};
  std::atomic<duration::rep> lease_until_{none};
  std::atomic<std::uint32_t> drift_ppm_{0};
  std::atomic<bool> strong_here_{false};
};

/// Step 1: what the reader remembers from before it looks at the object.
struct read_note {
  std::uint64_t epoch = 0;
  std::uint64_t commit = 0;
};

[[nodiscard]] inline read_note note(const serving_state& here) noexcept {
  return {here.epoch, here.commit};
}
[[nodiscard]] inline read_note note(const published& here) noexcept {
  return note(here.load());
}

/// Step 2: the object's newest version.
[[nodiscard]] inline stored fetch(const store& objects, std::string_view key) {
  return objects.fetch(key);
}

/// What step 3 says about the object that was fetched.
enum class local_verdict : std::uint8_t {
  answer,      ///< it is the answer
  ask,         ///< dirty, or no lease: only the replica's core can find out
  not_serving  ///< this replica answers nothing
};

/// `t` as it is at least on the fastest clock that is allowed.
[[nodiscard]] inline duration shrink(duration t, std::uint32_t drift_ppm) noexcept {
  // Divided first: t may be hours, and a loss below a microsecond only makes the answer fresher.
  return t - (t / 1'000'000) * static_cast<duration::rep>(drift_ppm) - duration{t.count() == 0 ? 0 : drift_ppm};
}

/// Whether `now` is before `lease_until + slack`; either may be endless.
[[nodiscard]] inline bool lease_covers(time_point lease_until, duration slack, time_point now) noexcept {
  if (mutant(mutation::no_lease_check)) return true;
  return now < lease_until || (lease_until != time_point::min() && now - lease_until < slack);
}

/// Step 3. `state` is loaded, and then `now` sampled, after the fetch, for this very read: a sample that is older than
/// the read lets a replica that was paused in between answer after its lease has ended.
///
/// Why a committed newest version is a linearizable answer: at the fetch this replica held all that was committed
/// anywhere (its place in the chain is before, or at, the tail), so nothing newer of this object was committed then;
/// and by the check the version itself was. Loading `commit` after the fetch is therefore sound.
[[nodiscard]] inline local_verdict check(const serving_state& state, const read_note& noted, const stored& found,
                                         const consistency& level, time_point now) noexcept {
  if (noted.epoch == 0 || state.epoch != noted.epoch) return local_verdict::not_serving;
  const bool clean = found.version.seq <= state.commit || mutant(mutation::skips_dirty_check);
  switch (level.what()) {
    case consistency::kind::eventual: return local_verdict::answer;
    case consistency::kind::strong:
      if (!state.strong_here) return local_verdict::ask;
      [[fallthrough]];
    case consistency::kind::bounded_records:
      return clean && lease_covers(state.lease_until, duration{0}, now) ? local_verdict::answer : local_verdict::ask;
    case consistency::kind::bounded_time:
      return clean && lease_covers(state.lease_until, shrink(level.staleness(), state.drift_ppm), now)
                 ? local_verdict::answer
                 : local_verdict::ask;
  }
  return local_verdict::ask;
}

/// What `try_read` tells its caller; `found` is given away with it.
[[nodiscard]] inline local_read answer_of(const serving_state& state, const read_note& noted, stored& found,
                                          time_point now) {
  if (check(state, noted, found, strong, now) != local_verdict::answer) return {};
  if (!found.value) return {local_read::outcome::absent, {}, {}};
  return {local_read::outcome::found, std::move(*found.value), found.version};
}

/// A place in the log up to which the answer counts everything: what was committed at the note was held at the fetch.
/// It may count more, since the watermark moves while the reader reads.
[[nodiscard]] inline version as_of(const read_note& noted, const stored& found) noexcept {
  return {noted.epoch, std::max(noted.commit, found.version.seq)};
}

/// How much of the log an answer counts.
struct extent {
  version as_of;
  bool committed = true;  ///< all of it
};

/// What a user is told about the object that was found.
[[nodiscard]] inline read_result result_of(const stored& found, const extent& counted, bool local) {
  return {.value = found.value,
          .version = found.value ? found.version : version{},
          .as_of = counted.as_of,
          .local = local,
          .committed = counted.committed};
}

}  // namespace artillery::replication

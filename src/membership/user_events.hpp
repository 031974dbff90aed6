#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/indexed.hpp"
#include "membership/member_table.hpp"

namespace artillery::membership {

/// An origin's events that are held or remembered beyond the first missing one, at most; a still later one skips what
/// is missing.
inline constexpr std::uint64_t events_ahead_max = 256;
/// A Lamport time this far ahead of ours does not move our clock: one forged message must not freeze it.
inline constexpr std::uint64_t lamport_jump_max = std::uint64_t{1} << 40U;
/// An event number this far ahead of the last one known is not believed, by others and by the origin itself alike. An
/// origin renews its facts, which say how far it is, several times within so many events.
inline constexpr std::uint64_t sequence_jump_max = std::uint64_t{1} << 20U;
/// Own topics remembered for their order; beyond that order is kept over all topics, which is stricter.
inline constexpr std::size_t topics_max = 1'024;

/// User events: numbering one's own, delivering others' at most once and in order per topic, and keeping some for
/// members that missed them.
///
/// An origin numbers its events over all topics, so that a receiver sees by the numbers alone what it has missed; each
/// event also names the one before it with its topic, which is all that it must wait for.
class user_events {
public:
  user_events(std::uint64_t hash_key, std::size_t kept_max, std::size_t kept_bytes_max)
      : origins_{hash_key}, kept_max_{kept_max}, kept_bytes_max_{kept_bytes_max} {}

  /// Own event: numbered, stamped and kept. Returns its place among the kept.
  std::uint64_t compose(short_name self, std::uint64_t boot, std::string topic, bytes payload,
                        std::shared_ptr<const question> asks);
  [[nodiscard]] std::uint64_t sent() const noexcept { return sent_; }
  /// Others hold that this node has sent more: what they would take for old news is not used again.
  void raise_sent(std::uint64_t number) noexcept;
  /// Own events from this place on are not thrown away: it was not yet said as often as it should be. Returns how many
  /// these are. (Newer ones may have been said already, since the newest go first; whoever bounds the unsaid must count
  /// them, too.)
  struct unsaid {
    std::size_t count = 0;
    std::size_t bytes = 0;  // of their payloads
  };
  unsaid keep_own_from(std::uint64_t place);
  [[nodiscard]] static bool is_own(std::uint64_t place) noexcept { return (place & 1U) != 0; }
  /// This node goes on under a later boot, and so do its events that are kept.
  void restamp(std::uint64_t boot);

  enum class reception { fresh, duplicate, refused };
  /// Another's event; one that is not `wanted` here is kept for others and not delivered. `out` gets what can be
  /// delivered now; `place` where a fresh one is kept.
  reception receive(const member_row& origin, event_record record, bool wanted, time_point now, std::vector<event>& out,
                    std::uint64_t& place);

  /// It was neither delivered nor skipped, and may be believed to exist.
  [[nodiscard]] bool is_missing(const member_row& origin, std::uint64_t number) const noexcept;
  /// What is missing of it is on its way: the wait begins anew.
  void be_patient(const node_id& origin, time_point now) noexcept;

  /// The origin's later life begins: nothing of it is here yet but what it had sent when it said so.
  void begin_life(const node_id& origin, std::uint64_t boot, std::uint64_t events_sent);
  /// It may have sent so many: who makes numbers up must not make all real ones look old.
  [[nodiscard]] bool may_have_sent(const member_row& origin, std::uint64_t number) const noexcept {
    return number <= believed_max(origin, base_of(origin.key));
  }
  /// A newcomer takes over what its first partner has: events before its time are not for it. `lower`: if it stands
  /// further already and nothing was received yet, it goes back.
  void adopt_base(const node_id& origin, std::uint64_t boot, std::uint64_t base, bool lower, time_point now);
  /// Of each origin the number before the first of the last `count` events kept here, by Lamport time, that are all
  /// here from there on.
  [[nodiscard]] std::map<std::uint64_t, std::uint64_t> bases_before_last(std::size_t count) const;
  void forget(const node_id& origin) { origins_.erase(origin); }
  [[nodiscard]] std::uint64_t base_of(const node_id& origin) const noexcept;

  // --- what is missing ---
  [[nodiscard]] std::uint32_t digest(short_name self, std::uint64_t boot, const member_table& members) const noexcept;
  /// What is here of every origin that sent anything; at most `max` of them, starting from a place that moves on.
  [[nodiscard]] event_summary summarize(short_name self, std::uint64_t boot, const member_table& members,
                                        std::size_t max);
  /// What is here of one origin.
  [[nodiscard]] std::optional<event_entry> summarize(const node_id& origin) const noexcept;
  /// Learns from another's entry that more was sent than is here.
  void hear_of(const member_row& origin, const event_entry& theirs, time_point now);
  /// Kept events that the sender of `theirs` lacks.
  template <class Take>
  void lacking(const event_entry& theirs, Take take) const {
    for (const auto* kept : {&kept_own_, &kept_others_}) {
      for (const auto& [place, e] : *kept) {
        if (e.origin == theirs.origin && e.boot == theirs.boot && lacks(theirs, e.sequence) && !take(e)) return;
      }
    }
  }

  // --- waiting for the missing ---
  [[nodiscard]] std::optional<time_point> next_deadline() const noexcept;
  /// Gives up on what has been missing for `wait`: a gap, and what had to wait behind it. `ask` is called for each
  /// origin whose missing events should be asked for (again).
  template <class Ask>
  void expire(time_point now, duration wait, duration ask_again, std::vector<event>& out, Ask ask) {
    if (!may_lack_) return;
    may_lack_ = false;
    for (std::size_t i = 0; i < origins_.size(); ++i) {
      origin_row& o = origins_[i];
      if (!o.missing_since) continue;
      if (now >= *o.missing_since + wait) {
        skip_missing(o, now, out);
      } else if (now >= o.ask_at) {
        o.ask_at = now + ask_again;
        ask(o.key);
      }
      update_deadline(o, wait);
      may_lack_ = may_lack_ || o.missing_since;
    }
  }
  void postpone(duration by) noexcept;

  /// A kept event by its place; null when it was thrown away meanwhile.
  [[nodiscard]] const event_record* kept(std::uint64_t place) const noexcept;
  [[nodiscard]] const event_record* kept(short_name origin, std::uint64_t boot, std::uint64_t number) const noexcept;
  [[nodiscard]] std::size_t kept_count() const noexcept { return kept_own_.size() + kept_others_.size(); }
  [[nodiscard]] std::size_t origin_count() const noexcept { return origins_.size(); }
  void hash(detail::state_hash& into, time_point now) const;

private:
  struct held_event {
    std::uint64_t sequence;
    std::uint64_t previous;
    bool delivered;
    bool wanted;
    membership::event event;  // empty once delivered
  };
  struct kept_event {
    std::uint64_t place;
    event_record record;
  };
  struct origin_row {
    node_id key;
    std::uint64_t boot = 0;
    std::uint64_t base = 0;         // all up to here were delivered or skipped
    std::uint64_t known = 0;        // the last that is known to exist
    std::vector<held_event> ahead;  // by sequence; the first is above base + 1
    bool untouched = true;          // nothing was received or told to be missed yet: the base may still be adopted
    std::uint64_t give_up_to = 0;   // what was known to exist when the wait began
    std::optional<time_point> missing_since;
    time_point ask_at;
    time_point deadline;
  };

  static bool lacks(const event_entry& theirs, std::uint64_t sequence) noexcept;
  origin_row& origin(const node_id& id, std::uint64_t boot);
  std::uint64_t keep(event_record record, bool own);
  void throw_away();
  [[nodiscard]] std::uint64_t believed_max(const member_row& from, std::uint64_t base) const noexcept;
  static void settle(origin_row& o, std::vector<event>& out);
  static void skip_to(origin_row& o, std::uint64_t base, std::vector<event>& out);
  void skip_missing(origin_row& o, time_point now, std::vector<event>& out);
  void note_missing(origin_row& o, time_point now);
  static void update_deadline(origin_row& o, duration wait) noexcept;
  static event_entry entry_of(const origin_row& o) noexcept;

  detail::indexed<origin_row, detail::node_id_hash> origins_;
  bool may_lack_ = false;  // false: nothing of anybody is missing, so that not all need be looked at after each input
  // A place is the order of keeping, and in the lowest bit whether the event is an own one.
  std::deque<kept_event> kept_own_;
  std::deque<kept_event> kept_others_;
  std::uint64_t last_place_ = 0;
  std::uint64_t own_from_ = ~std::uint64_t{0};
  std::size_t kept_bytes_ = 0;
  std::size_t kept_max_;
  std::size_t kept_bytes_max_;
  std::map<std::string, std::uint64_t, std::less<>> last_by_topic_;
  std::uint64_t topics_floor_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t lamport_ = 0;
  std::size_t summary_from_ = 0;
};

}  // namespace artillery::membership

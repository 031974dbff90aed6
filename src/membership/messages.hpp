#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "artillery/bytes.hpp"
#include "artillery/clock.hpp"
#include "artillery/membership/types.hpp"
#include "base/indexed.hpp"
#include "base/state_hash.hpp"

namespace artillery::membership {

/// Of a sender's numbers so many up to the highest are remembered one by one. No reliable message is under way longer
/// than until its sender's next one is numbered as much higher.
inline constexpr std::uint64_t message_window = 256;
/// A number this far above the highest is not believed: one forged message must not make all later ones look old.
inline constexpr std::uint64_t message_jump_max = std::uint64_t{1} << 20U;
/// Bytes of messages that are on the way to one member without a receipt, unless a single one is larger.
inline constexpr std::size_t message_bytes_unheard_max = std::size_t{256} << 10U;

/// Which of a sender's numbers were here already: what makes a message arrive at most once.
class seen_numbers {
public:
  enum class sight : std::uint8_t { fresh, seen, out_of_range };
  /// A fresh one is remembered.
  sight see(std::uint64_t number) noexcept;
  [[nodiscard]] std::uint64_t highest() const noexcept { return highest_; }
  void hash(detail::state_hash& into) const;

private:
  static constexpr std::size_t words = message_window / 64;
  std::uint64_t highest_ = 0;
  std::array<std::uint64_t, words> seen_{};  // of number n the bit n % message_window
};

/// A reliable message that has no receipt yet.
struct waiting_message {
  std::uint64_t call = 0;  ///< 0: nobody waits for its end
  std::uint64_t number = 0;
  std::uint64_t question = 0;  ///< see `direct`
  std::string topic;
  bytes payload;
  time_point deadline;
  std::uint32_t said = 0;  ///< on so many streams: by any but one that denied it, it may have arrived
};

/// What goes to and fro between this node and one life of another, beside what goes to everybody.
struct correspondence {
  node_id key;
  std::uint64_t boot = 0;
  // to it
  std::uint64_t datagrams_sent = 0;
  std::uint64_t frames_sent = 0;
  std::deque<waiting_message> waiting;
  std::size_t unheard = 0;   ///< the first so many of them are on the present stream
  std::uint64_t stream = 0;  ///< 0: none
  std::optional<time_point> retry_at;
  // from it
  seen_numbers datagrams_seen;
  seen_numbers frames_seen;
};

/// A call of the user's that has ended.
struct finished_call {
  std::uint64_t call = 0;
  std::error_code error;
};

/// Messages between this node and each of the others. Which stream they go by is the core's business.
class messages {
public:
  explicit messages(std::uint64_t hash_key) : rows_{hash_key} {}

  /// Of a member's present life; what there was with an earlier one ends.
  correspondence& with(const node_id& id, std::uint64_t boot);
  [[nodiscard]] correspondence* find(const node_id& id) noexcept { return rows_.find(id); }
  [[nodiscard]] correspondence* on_stream(std::uint64_t stream) noexcept;
  void forget(const node_id& id);

  void post(correspondence& to, waiting_message what);
  /// Ends the message of this number, if it waits.
  void finish(correspondence& with, std::uint64_t number, std::error_code error);
  /// Ends it: whoever listens there now says that it is not the one.
  void deny(correspondence& with, std::uint64_t number);
  /// Ends all that wait for it: what may have arrived with `outcome_unknown`.
  void give_up(correspondence& with, std::error_code error);
  void give_up_all(std::error_code error);
  /// This node goes on under a later boot, by which nobody can tell that something was here already.
  void give_up_spoken();
  /// Ends those whose time is over.
  void expire(time_point now);
  /// All that wait are to be said again, above `highest`.
  static void renumber(correspondence& with, std::uint64_t highest);

  /// Members that something waits for, or that a stream goes to.
  [[nodiscard]] std::vector<node_id> busy();
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }
  [[nodiscard]] std::size_t waiting_bytes() const noexcept { return waiting_bytes_; }
  [[nodiscard]] std::vector<finished_call> take_finished() { return std::exchange(finished_, {}); }
  void end(std::uint64_t call, std::error_code error) { finished_.push_back({call, error}); }

  template <class Visit>
  void for_each_timer(Visit visit) {
    if (waiting_ == 0) return;
    for (correspondence& c : rows_) {
      for (waiting_message& m : c.waiting) visit(m.deadline);
      if (c.retry_at && !c.waiting.empty()) visit(*c.retry_at);
    }
  }
  [[nodiscard]] std::optional<time_point> next_deadline() const noexcept;
  void hash(detail::state_hash& into, time_point now) const;

private:
  void drop(correspondence& from, std::size_t position, std::error_code error);

  detail::indexed<correspondence, detail::node_id_hash> rows_;
  std::size_t waiting_ = 0;
  std::size_t waiting_bytes_ = 0;
  bool may_be_busy_ = false;  // false: nothing waits and no stream is there, so that nobody need be looked at
  std::vector<finished_call> finished_;
};

}  // namespace artillery::membership

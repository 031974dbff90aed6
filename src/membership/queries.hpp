#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "artillery/bytes.hpp"
#include "artillery/clock.hpp"
#include "artillery/membership/types.hpp"
#include "base/state_hash.hpp"
#include "membership/message.hpp"

namespace artillery::membership {

/// Others' questions at a time that this node's application may answer; further ones are not told to it.
inline constexpr std::size_t queries_heard_max = 64;

/// A question of this node's that has not ended.
struct open_query {
  std::uint64_t call = 0;    ///< the user's name for it
  std::uint64_t number = 0;  ///< that of the event which asks
  time_point deadline;
  std::uint64_t asked = 0;
  std::vector<node_id> heard;
  std::vector<node_id> answered;
};

/// Another's question that was told to the application here. What was done about it is said until the asker has it.
struct heard_query {
  node_id asker;
  std::uint64_t boot = 0;
  std::uint64_t number = 0;
  time_point deadline;
  std::optional<bytes> answer;
  std::optional<time_point> say_at;  ///< none: the asker has what is to be said
};

/// What a question came to so far: for whoever asked.
struct query_news {
  std::uint64_t call = 0;
  query_progress what;
};

/// Questions to all members: one's own, and those of others that wait for the application's answer.
class queries {
public:
  /// --- own ---
  void ask(open_query what);
  [[nodiscard]] std::size_t open() const noexcept { return open_.size(); }
  /// A member has it (`payload` empty), or answers. The question ends when all who were asked did.
  void take(std::uint64_t number, const node_id& from, const bytes* payload);
  /// Whoever asked does not want to know any more.
  void drop(std::uint64_t call) {
    std::erase_if(open_, [call](const open_query& q) { return q.call == call; });
  }
  void end_all();
  [[nodiscard]] std::vector<query_news> take_news() { return std::exchange(news_, {}); }

  // --- others' ---
  /// False when too many wait.
  bool hear(heard_query what);
  [[nodiscard]] heard_query* find(const node_id& asker, std::uint64_t number) noexcept;
  void forget(const node_id& asker, std::uint64_t number);
  [[nodiscard]] std::vector<heard_query>& heard() noexcept { return heard_; }
  [[nodiscard]] std::size_t heard_count() const noexcept { return heard_.size(); }

  /// Ends those whose time is over, of either kind.
  void expire(time_point now);
  [[nodiscard]] std::optional<time_point> next_deadline() const noexcept;
  template <class Visit>
  void for_each_timer(Visit visit) {
    for (open_query& q : open_) visit(q.deadline);
    for (heard_query& q : heard_) {
      visit(q.deadline);
      if (q.say_at) visit(*q.say_at);
    }
  }
  void hash(detail::state_hash& into, time_point now) const;

private:
  void end(std::size_t position);

  std::vector<open_query> open_;
  std::vector<heard_query> heard_;
  std::vector<query_news> news_;
};

}  // namespace artillery::membership

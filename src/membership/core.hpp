#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "artillery/effects.hpp"
#include "artillery/membership/types.hpp"
#include "base/random.hpp"
#include "membership/byte_budget.hpp"
#include "membership/counters.hpp"
#include "membership/fetches.hpp"
#include "membership/gossip.hpp"
#include "membership/group_news.hpp"
#include "membership/member_table.hpp"
#include "membership/message.hpp"
#include "membership/messages.hpp"
#include "membership/observed_address.hpp"
#include "membership/probe.hpp"
#include "membership/push_pull.hpp"
#include "membership/queries.hpp"
#include "membership/suspicion.hpp"
#include "membership/user_events.hpp"

namespace artillery::membership {

/// Of own events so many at most within the time in which somebody who missed one has asked for it twice: were there
/// more than `events_ahead_max`, it would have to skip it.
inline constexpr std::size_t own_events_at_a_time = events_ahead_max * 3 / 4;
inline constexpr int asks_before_more = 2;

/// Who this process is: fixed before it starts. `boot` must be above that of every earlier process with the same id.
struct identity {
  node_id id;
  std::uint64_t boot = 0;
};

/// One node of a cluster, as a pure state machine: messages, time and the user's calls in, effects out. A value: a copy
/// goes on by itself. README.md in this folder says which file holds which idea.
class core {
public:
  using effects_type = effects<event>;

  /// `settings` must be sound (`config::validate`).
  core(config settings, identity who, detail::random random);

  /// Once, when it is known where this node listens.
  void start(const endpoint& at, time_point now, effects_type& out);
  void receive(const connection& from, bytes_view message, time_point now, effects_type& out);
  void link(const connection& which, link_state state, time_point now, effects_type& out);
  /// At or after `next_deadline()`; an early call does nothing.
  void expire(time_point now, effects_type& out);
  [[nodiscard]] std::optional<time_point> next_deadline() const;

  // --- the user's calls ---
  std::error_code add_seed(const endpoint& at, time_point now, effects_type& out);
  /// Begins to leave; `has_left()` holds when the word is out, or time is up.
  std::error_code leave(time_point now, effects_type& out, std::string reason = {});
  /// This node listens elsewhere now.
  std::error_code move_to(const endpoint& at, time_point now, effects_type& out);
  std::error_code broadcast(std::string topic, bytes payload, time_point now, effects_type& out);
  std::error_code set_tags(tag_map tags, time_point now, effects_type& out);
  /// A message to one member. `call` is the caller's name for it in `take_finished`, if this returns no error.
  std::error_code send(std::uint64_t call, const node_id& to, std::string topic, bytes payload, const send_options& how,
                       time_point now, effects_type& out);
  /// A question to all that it is for. `call` is the caller's name for it in `take_news`, if this returns no error.
  std::error_code query(std::uint64_t call, std::string topic, bytes payload, const query_options& options,
                        time_point now, effects_type& out);
  /// Of this query of ours nothing more is to be taken or told.
  void drop_query(std::uint64_t call) { queries_.drop(call); }
  /// Answers the `query` of this number that was delivered here.
  std::error_code answer(const node_id& asker, std::uint64_t number, bytes payload, time_point now, effects_type& out);
  /// What own queries came to since this was last asked.
  [[nodiscard]] std::vector<query_news> take_news() { return queries_.take_news(); }
  /// Calls that ended since this was last asked.
  [[nodiscard]] std::vector<finished_call> take_finished() { return messages_.take_finished(); }

  /// There is room for another broadcast of this size.
  [[nodiscard]] bool has_room(std::size_t payload_size) const noexcept {
    return own_recent_.size() < own_events_at_a_time && own_unsaid_.count < config_.broadcasts_max &&
           (own_unsaid_.bytes == 0 || own_unsaid_.bytes + payload_size <= config_.broadcast_bytes_max);
  }
  [[nodiscard]] bool has_left() const noexcept { return phase_ == phase::left; }
  [[nodiscard]] member self() const;
  /// What this node says of itself, without its facts.
  [[nodiscard]] standing own_standing() const noexcept;
  /// All members known, this one first, dead ones included until they are forgotten.
  [[nodiscard]] std::vector<member> members() const;
  /// Grows with every change of what `members` says.
  [[nodiscard]] std::uint64_t revision() const noexcept { return revision_; }
  /// Grows with every round trip that is measured; `revision` does not.
  [[nodiscard]] std::uint64_t round_trips() const noexcept { return round_trips_; }
  [[nodiscard]] std::size_t present() const noexcept { return members_.present(); }
  /// Where others see this node; `none()`: nobody has said so yet.
  [[nodiscard]] endpoint observed() const { return observed_.most_said(); }
  [[nodiscard]] const counters& counted() const noexcept { return counters_; }
  [[nodiscard]] std::uint64_t hash(time_point now) const;

  // --- for checkers ---
  [[nodiscard]] const member_table& table() const noexcept { return members_; }
  [[nodiscard]] bool has_news() const noexcept { return !claims_.empty() || !events_.empty(); }  ///< still to be told
  [[nodiscard]] std::uint32_t health() const noexcept { return awareness_.score(); }  ///< Lifeguard's; 0: well
  [[nodiscard]] std::size_t held() const noexcept;  ///< queue entries, streams, relays, kept events: all that may grow
  /// All events of `origin` up to this number are settled here.
  [[nodiscard]] std::uint64_t events_base(const node_id& origin) const noexcept {
    return origin == self_.id ? user_events_.sent() : user_events_.base_of(origin);
  }
  /// O(state) promises; throws `detail::broken_invariant`.
  void check_invariants() const;

private:
  enum class phase : std::uint8_t { idle, running, leaving, left };
  /// How a claim came here. What is heard in an exchange may be old: a death in it is looked into before it is
  /// believed. What a newcomer is introduced to is no news to anybody else.
  enum class path : std::uint8_t { gossip, exchange, introduction };

  // core.cpp
  [[nodiscard]] bool active() const noexcept { return phase_ == phase::running || phase_ == phase::leaving; }
  void note_pause(time_point now, effects_type& out);
  [[nodiscard]] time_point should_have_run(time_point now) const;
  void finish_input(time_point now, effects_type& out);
  void handle(const connection& from, packet& m, time_point now, effects_type& out);
  void hear_items(items& what, path how, const endpoint& from, time_point now, effects_type& out);
  void drop(std::error_code why);
  void send_datagram(const endpoint& to, datagram_writer& writer, effects_type& out);
  [[nodiscard]] datagram_writer begin_datagram(const message_body& body);
  void finish_leaving();
  void be_gone();
  void answer_as_gone(const connection& from, bytes_view datagram, effects_type& out);

  // whereabouts.cpp: what this node notices of itself
  void come_back(duration away, time_point now, effects_type& out);
  void hear_observed(const member_row& from, const endpoint& seen_at);

  // claims.cpp: what is believed of whom
  void apply(const claim& heard, path how, time_point now, effects_type& out);
  void meet(const claim& heard, path how, time_point now, effects_type& out);
  void change(member_row& row, const standing& next, const claim& heard, time_point now, effects_type& out);
  void restart_of(member_row& row, const claim& heard, time_point now, effects_type& out);
  void begin_suspicion(const member_row& row, short_name accuser, bool look_into, time_point now);
  void tell_conflict(member one, member other, effects_type& out);
  void hear_of_self(const claim& heard, time_point now, effects_type& out);
  void overrule(std::uint64_t incarnation);
  void begin_next_life(std::uint64_t boot, std::uint64_t incarnation);
  void renew_facts(std::uint64_t events_sent);
  void tell(const node_id& about);
  void announce_joined(member_row& row, effects_type& out);
  void suspect(const node_id& id, time_point now, effects_type& out);
  void declare_failed(const node_id& id, time_point now, effects_type& out);
  [[nodiscard]] bool is_forged(const claim& heard, std::uint64_t known_boot) const noexcept;
  [[nodiscard]] bool may_be_known(const claim& heard) const;
  [[nodiscard]] bool may_become(const member_row& row, const claim& heard) const;
  void turn_out(member_row& row, time_point now, effects_type& out);
  [[nodiscard]] claim own_claim() const;
  [[nodiscard]] claim claim_about(const member_row& row) const;
  [[nodiscard]] std::optional<claim> claim_about(const node_id& id) const;
  void reap(time_point now);
  void say_no_more_of(const node_id& id);
  [[nodiscard]] duration tombstone() const noexcept;

  // failure_detection.cpp: probes
  void expire_probes(time_point now, effects_type& out);
  void start_probe(time_point now, effects_type& out);
  void end_probe(time_point now, effects_type& out);
  void suspect_probed(const probe& what, time_point now, effects_type& out);
  void hear_refusal(const endpoint& by, time_point now);
  void measure_round_trip(const endpoint& from, const ack& m, time_point now);
  void ask_helpers(time_point now, effects_type& out);
  void send_ping(const endpoint& to, std::uint32_t sequence, std::uint32_t addressee, const member_row* suspect,
                 effects_type& out);
  void check_on(const member_row& row, effects_type& out);
  void say_farewell(time_point now, effects_type& out);
  void expire_relays(time_point now, effects_type& out);
  void on_ping(const endpoint& from, const ping& m, time_point now, effects_type& out);
  void on_ack(const endpoint& from, const ack& m, time_point now, effects_type& out);
  void on_ping_request(const endpoint& from, const ping_request& m, time_point now, effects_type& out);
  void on_nack(const endpoint& from, const nack& m);
  void on_stranger(const endpoint& from, const stranger& m, time_point now, effects_type& out);
  void reconnect(time_point now, effects_type& out);

  // dissemination.cpp: gossip and events
  void piggyback(datagram_writer& writer, std::uint32_t copies, const node_id& told = {});
  [[nodiscard]] std::uint32_t repair_datagrams_now() const noexcept;
  void forget_old_sayings(time_point now);
  [[nodiscard]] duration slowed(duration interval) const noexcept;
  void gossip_round(time_point now, effects_type& out);
  void push_news(time_point now, effects_type& out);
  void tell_group_of(const node_id& id);
  void say_to_group(effects_type& out);
  void compare_with_somebody(effects_type& out);
  [[nodiscard]] duration time_to_arrive() const noexcept;
  [[nodiscard]] std::vector<endpoint> pick_targets(std::size_t count, time_point now);
  [[nodiscard]] std::error_code may_say(const std::string& topic) const;
  void say_own(std::string topic, bytes payload, std::shared_ptr<const question> asks, time_point now,
               effects_type& out);
  void look_after_own_events();
  void hear_event(event_record& record, const endpoint& from, time_point now, effects_type& out);
  void hand_on(std::vector<event>& events, time_point now, effects_type& out);
  // repair.cpp: digests, and what they show was missed
  [[nodiscard]] membership::digests own_digests() const;
  void compare(const membership::digests& theirs, const endpoint& from, time_point now, effects_type& out);
  [[nodiscard]] view_summary summarize_view(std::uint64_t first, std::uint64_t last);
  [[nodiscard]] bucket_sums own_buckets() const;
  [[nodiscard]] bucket_set differing(const bucket_sums& theirs) const;
  void on_view_buckets(const endpoint& from, const view_buckets& m, effects_type& out);
  void on_view_summary(const endpoint& from, const view_summary& m, time_point now, effects_type& out);
  void on_event_summary(const endpoint& from, const event_summary& m, time_point now, effects_type& out);
  bool send_lacking(const endpoint& to, const event_entry& theirs, std::uint32_t& datagrams_left,
                    datagram_writer& writer, effects_type& out);
  void ask_for_events(const node_id& origin, time_point now, effects_type& out);

  // sending.cpp: to one member alone
  [[nodiscard]] direct direct_to(const member_row& to, std::uint64_t number, std::uint64_t question, std::string topic,
                                 bytes payload) const;
  std::error_code post_to(const member_row& row, waiting_message what);
  void tend_messages(time_point now, effects_type& out);
  void speak(correspondence& with, const member_row& to, time_point now, effects_type& out);
  verdict take_message(const direct& m, bool by_stream, std::uint64_t& highest, effects_type& out);
  void on_direct(const endpoint& from, const direct& m, effects_type& out);
  void on_direct(stream& by, const direct& m, time_point now, effects_type& out);
  void on_receipt(const endpoint& from, const receipt& m);
  void on_receipt(stream& by, const receipt& m, time_point now, effects_type& out);

  // querying.cpp: questions and answers
  [[nodiscard]] bool is_for_us(const event_record& record) const;
  bool hear_query(const membership::query& asked, time_point now);
  void tend_queries(time_point now, effects_type& out);
  void take_answer(const member_row& from, std::uint64_t number, const bytes* payload);
  void on_reply(const endpoint& from, const reply& m, effects_type& out);
  void on_reply_receipt(const endpoint& from, const reply_receipt& m);

  // fetching.cpp: events that no datagram holds
  [[nodiscard]] std::size_t event_size_max(std::string_view topic) const noexcept;
  void hear_notice(const member_row& origin, const event_record& notice, const endpoint& from, time_point now);
  void tend_fetches(time_point now, effects_type& out);
  void begin_fetch(fetch& what, time_point now, effects_type& out);
  void hold_fetched(time_point now);
  void on_event_request(stream& by, const event_request& m, time_point now, effects_type& out);
  void on_event_reply(std::uint64_t number, items& what, const endpoint& from, time_point now, effects_type& out);

  // joining.cpp: seeds, streams, push-pull
  void expire_seeds(time_point now, effects_type& out);
  void announce_to(const endpoint& to, effects_type& out);
  void on_announce(const endpoint& from, const items& with, effects_type& out);
  [[nodiscard]] bool is_admitted(const claim& sender) const;
  stream* open_stream(stream_purpose purpose, const endpoint& to, time_point now, effects_type& out);
  void end_stream(std::uint64_t number, effects_type& out);
  void expire_streams(time_point now, effects_type& out);
  void receive_frame(const connection& from, bytes_view frame, time_point now, effects_type& out);
  void send_frame(stream& to, const message_body& body, effects_type& out);
  [[nodiscard]] bool is_introduced_now() const;
  [[nodiscard]] bool counts_from_facts(std::size_t known) const;
  [[nodiscard]] std::uint64_t sent_before(const stream& to) const;
  void send_state(stream& to, bool answer, effects_type& out);
  void on_view_buckets(stream& by, const view_buckets& m, effects_type& out);
  void on_compared(std::uint64_t number, const membership::digests& theirs, time_point now, effects_type& out);
  void on_push_pull(std::uint64_t number, push_pull& m, time_point now, effects_type& out);
  void learn_base(const push_pull_entry& entry, std::uint64_t base, bool introduces, time_point now);
  void exchange_periodically(time_point now, effects_type& out);
  [[nodiscard]] duration push_pull_interval() const noexcept;

  template <class Visit>
  void for_each_timer(Visit visit);

  // --- fixed after construction ---
  config config_;
  identity self_;  ///< all but the boot, which is raised when another claims a later one
  std::uint32_t cluster_ = 0;

  // --- this node ---
  phase phase_ = phase::idle;
  std::shared_ptr<const facts> facts_;
  std::uint64_t incarnation_ = 0;
  detail::random random_;
  awareness awareness_;
  std::uint64_t revision_ = 0;
  std::uint64_t round_trips_ = 0;
  observed_address observed_;
  bool farewell_heard_ = false;  ///< somebody acknowledged that this node goes

  // --- the others ---
  member_table members_;
  suspicions suspicions_;
  probe_ring ring_;
  std::optional<probe> probe_;
  std::vector<check> checks_;
  std::vector<relay> relays_;
  std::uint32_t last_sequence_ = 0;

  // --- news ---
  transmit_queue<node_id> claims_;
  transmit_queue<std::uint64_t> events_;
  user_events user_events_;
  user_events::unsaid own_unsaid_;     ///< own events from the oldest on that was not said as often as it should be
  std::deque<time_point> own_recent_;  ///< when own events were composed that somebody may miss and not have asked for
  fetches fetches_;
  byte_budget budget_;
  std::uint32_t slow_steps_ = 0;  ///< gossip waits 2 to the power of this times as long
  bool push_wanted_ = false;
  membership::group_news group_news_;
  bool events_first_ = false;  ///< whose turn it is to be packed first

  // --- to one member alone ---
  messages messages_;
  queries queries_;

  // --- streams and seeds ---
  std::vector<stream> streams_;
  std::vector<seed> seeds_;
  std::uint64_t next_stream_ = 1;
  std::uint64_t introducer_ = 0;  ///< the stream over which a newcomer here learns of all others; 0: none yet
  std::uint32_t reconnect_round_ = 0;

  // --- timers; none: not running ---
  std::optional<time_point> probe_at_;
  std::optional<time_point> gossip_at_;
  std::optional<time_point> push_at_;
  std::optional<time_point> compare_at_;
  std::optional<time_point> push_pull_at_;
  std::optional<time_point> reconnect_at_;
  std::optional<time_point> reap_at_;
  std::optional<time_point> leave_at_;
  std::optional<time_point> farewell_at_;
  time_point ran_at_;  ///< when it had its last input
  // --- not before ---
  time_point push_allowed_at_;
  time_point view_repair_allowed_at_;
  time_point event_repair_allowed_at_;
  time_point events_agreed_at_;  ///< when another last had the same events, or was asked for what differs
  time_point heal_allowed_at_;
  time_point conflict_allowed_at_;

  counters counters_;
  std::vector<std::byte> buffer_;  ///< every message is built here
};

}  // namespace artillery::membership

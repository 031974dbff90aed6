#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <system_error>

#include "artillery/bytes.hpp"
#include "artillery/clock.hpp"
#include "artillery/effects.hpp"
#include "artillery/replication/store.hpp"
#include "artillery/replication/types.hpp"
#include "base/random.hpp"
#include "base/state_hash.hpp"
#include "replication/backlog.hpp"
#include "replication/durability.hpp"
#include "replication/held_back_reads.hpp"
#include "replication/learner_feed.hpp"
#include "replication/lease.hpp"
#include "replication/links.hpp"
#include "replication/local_read.hpp"
#include "replication/log.hpp"
#include "replication/message.hpp"
#include "replication/opening.hpp"
#include "replication/repair.hpp"
#include "replication/sessions.hpp"
#include "replication/still_questions.hpp"
#include "replication/versions.hpp"
#include "replication/view_authority.hpp"
#include "replication/watermark_queries.hpp"

namespace artillery::replication {

/// Names a call of the user's until its answer.
using request_id = std::uint64_t;

/// Where a replica's core puts what it wants done.
class core_effects : public effects<event> {
public:
  /// The outcome of `core::read`. On an error the result means nothing.
  virtual void answer(request_id request, std::error_code error, const read_result& result) = 0;
  /// The outcome of `core::change`.
  virtual void changed(request_id request, std::error_code error) = 0;
  /// A question to the authority over the views; `answered` may follow. Only a core that was started asks.
  virtual void ask(const authority_question& question) = 0;
  /// Of a replica with a disk: to be written there after all that was handed out before. `core::synced` tells of it.
  virtual void keep(const kept_item& /*what*/) {}
  /// The clock, sampled at this call: the last step of a strong read must not use a time taken before the read.
  [[nodiscard]] virtual time_point sample_clock() = 0;
};

/// What a step of the core works with.
struct turn {
  time_point now;
  store& objects;
  core_effects& out;
};

/// A replica as a pure state machine: positions, view, lease, sessions, log and the index of dirty objects. Objects
/// live in the store of each turn, always the same one. Copyable.
///
/// The driver: `adopt` the one view there is, or `start` with an authority and hand in its answers; hand in frames,
/// link changes and calls as they come; after each batch of them call `flush` once and then publish `serving()`; call
/// `expire` at `next_deadline()`, or later. After event::kind::removed: `begin_anew`, if the node is to come back.
class core {
public:
  /// `check(config)` must have passed.
  core(const replica_config& config, detail::random random, storage where = storage::memory);

  /// What is wrong with a configuration, if anything: `errc::invalid_configuration`.
  [[nodiscard]] static std::error_code check(const replica_config& config) noexcept;

  /// A view that is in force for ever, with a lease of `lease` counted from `asked_at` (`duration::max()`: endless).
  void adopt(const view& chosen, duration lease, time_point asked_at, const turn& at);

  /// From now on the authority is asked for the view, and everything that follows from it is done: leases, gates,
  /// repair. `listens_at`: where this node is reached, for the views it is to be admitted to.
  void start(const endpoint& listens_at, const turn& at);
  /// R14, before `start`: this replica has a disk, ran before, and found this. It takes no part in any view that lists
  /// it, but one of itself alone that it proposes when nobody else serves; once it is dropped it is a learner as any.
  void restore(restored found, const turn& at);
  /// So many of all items that were handed out to be kept are on disk.
  void synced(std::uint64_t items, const turn& at);
  void answered(const authority_answer& answer, const turn& at);
  /// Once it is dropped it does not ask to be fed again; that it knows it was, it tells the tail all the same.
  void retire() noexcept { listens_at_ = {}; }
  /// A node that was removed is a stranger now, once readers of its process know that it serves nothing: its name is
  /// another, and nothing is left of what it held, unless it has a disk.
  void begin_anew(std::uint64_t incarnation, const turn& at);

  /// A frame of a stream, whole. The core keeps slices of it.
  void receive(const connection& from, const bytes& frame, const turn& at);
  void link(const connection& which, link_state state, const turn& at);
  void expire(const turn& at);
  /// Sends what the calls since the last flush gathered: records, acknowledgements, watermark questions.
  void flush(const turn& at);
  [[nodiscard]] std::optional<time_point> next_deadline() const;

  /// A read by this process. `answer(request, …)` follows, now or later: no error, `not_serving`, `busy`,
  /// `invalid_argument` (the key), `token_void`, `not_head` (only it can judge the token), or `timed_out` at
  /// `deadline`.
  void read(request_id request, const bytes& key, const consistency& level, const session_token& after,
            std::optional<time_point> deadline, const turn& at);
  /// Forgets a read: no answer follows.
  void cancel(request_id request);

  /// A change of the chain. `changed(request, …)` follows, now or later: no error once a view is in force that shows
  /// it; `not_serving` (this is no replica, or no longer, or views do not change), `not_tail`, `invalid_argument` (no
  /// such node, or it is the last replica), `busy` (too many wait), `timed_out` at `deadline`: it may still happen.
  void change(request_id request, const view_change& what, std::optional<time_point> deadline, const turn& at);
  /// Forgets a change: no answer follows, and it may still happen.
  void forget_change(request_id request);

  /// What somebody else says of a node: a reason to look now, nothing more.
  void hint(const node_id& about, peer_hint what, const turn& at);

  /// What readers on other threads may know; published after every flush.
  [[nodiscard]] serving_state serving() const noexcept;
  [[nodiscard]] replica_status status() const;
  [[nodiscard]] const replica_counters& counters() const noexcept;

  [[nodiscard]] std::uint64_t hash(time_point now, detail::state_hash into = {}) const;
  /// What an answer to this question would be taken for: it stands for the question's id where names are left out.
  [[nodiscard]] std::uint64_t hash_of(const authority_question& asked) const;

  // --- for checkers of invariants ---
  [[nodiscard]] const replication::log& log() const noexcept { return log_; }
  [[nodiscard]] const replication::sessions& sessions() const noexcept { return sessions_; }
  [[nodiscard]] const view& in_force() const noexcept { return view_; }
  [[nodiscard]] const replica_id& self() const noexcept { return config_.self; }
  [[nodiscard]] const replication::opening& opening() const noexcept { return opening_; }
  [[nodiscard]] std::size_t backlog_weight() const noexcept { return backlog_.weight(); }
  [[nodiscard]] std::size_t waiting_reads() const noexcept { return queries_.size() + held_back_.size(); }
  [[nodiscard]] std::size_t client_links() const noexcept { return clients_; }
  [[nodiscard]] std::size_t member_links() const noexcept { return accepted_.size() - clients_; }
  [[nodiscard]] bool is_passive() const noexcept { return passive_; }

private:
  static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

  // core.cpp: positions, links, time
  /// What own frames say.
  [[nodiscard]] std::uint64_t epoch() const noexcept { return position_ != nowhere || wants_feed() ? view_.epoch : 0; }
  [[nodiscard]] bool is_head() const noexcept { return position_ == 0; }
  [[nodiscard]] bool is_tail() const noexcept { return position_ != nowhere && position_ + 1 == view_.replicas.size(); }
  [[nodiscard]] bool has_successor() const noexcept { return position_ != nowhere && !is_tail(); }
  [[nodiscard]] bool has_predecessor() const noexcept { return position_ != nowhere && !is_head(); }
  /// The authority over its views may change its mind.
  [[nodiscard]] bool follows_views() const noexcept { return managed_ && view_.leases != lease_mode::endless; }
  /// It is no replica, and is fed by the tail, or asks to be.
  [[nodiscard]] bool wants_feed() const noexcept {
    return follows_views() && !removed_ && !passive_ && position_ == nowhere && view_.epoch != 0;
  }
  [[nodiscard]] bool is_learner() const noexcept;
  [[nodiscard]] bool is_displaced() const noexcept;
  [[nodiscard]] bool has_tail_link() const noexcept { return has_successor() || wants_feed() || asks_to_go(); }
  [[nodiscard]] bool keeps_backlog() const noexcept { return is_tail() && !view_.learners.empty(); }
  [[nodiscard]] time_point predecessor_silent_at() const noexcept {
    return predecessor_heard_ + 2 * config_.silence_max;
  }
  [[nodiscard]] replication::role role() const noexcept;
  [[nodiscard]] tail_state tail() const noexcept;
  [[nodiscard]] outgoing_link* opened(std::uint64_t number) noexcept;
  [[nodiscard]] bool same_replica(const replica_id& a, const replica_id& b) const noexcept;
  void dispatch(const frame_header& header, const connection& from, const bytes& frame, const turn& at);
  void greet(const connection& from, const bytes& frame, const turn& at);
  [[nodiscard]] std::optional<reply_status> objection_to(const hello& peer, const turn& at);
  void take_as_predecessor(const connection& from, const turn& at);
  void replace_reader(const replica_id& from, const turn& at);
  void refuse(const connection& from, reply_status status, const turn& at);
  void malformed(const connection& from, const turn& at);
  void drop(const connection& which, const turn& at);
  void drop_opened(outgoing_link& link, const turn& at);
  void forget_accepted(std::uint64_t number, time_point now);
  void tend(outgoing_link& link, const turn& at);
  void send(std::uint64_t stream, const turn& at);
  void ask_silent_clients(const turn& at);
  void note_progress(const turn& at);
  [[nodiscard]] std::optional<time_point> stops_at() const;

  // core_views.cpp: which view is in force, and what it lets this replica do
  void put_in_force(const chosen_view& chosen, const turn& at);
  void close_member_links(const turn& at);
  [[nodiscard]] outgoing_link link_to(const member& other) const;
  void become_replica(bool had_right, bool was_learner, const turn& at);
  void become_outsider(bool was_listed, const turn& at);
  void begin_opening(bool had_right, bool was_learner, const turn& at);
  void open(const turn& at);
  void heard_of_former(const hello& peer, const turn& at);
  void thaw(const turn& at);
  void serve_waiting_again(const turn& at);
  void tell_clients(const turn& at);
  /// R3: somebody speaks of a later epoch.
  void heard_of(std::uint64_t epoch, const turn& at);
  void hear(const authority_view& told, const turn& at);
  void hear(const authority_cas_done& told, const turn& at);
  void hear(const authority_renewed& told, const turn& at);
  void hear(const authority_quieted& told, const turn& at);
  void settle_proposal(const authority_view& told, const turn& at);
  void ask_newest(const turn& at);
  void ask_lease(const turn& at);
  void ask_quiet(const turn& at);
  void propose(view next, const turn& at);
  void tend_view(const turn& at);
  [[nodiscard]] std::optional<time_point> next_view_deadline() const;
  void hash_views(detail::state_hash& into, time_point now) const;

  // core_health.cpp: what calls for another view
  struct accusation {
    node_id who;
    time_point since;
  };
  void heed(outgoing_link& link, peer_hint what, const turn& at);
  [[nodiscard]] std::optional<time_point> lapse_told_at() const;
  void tend_lapse(const turn& at);
  void handle_lapsed(const connection& from, const turn& at);
  void note_failed(const node_id& who);
  void note_missed(const node_id& who, const turn& at);
  [[nodiscard]] bool has_link_to(const node_id& who) const;
  [[nodiscard]] std::optional<bool> answers(const accusation& missed, time_point now) const;
  void tend_missed(const turn& at);
  [[nodiscard]] chain_health health(time_point now) const;
  void tend_repair(const turn& at);

  // core_changes.cpp: what an operator asks for
  [[nodiscard]] std::optional<errc> objection_to(const view_change& what) const;
  void settle_changes(const turn& at);
  [[nodiscard]] std::optional<view> asked_step() const;
  [[nodiscard]] std::optional<time_point> next_change_deadline() const;

  // core_learners.cpp: the tail's side, then the learner's
  [[nodiscard]] learner_feed* feed_of(const replica_id& who) noexcept;
  void note_candidate(const hello& peer, time_point now);
  void begin_feeding(time_point now);
  void stop_feeding();
  void handle_position(const connection& from, const bytes& frame, const turn& at);
  void place(learner_feed& feed, const learner_position& stands) const;
  void feed_learners(const turn& at);
  void begin_checkpoint(learner_feed& feed, const turn& at);
  [[nodiscard]] checkpoint_part next_part(learner_feed& feed, const turn& at) const;
  void send_parts(learner_feed& feed, const turn& at);
  void send_backlog(learner_feed& feed, const turn& at);
  void trim_backlog(const turn& at);
  void tend_promotion(const turn& at);
  [[nodiscard]] bool has_caught_up(const learner_feed& feed) const noexcept;
  void handle_checkpoint(const connection& from, const bytes& frame, const turn& at);
  void handle_committed(const connection& from, const bytes& frame, const turn& at);
  void report_position(const turn& at);
  void forget_all(const turn& at);

  // core_durable.cpp: what is on disk, and the restart of a replica that finds it there
  void keep(const kept_item& what, const turn& at);
  [[nodiscard]] std::uint64_t durable() const noexcept;
  [[nodiscard]] std::uint64_t committable() const noexcept;
  [[nodiscard]] bool may_open() const noexcept;
  /// Once all that it read back at its start is committed here again: before its restart it may have told of that.
  [[nodiscard]] bool may_answer() const noexcept { return position_ != nowhere && commit_ >= read_back_; }
  void commit_durable(const turn& at);
  void tell_durable(const turn& at);
  void handle_durable(const connection& from, const bytes& frame, const turn& at);
  [[nodiscard]] const member* other_member() const noexcept;
  [[nodiscard]] bool asks_to_go() const noexcept { return passive_ && other_member() != nullptr; }
  [[nodiscard]] bool is_own_restart() const noexcept;
  [[nodiscard]] bool resumes_by_mistake() const noexcept;
  void become_passive(const turn& at);
  void tend_restart(const turn& at);
  [[nodiscard]] std::optional<time_point> stands_alone_at() const noexcept;

  // core_chain.cpp: records down, watermarks up
  void welcomed(outgoing_link& link, const bytes& frame, const turn& at);
  void reconcile(const welcome& peer, const turn& at);
  void handle_append(const connection& from, const bytes& frame, const turn& at);
  void handle_ack(const connection& from, const bytes& frame, const turn& at);
  [[nodiscard]] bool admissible(const record& next) const;
  void take(record next, std::vector<asker> waiting, const turn& at);
  void apply(const record& next, bool commits, const turn& at);
  void advance_commit(std::uint64_t watermark, const turn& at);
  void send_records(const turn& at);

  // core_writes.cpp: at the head
  void handle_write(const connection& from, const frame_header& header, const bytes& frame, const turn& at);
  void write_object(const asker& who, write_request request, const turn& at);
  void open_session(const asker& who, const turn& at);
  void close_session(const asker& who, std::uint64_t session, const turn& at);
  [[nodiscard]] bool is_short_of_replicas() const noexcept {
    return position_ != nowhere && view_.replicas.size() < config_.replicas_min;
  }
  [[nodiscard]] bool window_takes(const record& next) const noexcept;
  [[nodiscard]] record evaluate(write_request request, const turn& at) const;
  void answer_write(const asker& who, reply_status status, const write_result& result, const turn& at);
  void answer_record(const asker& who, const record& done, const turn& at);
  [[nodiscard]] std::uint64_t draw_session();

  // core_reads.cpp
  void handle_read(const connection& from, const frame_header& header, const bytes& frame, const turn& at);
  void handle_watermark_query(const connection& from, const bytes& frame, const turn& at);
  void handle_watermark_reply(const connection& from, const bytes& frame, const turn& at);
  void serve_read(waiting_read read, const consistency& level, const session_token& after, const turn& at);
  void answer_here(const waiting_read& read, const read_note& noted, const stored& found, const session_token& after,
                   const turn& at);
  void serve_dirty_at_tail(const waiting_read& read, const turn& at);
  void settle_read(const asker& who, const stored& found, const version& counted, bool local, const turn& at);
  void ask_still(const turn& at);
  void still_told(const authority_renewed& told, const turn& at);
  [[nodiscard]] bool stale_enough(const bytes& key, const consistency& level, const turn& at) const;
  void count_local_read(const consistency& level) noexcept;
  void answer_read(const asker& who, reply_status status, const stored& found, const extent& counted, bool local,
                   const turn& at);
  void refuse_read(const asker& who, reply_status status, const turn& at);

  // core_tokens.cpp: session tokens
  /// Whether what a token counts is here. The later ones outweigh the earlier.
  enum class token_state : std::uint8_t {
    covered,
    coming,           ///< it is on its way, or not committed here yet
    behind,           ///< it is of a later epoch, and not known here
    only_head_knows,  ///< it is of an earlier epoch, and nobody but the head can say whether it was lost
    lost
  };
  [[nodiscard]] token_state weigh(const session_token& after, const consistency& level) const;
  [[nodiscard]] token_state weigh(const version& place, bool settled, bool must_be_committed) const;
  [[nodiscard]] bool is_covered(const waiting_read& read, const consistency& level, const session_token& after,
                                const turn& at);
  void serve_held_back(const turn& at);

  replica_config config_;
  std::uint32_t cluster_;
  detail::random random_;

  view view_;
  std::size_t position_ = nowhere;
  replication::lease lease_;
  std::uint64_t commit_ = 0;
  replication::log log_;
  replication::sessions sessions_;
  dirty_objects dirty_;
  watermark_queries queries_;
  held_back_reads held_back_;
  std::uint64_t looked_at_commit_ = 0;  // when those were last looked at
  std::uint64_t looked_at_last_ = 0;
  still_questions stills_;

  // views that change
  struct inquiry {
    question_id id = 0;
    time_point asked_at;
  };
  struct asked_change {
    request_id request = 0;
    view_change what;
    std::optional<time_point> deadline;
  };
  struct proposal {
    inquiry cas;
    bool unresolved = false;  // nobody knows what became of it: it may yet be chosen
  };
  bool managed_ = false;      // there is an authority to ask
  bool removed_ = false;      // or displaced: it takes no part
  std::uint64_t former_ = 0;  // the incarnation that it had before it began anew
  endpoint listens_at_;
  ballot chosen_in_;
  time_point adopted_at_{};
  time_point tell_lapse_at_{};  // not before this, to the neighbours, that the lease ended
  replication::opening opening_;
  std::vector<replica_id> awaited_;  // of a gate: those who may still hold a lease and have not been heard of
  bool tail_opened_ = false;         // known here, in this epoch
  bool told_opened_ = false;         // and said to the predecessor
  question_id next_question_ = 1;
  std::optional<inquiry> reading_;
  time_point read_at_{};           // the next question for the newest view
  std::uint64_t heard_epoch_ = 0;  // the latest that somebody spoke of
  std::optional<inquiry> asking_quiet_;
  time_point quiet_at_{};
  std::optional<proposal> proposal_;
  time_point propose_at_{};
  detail::backoff propose_pause_;
  replication::repair repair_;
  std::vector<node_id> said_to_have_failed_;
  std::vector<accusation> missed_;     // neighbours of whom it is to be seen whether they answer
  time_point next_look_{};             // at what calls for another view
  std::vector<asked_change> changes_;  // oldest first

  // on disk
  durability disk_;
  std::uint64_t last_at_adoption_ = 0;  // of this epoch
  std::uint64_t told_durable_ = 0;      // to the successor, over this stream
  bool passive_ = false;                // since a restart
  std::uint64_t kept_epoch_ = 0;        // that was in force before it
  std::uint64_t read_back_ = 0;         // the newest record that it found; 0: none
  std::uint64_t alone_epoch_ = 0;       // of a view of itself alone that this process proposed; 0: none
  time_point alone_at_{};               // not before this, in this epoch

  // learners, at the tail
  backlog backlog_;
  std::vector<learner_feed> feeds_;    // one for each learner of the view
  std::vector<candidate> candidates_;  // oldest first
  time_point promote_at_{};
  std::optional<replica_id> promoting_;

  // as a learner
  bool is_whole_ = true;  // no checkpoint is half taken
  version checkpoint_base_;
  learner_position reported_;
  std::uint64_t parts_taken_ = 0;

  outgoing_link successor_;  // has_successor()
  outgoing_link to_tail_;    // likewise; of its own, so that questions do not wait behind records
  std::uint64_t sent_ = 0;   // newest record on its way to the successor
  std::size_t sent_weight_ = 0;
  std::uint64_t predecessor_ = 0;  // its stream; 0: none
  time_point predecessor_heard_{};
  std::optional<time_point> predecessor_gone_since_;
  std::uint64_t acked_ = 0;  // watermark that the predecessor was told
  accepted_links accepted_;
  std::deque<ungreeted_link> ungreeted_;  // oldest first
  std::size_t clients_ = 0;               // of the accepted links, those of clients
  time_point clients_asked_at_{};         // the next round of looking for silent ones, while there are any
  std::uint64_t next_stream_ = 1;

  bool stopped_ = false;
  bool fenced_ = false;
  time_point progress_at_{};  // the watermark last rose
  replica_counters counters_;
  frame scratch_;  // no state: memory for the frame being made
};

}  // namespace artillery::replication

#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "artillery/sim.hpp"
#include "base/random.hpp"
#include "replication/proposer.hpp"
#include "sim/register_checks.hpp"

namespace artillery::sim {

struct register_figures {
  std::uint64_t reads = 0;
  std::uint64_t swaps_chosen = 0;
  std::uint64_t swaps_refused = 0;
  std::uint64_t swaps_unknown = 0;
  std::uint64_t renewals = 0;
  std::uint64_t renewals_refused = 0;
  std::uint64_t leases_ended = 0;  ///< found to have run out, or dropped for a newer epoch
  std::uint64_t gates_none = 0;    ///< tails that could open at once
  std::uint64_t gates_waited = 0;
  std::uint64_t gates_early = 0;
  std::uint64_t foundings = 0;
  std::uint64_t foundings_refused = 0;
  std::uint64_t alarms = 0;
  std::uint64_t ballots = 0;
  std::uint64_t contentions = 0;
  std::uint64_t short_reads = 0;
};

/// How a member behaves: everything in it is drawn by the run.
struct member_driving {
  duration pace_max = std::chrono::milliseconds{20};  ///< between two things that it does of its own
  std::uint64_t swaps = 30;                           ///< per cent of them
  std::uint64_t forgets = 5;                          ///< per cent of its questions that it gives up soon
  bool asks_for_early_end = true;
};

/// What stands behind one register in this run, for a member to live on: it proposes views, adopts what was chosen,
/// keeps a lease by renewals (R6), and as a tail waits for its gate (R8). There is no chain here, only who may do what
/// when.
class member_program final : public program {
public:
  struct identity {
    member_life who;
    replication::replica_id self;
    endpoint at;
  };
  using places = std::function<std::vector<replication::member>()>;  ///< all members, as they are now

  member_program(const identity& self, const replication::proposer_config& config, const member_driving& driving,
                 std::uint64_t seed, register_checks& checks, register_figures& figures, const world& around,
                 places others);
  ~member_program() override;
  member_program(const member_program&) = delete;
  member_program& operator=(const member_program&) = delete;

  void start(time_point now, network_effects& out) override;
  void receive(const connection& from, const bytes& message, time_point now, network_effects& out) override;
  void expire(time_point now, network_effects& out) override;
  [[nodiscard]] std::optional<time_point> next_deadline() const override;

  void found(const replication::view& first, time_point now, network_effects& out);
  /// From now on it does nothing of its own but renew, and reads until it knows the newest view.
  void settle(bool proposes, time_point now, network_effects& out);
  /// After `settle`: it has read since, and the view that it was to propose was chosen.
  [[nodiscard]] bool is_settled() const noexcept { return is_settling_ && has_read_ && !proposes_last_; }

  [[nodiscard]] const replication::view& view() const noexcept { return view_; }
  [[nodiscard]] bool has_gate() const noexcept { return gate_until_.has_value(); }
  void count_into(register_figures& figures) const;
  /// While it has one.
  [[nodiscard]] std::optional<register_checks::lease> lease(time_point local_now) const;

private:
  class sink;
  void act(time_point now, effects<replication::register_event>& out);
  void ask(const replication::authority_question& question, time_point now, effects<replication::register_event>& out);
  void read(time_point now, effects<replication::register_event>& out);
  void swap(bool drops, time_point now, effects<replication::register_event>& out);
  void renew(time_point now, effects<replication::register_event>& out);
  [[nodiscard]] std::optional<replication::view> next_view(bool drops);
  void handle_events(time_point now, network_effects& out);
  void told(const replication::authority_answer& answer, time_point now, network_effects& out);
  void adopt(const replication::chosen_view& chosen, time_point now, network_effects& out);
  void ask_quiet(time_point now, effects<replication::register_event>& out);
  void open(time_point now);
  [[nodiscard]] bool is_member() const noexcept;
  [[nodiscard]] bool is_tail() const noexcept;
  [[nodiscard]] duration gate() const noexcept;
  template <class Call>
  void with_sink(time_point now, network_effects& out, Call call);

  identity self_;
  member_driving driving_;
  replication::proposer proposer_;
  detail::random random_;
  register_checks& checks_;
  register_figures& figures_;
  const world& world_;
  places others_;

  replication::view view_;
  replication::ballot chosen_in_;
  time_point lease_until_ = time_point::min();
  std::uint64_t opened_ = 0;  // newest epoch in which this tail opened
  std::optional<time_point> gate_until_;
  time_point acts_at_{};
  time_point renews_at_{};
  struct renewal {
    replication::question_id id = 0;
    std::uint64_t epoch = 0;
    time_point asked_at;
  };
  std::vector<renewal> renewals_;
  replication::question_id quiet_id_ = 0;  // of the gate at hand
  replication::question_id last_id_ = 0;
  std::deque<replication::register_event> events_;
  bool is_settling_ = false;
  bool proposes_last_ = false;
  bool has_read_ = false;
  replication::question_id settling_id_ = 0;  // questions from here on count for it
};

}  // namespace artillery::sim

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "artillery/sim.hpp"
#include "base/random.hpp"
#include "replication/core.hpp"
#include "replication/local_read.hpp"
#include "sim/chain_local_reads.hpp"
#include "sim/chain_store.hpp"
#include "sim/replica_disk.hpp"

namespace artillery::sim {

/// How a simulated replica is driven.
struct replica_driving {
  duration flush_delay{};         ///< what comes within it is sent together; 0: every input by itself
  duration read_pause_max{};      ///< between two steps of a `try_read`
  duration step_takes_max{};      ///< how far the clock moves on, now and then, while the core handles one input
  duration adopt_delay{};         ///< how long the authority takes to tell the view
  duration asked_before{};        ///< how much of the lease was over when the answer came
  std::optional<duration> lease;  ///< from the question on; nothing: endless
};

/// Where a replica asks for the view, when views change.
struct authority_seat {
  endpoint listens_at;
  std::function<void(const replication::authority_question&)> ask;
  /// The incarnation under which a replica that was removed comes back; 0: it does not.
  std::function<std::uint64_t()> next_incarnation;
};

/// Who hears of the reads of a replica's own process.
struct replica_callers {
  std::function<void(replication::request_id, std::error_code, const replication::read_result&)> on_read;
  local_reads::answered on_try;
  std::function<void(replication::request_id, std::error_code)> on_change{};
  std::optional<authority_seat> seat{};  ///< nothing: the view never changes
  std::shared_ptr<replica_disk> disk{};  ///< none: it keeps nothing
  /// Its process ends, however it does, or it becomes another replica: what is left of it, for the last time.
  std::function<void(const class replica_program&)> on_end;
};

/// One replica of a chain as a program of the simulator: the core, its store, the driver's part, and the threads of its
/// process that read.
class replica_program final : public program {
public:
  replica_program(const replication::replica_config& config, const replication::view& chain, std::uint64_t seed,
                  const replica_driving& driving, replica_callers callers = {});
  ~replica_program() override;

  void start(time_point now, network_effects& out) override;
  void receive(const connection& from, const bytes& message, time_point now, network_effects& out) override;
  void link(const connection& which, link_state state, time_point now, network_effects& out) override;
  void expire(time_point now, network_effects& out) override;
  [[nodiscard]] std::optional<time_point> next_deadline() const override;

  /// `try_read` on another thread; an answer for each key follows.
  void try_read(std::vector<local_reads::call> keys, time_point now);
  /// `async_read`, and the end of it by its caller.
  void read(replication::request_id request, const bytes& key, const replication::consistency& level,
            const replication::session_token& after, std::optional<time_point> deadline, time_point now,
            network_effects& out);
  void cancel(replication::request_id request, time_point now, network_effects& out);
  void hint(const node_id& about, replication::peer_hint what, time_point now, network_effects& out);
  void change(replication::request_id request, const replication::view_change& what, std::optional<time_point> deadline,
              time_point now, network_effects& out);
  void answered(const replication::authority_answer& answer, time_point now, network_effects& out);

  [[nodiscard]] const replication::core& core() const noexcept { return core_; }
  [[nodiscard]] const chain_store& objects() const noexcept { return *objects_; }
  /// Outlives the program, for the checkers.
  [[nodiscard]] const std::shared_ptr<chain_store>& share_objects() const noexcept { return objects_; }
  [[nodiscard]] const std::vector<replication::event>& events() const noexcept { return events_; }
  /// When the right to answer strong reads ends, on the own clock.
  [[nodiscard]] time_point lease_end() const noexcept { return lease_end_; }
  /// What the other threads of its process go by.
  [[nodiscard]] replication::serving_state published() const noexcept { return published_->load(); }

  // --- for checkers ---
  /// Strong reads of clean objects that asked the tail all the same.
  [[nodiscard]] std::uint64_t needless_questions() const noexcept { return needless_questions_; }
  /// Strong answers, and watermarks told to others, that nobody had a right to any more.
  [[nodiscard]] std::uint64_t answers_without_lease() const noexcept { return answers_without_lease_; }
  /// Keys that `try_read` answered.
  [[nodiscard]] std::uint64_t tried() const noexcept { return tried_; }
  /// Strong reads that came when the lease had ended.
  [[nodiscard]] std::uint64_t reads_after_lease() const noexcept { return reads_after_lease_; }

private:
  class sink;
  /// What the checkers hold a lease to, whatever the core makes of it.
  void count_lease(const replication::authority_answer& answer);
  void check_still(replication::request_id request, std::error_code error);
  template <class Function>
  void step(time_point now, network_effects& out, Function&& function);
  /// A strong read, about to be handed to the core: whether it needs no message.
  [[nodiscard]] bool needs_no_message(std::string_view key, time_point now);
  [[nodiscard]] duration step_takes();
  void restore(time_point now, network_effects& out);
  void adopt(time_point now, network_effects& out);
  void step_disk(time_point now, network_effects& out);
  void flush(time_point now, network_effects& out);
  void follow_epoch(time_point now, network_effects& out);
  void after_input(time_point now, network_effects& out);
  void step_reads(time_point now);

  replication::core core_;
  replication::view chain_;
  detail::random random_;
  replica_driving driving_;
  replica_callers callers_;
  std::shared_ptr<chain_store> objects_ = std::make_shared<chain_store>();
  std::unique_ptr<replication::published> published_ = std::make_unique<replication::published>();
  local_reads local_reads_;
  std::optional<time_point> adopt_at_;
  std::optional<time_point> flush_at_;
  time_point lease_end_ = time_point::min();
  std::uint64_t lease_epoch_ = 0;                               // when views change: of which `lease_end_` is
  std::map<replication::question_id, time_point> renewals_;     // when each was asked, in this epoch
  std::map<replication::request_id, time_point> strong_reads_;  // of the own process, that wait: when each came
  std::optional<time_point> told_by_;                           // in a step of an answer: when its question was asked
  std::vector<replication::event> events_;
  std::uint64_t needless_questions_ = 0;
  std::uint64_t answers_without_lease_ = 0;
  std::uint64_t tried_ = 0;
  std::uint64_t reads_after_lease_ = 0;
};

}  // namespace artillery::sim

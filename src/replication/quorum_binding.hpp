#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "artillery/detail/async.hpp"
#include "artillery/replication/quorum_authority.hpp"
#include "net/driver.hpp"
#include "net/event_queue.hpp"
#include "replication/register_core.hpp"
#include "replication/voter_writer_binding.hpp"

namespace artillery::replication {

/// What any thread may ask: copied out of the core after each input. Synchronises itself.
class quorum_board {
public:
  void post(const register_core& from);
  void bound_to(const endpoint& at);
  void stopped();
  [[nodiscard]] quorum_status status() const;
  [[nodiscard]] endpoint bound() const;
  void visit(const metric_visitor& visit) const;

private:
  mutable std::mutex mutex_;
  quorum_status status_;
  endpoint bound_;
  proposer_counters asked_;
  acceptor_counters voted_;
  std::uint64_t misdirected_ = 0;
};

/// The core as its driver sees it: the same inputs, and a look at the result after each.
class watched_register {
public:
  watched_register(register_core core, quorum_board& board) : core_{std::move(core)}, board_{&board} {}

  void receive(const connection& from, bytes_view datagram, time_point now, effects<register_event>& out) {
    core_.receive(from, datagram, now, out);
    board_->post(core_);
  }
  void completed(operation op, std::error_code error, time_point now, effects<register_event>& out) {
    core_.completed(op, error, now, out);
    board_->post(core_);
  }
  void expire(time_point now, effects<register_event>& out) {
    core_.expire(now, out);
    board_->post(core_);
  }
  [[nodiscard]] std::optional<time_point> next_deadline() const { return core_.next_deadline(); }
  /// A call of the user's.
  template <class Function>
  void use(Function function) {
    function(core_);
    board_->post(core_);
  }
  [[nodiscard]] const register_core& inner() const noexcept { return core_; }

private:
  register_core core_;
  quorum_board* board_;
};

/// A quorum authority's insides: the driver of its core, and who waits for what.
class quorum_binding final : public net::driver<watched_register, register_event> {
public:
  using founded = detail::completion<void(std::error_code, view)>;
  /// What `quorum_authority::async_force` was asked for.
  struct force_call {
    view known;
    replica_id survivor;
    endpoint reached_at;
    detail::completion<void(std::error_code, forced_register)> done;
  };
  /// Who waits for the answer to a question to the voters.
  using asker =
      std::variant<authority::read_handler, authority::view_handler, authority::done_handler, authority::quiet_handler>;

  quorum_binding(asio::any_io_executor executor, quorum_config given, std::unique_ptr<quorum_board> board,
                 std::shared_ptr<voter_writer> writer, detail::random random);

  void ready(std::uint64_t number, detail::completion<void(std::error_code, endpoint)> waiting);
  void found(std::uint64_t number, view first, founded waiting);
  void use_voters(std::vector<voter_place> voters);
  void change_voters(std::vector<voter_place> voters);
  void force(force_call wanted);
  /// `question` gets its id here.
  void ask(const replica_id& who, authority_question question, asker waiting);

  // constant
  const quorum_config options;
  // synchronises itself
  quorum_board& seen() const noexcept { return *board_; }

  // on the strand
  net::event_queue<quorum_event> events;
  detail::waiting_list<void(std::error_code, endpoint)> starting;
  detail::waiting_list<void(std::error_code, view)> founding_calls;

private:
  std::error_code on_start() override;
  void on_stop(std::error_code why) override;
  void on_event(register_event what) override;

  [[nodiscard]] std::error_code take_directory();
  [[nodiscard]] endpoint where_to_bind() const;
  void disk_failed(std::error_code error);
  void told(const authority_answer& answer);
  void told(const founding& result);
  void told(const voter_alarm& what);
  void told(const given_up& what);
  void raise(quorum_alarm::reason why, const node_id& voter, std::string explanation);
  [[nodiscard]] std::optional<asker> take(question_id id);

  // quorum_force_binding.cpp: another register takes the place of a lost one
  void force_unless(std::error_code unread);
  [[nodiscard]] std::error_code begin_again(const force_call& wanted, forced_register& begun);
  void drop_questions();

  std::unique_ptr<quorum_board> board_;
  std::shared_ptr<voter_writer> writer_;
  std::uint64_t fresh_;   // incarnation of a voter that begins in an empty directory
  detail::random later_;  // for registers that take the place of this one
  std::vector<voter_place> voters_;
  std::vector<member> founded_with_;  ///< the voters of the chain, as the directory here knows; empty: none yet
  std::optional<view> founding_;
  std::optional<force_call> forcing_;
  std::map<question_id, asker> asked_;
  question_id last_id_ = 0;
};

/// In lives that are not known yet.
[[nodiscard]] std::vector<member> as_members(const std::vector<voter_place>& voters);
[[nodiscard]] proposer_config proposer_config_of(const quorum_config& given);
/// Answers an asker with nothing but an error.
void refuse(const quorum_binding::asker& waiting, std::error_code why);

}  // namespace artillery::replication

#pragma once

#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/error.hpp>
#include <asio/steady_timer.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "artillery/discovery.hpp"
#include "artillery/membership.hpp"
#include "artillery/node.hpp"
#include "artillery/replication/quorum_authority.hpp"
#include "net/event_queue.hpp"
#include "net/strand.hpp"
#include "node/calls.hpp"
#include "node/chain_bootstrap.hpp"
#include "node/node_directory.hpp"

namespace artillery::detail {

/// What a node hosts of a chain. Together, since the replica needs the authority for as long as anybody uses it.
struct hosted_replica {
  std::optional<replication::quorum_authority> decides;  ///< none: the node is the whole chain
  std::optional<replication::replica> here;
};

/// The insides of a `node`. Only the handle keeps it: what its parts call back holds it weakly, since it holds them.
class node_impl : public std::enable_shared_from_this<node_impl> {
public:
  using done = completion<done_signature>;

  node_impl(asio::any_io_executor executor, node_config config);
  node_impl(const node_impl&) = delete;
  node_impl& operator=(const node_impl&) = delete;
  ~node_impl();

  // --- any thread ---
  [[nodiscard]] const net::strand& executor() const noexcept { return strand_; }
  [[nodiscard]] const asio::any_io_executor& user_executor() const noexcept { return user_executor_; }

  void run(done when_over);
  void next_event(completion<event_signature> waiting);
  void leave(std::string reason, done when_over);
  void broadcast(std::string topic, bytes payload, done when_over);
  void send(const node_id& to, std::string topic, bytes payload, const membership::send_options& how, done when_over);
  void query(std::string topic, bytes payload, membership::query_options options,
             completion<query_signature> when_over);
  void next_answer(std::uint64_t query, completion<progress_signature> when_over);
  void drop_query(std::uint64_t query);
  void answer(membership::query asked, bytes payload, done when_over);
  void read(bytes key, replication::consistency level, call_options options, completion<read_signature> when_over);
  void write(replication::write what, call_options options, completion<write_signature> when_over);
  void change_chain(replication::view_change what, call_options options, done when_over);
  void force_chain(completion<force_signature> when_over);

  [[nodiscard]] std::vector<membership::member> members() const;
  [[nodiscard]] membership::member self() const;
  std::error_code add_seed(const endpoint& seed);
  std::error_code add_seed(std::string_view name);
  std::error_code set_tags(membership::tag_map tags);
  [[nodiscard]] replication::local_read try_read(std::string_view key) const;
  [[nodiscard]] std::optional<replication::view> chain() const;
  [[nodiscard]] node_status status() const;
  void metrics(const metric_visitor& visit) const;

private:
  enum class phase : std::uint8_t { idle, running, stopped };

  // node_impl.cpp: life
  void start();
  void stop(std::error_code why);
  void begin_leave(std::uint64_t number, std::string reason, done when_over);
  void half_left();
  void leave_soon();
  [[nodiscard]] bool hosts_replica_of_several() const;
  void make_replica();
  void part_is_up();
  void up();
  void log(log_level level, std::string_view message) const;
  [[nodiscard]] std::error_code problem_of_key(const bytes& key) const noexcept;
  void start_call(std::uint64_t number, std::shared_ptr<call> what);

  // node_events.cpp: what the parts tell
  void pull_discovery();
  void pull_membership();
  void pull_replication();
  void hear(const membership::event& what);

  // node_talk.cpp: what members say to each other
  [[nodiscard]] bool is_running() const;
  [[nodiscard]] bool take_own(const membership::event& what);

  // node_chain.cpp: the chain
  void observe_soon();
  void go_on_with_chain();
  void look_at_register();
  void publish_tags();
  void found_chain();
  void founded(std::error_code error);
  void use_chain();
  void be_the_chain();
  void make_client(std::vector<endpoint> replicas);
  void drop_client();
  void wait_for_answer();
  void answered();
  void serve_if_due();
  void serve();
  void view_changed();
  void report_conflict();
  [[nodiscard]] chain_state state() const;
  void arm();
  void publish();

  // node_force.cpp: another chain takes the place of a lost one
  [[nodiscard]] std::error_code begin_force(completion<force_signature>& when_over);
  [[nodiscard]] bool is_chain_replica() const;
  void force_without_lease();
  void forced(std::error_code error, replication::forced_register begun);
  void force_if_due();
  void end_force(std::error_code error, forced_chain result);

  /// A handler that runs `function(node_impl&, results…)` on the strand, unless the node is gone by then.
  template <class Function>
  auto on_strand(Function function) {
    return asio::bind_executor(asio::any_io_executor{strand_},
                               [weak = weak_from_this(), function = std::move(function)](auto&&... results) mutable {
                                 if (const auto self = weak.lock())
                                   function(*self, std::forward<decltype(results)>(results)...);
                               });
  }
  /// Runs a part until the node stops it, or has no more use for it; what ends by itself ends the node.
  template <class Part>
  void run_part(Part& part, asio::cancellation_signal& cancellation) {
    part.async_run(
        asio::bind_cancellation_slot(cancellation.slot(), on_strand([](node_impl& self, std::error_code error) {
                                       if (error != asio::error::operation_aborted) self.stop(error);
                                     })));
  }

  // constant after construction
  const asio::any_io_executor user_executor_;
  const net::strand strand_;
  const std::unique_ptr<node_directory> directory_;  ///< none: there is nothing to keep
  const node_config config_;
  const std::string problem_;  ///< of the configuration; there are no parts then
  const std::uint64_t incarnation_;
  const std::shared_ptr<call_table> calls_;

  // The signals outlive the parts that are connected to them.
  asio::cancellation_signal stop_discovery_;
  asio::cancellation_signal stop_membership_;
  asio::cancellation_signal stop_replication_;
  asio::cancellation_signal stop_register_;
  asio::cancellation_signal stop_client_;

  // Constant after construction, and they synchronise themselves.
  std::optional<discovery::beacon> beacon_;
  std::optional<membership::cluster> cluster_;
  std::shared_ptr<replication::replica> replica_;     ///< of a `hosted_replica`
  replication::quorum_authority* decides_ = nullptr;  ///< likewise

  // on the strand
  phase phase_ = phase::idle;
  done run_done_;
  bool membership_up_ = false;
  bool replication_up_ = false;
  bool register_up_ = false;
  bool founding_begun_ = false;
  std::optional<chain_conflict> register_conflict_;
  completion<force_signature> forcing_;                 ///< whoever waits for a chain that is forced
  std::optional<replication::forced_register> forced_;  ///< and not in force here yet
  bool observing_ = false;
  bool leaving_begun_ = false;
  int parts_leaving_ = 0;
  waiting_list<done_signature> leaving_;
  net::event_queue<node_event> events_;
  std::optional<chain_bootstrap> bootstrap_;
  membership::tag_map own_tags_;  ///< the user's
  membership::tag_map published_tags_;
  std::optional<std::uint64_t> served_;  ///< genesis of the chain that the client is one of
  std::vector<endpoint> asked_;          ///< where the client asks for the view
  bool has_answer_ = false;
  bool is_serving_ = false;
  bool is_adopted_ = false;  ///< of a node that is the whole chain
  replication::view told_;   ///< the newest view that events told of
  std::shared_ptr<replication::client> client_;
  std::optional<chain_conflict> reported_conflict_;
  asio::steady_timer timer_;
  asio::steady_timer leaving_timer_;
  asio::steady_timer force_timer_;

  // shared by all threads
  struct snapshot {
    bool running = false;
    endpoint membership;
    endpoint replication;
    chain_state chain = chain_state::waiting;
    std::string remark = "not running";
    std::size_t malformed_tags = 0;
    std::shared_ptr<replication::client> client;
  };
  mutable std::mutex mutex_;
  snapshot seen_;  ///< guarded by mutex_
};

}  // namespace artillery::detail

#include "agent/agent.hpp"

#include <unistd.h>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <optional>
#include <utility>
#include <variant>

#include "agent/configuration.hpp"
#include "agent/control_server.hpp"
#include "agent/feed.hpp"
#include "agent/line_printer.hpp"
#include "agent/report.hpp"
#include "agent/request_handler.hpp"
#include "agent/state_times.hpp"
#include "artillery/node.hpp"
#include "byte_json.hpp"
#include "control/listener.hpp"
#include "control/socket_path.hpp"
#include "notation.hpp"

namespace tool {

namespace {

/// Leaving the cluster takes as long as the network needs, but no longer than this.
constexpr std::chrono::seconds leave_max{6};

/// The socket's directory comes first when the place is ours to choose.
std::string prepared_socket_path(const common_options& options) {
  control::require_bindable(options.socket_path());
  if (options.socket.empty()) control::make_default_directory();
  return options.socket_path();
}

class agent_process {
public:
  explicit agent_process(const agent_options& options)
      : options_{options},
        node_{io_.get_executor(), agent::configuration_of(options)},
        socket_path_{prepared_socket_path(options.common)},
        listener_{socket_path_},
        handler_{{node_, feed_, times_, socket_path_, options.value_size_max,
                  [this](std::string reason) { leave(std::move(reason)); }}},
        server_{io_.get_executor(), listener_.release(), handler_, feed_, options.value_size_max},
        printer_{options.common.format} {}

  exit_code run();

private:
  void wait_for_signal();
  void leave(std::string reason);
  void next_event();
  void report_ready();
  void node_ended(std::error_code error);

  const agent_options& options_;
  asio::io_context io_{1};
  artillery::node node_;
  std::string socket_path_;
  control::listener listener_;
  agent::feed feed_;
  agent::state_times times_;
  agent::request_handler handler_;
  agent::control_server server_;
  agent::line_printer printer_;
  asio::signal_set signals_{io_, SIGINT, SIGTERM};
  asio::steady_timer leave_timer_{io_};
  bool leaving_ = false;
  exit_code result_ = exit_code::done;
  std::optional<failure> failure_;
};

exit_code agent_process::run() {
  wait_for_signal();
  node_.async_run([this](std::error_code error) { node_ended(error); });
  next_event();
  io_.run();
  if (failure_) throw failure{*failure_};
  return result_;
}

void agent_process::wait_for_signal() {
  signals_.async_wait([this](std::error_code error, int) {
    if (error) return;
    if (leaving_) {
      result_ = exit_code::failed;
      return io_.stop();
    }
    leave({});
    wait_for_signal();
  });
}

void agent_process::leave(std::string reason) {
  if (std::exchange(leaving_, true)) return;
  server_.stop();
  leave_timer_.expires_after(leave_max);
  leave_timer_.async_wait([this](std::error_code error) {
    if (!error) io_.stop();
  });
  node_.async_leave(std::move(reason), [this](std::error_code error) {
    // It was not up yet: there is nobody to take leave of.
    if (error) io_.stop();
  });
}

void agent_process::node_ended(std::error_code error) {
  if (error && !leaving_) failure_ = agent::explain_end(options_, error);
  io_.stop();
}

void agent_process::next_event() {
  node_.async_next_event([this](std::error_code error, const artillery::node_event& event) {
    if (error) return;  // the node has ended; `node_ended` tells why
    times_.note(event);
    agent::report made = agent::event_report(event, node_.self().id);
    if (std::holds_alternative<artillery::node_started>(event)) {
      report_ready();
      server_.start();
    } else {
      printer_.print(made.event);
    }
    feed_.publish(made);
    next_event();
  });
}

void agent_process::report_ready() {
  nlohmann::json ready = agent::status_report(node_);
  ready["event"] = "ready";
  ready["time"] = time_text();
  ready["pid"] = ::getpid();
  ready["socket"] = socket_path_;
  printer_.print(ready);
}

}  // namespace

exit_code run(const agent_options& options) {
  // Whoever reads our lines may go away; that ends a write, not the agent.
  std::signal(SIGPIPE, SIG_IGN);
  if (options.insecure && !options.bind.is_loopback())
    std::fprintf(stderr,
                 "artillery: warning: --insecure: whoever reaches %s can join this cluster, read and write its data\n",
                 artillery::to_string(options.bind).c_str());
  return agent_process{options}.run();
}

}  // namespace tool

#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/steady_timer.hpp>
#include <cstddef>
#include <memory>
#include <vector>

#include "agent/session.hpp"

namespace tool::agent {

/// Accepts commands at the agent's socket. Only processes of the same user, or root's, are talked to.
class control_server {
public:
  static constexpr std::size_t sessions_max = 256;

  /// `listening` is the descriptor of a listening Unix socket; it is owned from now on.
  control_server(const asio::any_io_executor& executor, int listening, request_handler& handler, feed& events,
                 std::size_t value_size_max);

  control_server(const control_server&) = delete;
  control_server& operator=(const control_server&) = delete;
  /// Breaks off the sessions there are.
  ~control_server();

  void start() { accept(); }
  /// Accepts nobody any more.
  void stop();

private:
  void accept();
  void accept_later();
  void welcome(session::socket_type socket);

  asio::local::stream_protocol::acceptor acceptor_;
  asio::steady_timer pause_;
  request_handler& handler_;
  feed& events_;
  std::size_t value_size_max_;
  std::vector<std::weak_ptr<session>> sessions_;
};

}  // namespace tool::agent

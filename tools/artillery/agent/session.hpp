#pragma once

#include <array>
#include <asio/local/stream_protocol.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "agent/feed.hpp"
#include "agent/request_handler.hpp"
#include "control/message.hpp"

namespace tool::agent {

/// One command at the agent's socket: answers its requests one after the other, or, once it asked to watch, sends it
/// events until it goes away, or, once it asked all members, their answers.
class session : public std::enable_shared_from_this<session> {
public:
  using socket_type = asio::local::stream_protocol::socket;

  session(socket_type socket, request_handler& handler, feed& events, std::size_t value_size_max);

  void start() { proceed(); }
  /// Breaks it off.
  void stop();

private:
  void read();
  void proceed();
  void handle(const control::message& request);
  void answer(nlohmann::json reply, std::optional<artillery::bytes> body);
  void watch(const control::message& request);
  void ask(const control::message& request);
  void send_answer();
  void listen_for_end();
  void send_events();
  void finish_with(std::string_view code, const std::string& text);

  socket_type socket_;
  request_handler& handler_;
  feed& events_;
  control::decoder decoder_;
  std::array<char, std::size_t{64} << 10U> piece_{};
  std::string outgoing_;
  artillery::bytes outgoing_body_;
  std::shared_ptr<subscription> subscription_;
  std::shared_ptr<question> question_;
  bool sending_ = false;
};

}  // namespace tool::agent

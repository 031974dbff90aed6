#include "agent/session.hpp"

#include <asio/buffer.hpp>
#include <asio/write.hpp>
#include <utility>

#include "agent/request_fields.hpp"
#include "control/reply.hpp"

namespace tool::agent {

session::session(socket_type socket, request_handler& handler, feed& events, std::size_t value_size_max)
    : socket_{std::move(socket)},
      handler_{handler},
      events_{events},
      decoder_{control::decoder::limits{control::request_line_max, value_size_max}} {}

void session::stop() {
  std::error_code ignored;
  socket_.close(ignored);
  subscription_.reset();
  question_.reset();
}

void session::read() {
  socket_.async_read_some(asio::buffer(piece_), [self = shared_from_this()](std::error_code error, std::size_t size) {
    if (error) return self->stop();
    self->decoder_.feed({self->piece_.data(), size});
    self->proceed();
  });
}

void session::proceed() {
  try {
    const auto request = decoder_.next();
    if (!request) return read();
    handle(*request);
  } catch (const control::malformed& wrong) {
    finish_with(control::bad_request, wrong.what());
  }
}

void session::handle(const control::message& request) {
  const auto version = request.head.find("version");
  if (version != request.head.end() && *version != control::protocol_version) {
    return finish_with(control::other_protocol,
                       "this agent speaks version " + std::to_string(control::protocol_version) +
                           " of the control protocol; command and agent must be of one release");
  }
  const auto op = request.head.find("op");
  if (op != request.head.end() && *op == "watch") return watch(request);
  if (op != request.head.end() && *op == "query") return ask(request);
  handler_.handle(request, [self = shared_from_this()](nlohmann::json reply, std::optional<artillery::bytes> body) {
    self->answer(std::move(reply), std::move(body));
  });
}

void session::answer(nlohmann::json reply, std::optional<artillery::bytes> body) {
  outgoing_body_ = body.value_or(artillery::bytes{});
  if (body) reply["body"] = outgoing_body_.size();
  outgoing_ = control::encode(std::move(reply));
  const std::array<asio::const_buffer, 2> buffers{asio::buffer(outgoing_),
                                                  asio::buffer(outgoing_body_.data(), outgoing_body_.size())};
  asio::async_write(socket_, buffers, [self = shared_from_this()](std::error_code error, std::size_t) {
    if (error) return self->stop();
    self->outgoing_body_ = {};
    self->proceed();
  });
}

void session::watch(const control::message& request) {
  interest wanted;
  try {
    wanted.kinds = texts_field(request.head, "kinds");
    if (request.head.contains("topic")) wanted.topic = bytes_field(request.head, "topic");
  } catch (const bad_field& wrong) {
    return finish_with(control::bad_request, wrong.what());
  }
  subscription_ = events_.subscribe(std::move(wanted), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->send_events();
  });
  outgoing_ = control::encode({{"ok", true}});
  sending_ = true;
  asio::async_write(socket_, asio::buffer(outgoing_), [self = shared_from_this()](std::error_code error, std::size_t) {
    self->sending_ = false;
    if (error) return self->stop();
    self->send_events();
  });
  listen_for_end();
}

void session::ask(const control::message& request) {
  handler_.query(request, [self = shared_from_this()](nlohmann::json reply, std::shared_ptr<question> asked) {
    if (asked == nullptr) return self->answer(std::move(reply), std::nullopt);
    self->question_ = std::move(asked);
    self->outgoing_ = control::encode(std::move(reply));
    asio::async_write(self->socket_, asio::buffer(self->outgoing_), [self](std::error_code error, std::size_t) {
      if (error) return self->stop();
      self->send_answer();
    });
    self->listen_for_end();
  });
}

void session::send_answer() {
  if (question_ == nullptr) return;
  question_->next([self = shared_from_this()](std::optional<std::string> line, bool is_last) {
    if (!line) return self->stop();
    self->outgoing_ = std::move(*line);
    asio::async_write(self->socket_, asio::buffer(self->outgoing_),
                      [self, is_last](std::error_code error, std::size_t) {
                        if (error || is_last) return self->stop();
                        self->send_answer();
                      });
  });
}

void session::listen_for_end() {
  // Whatever comes now is not asked for; but the end must be noticed, or the subscription would stay for ever.
  socket_.async_read_some(asio::buffer(piece_), [self = shared_from_this()](std::error_code error, std::size_t) {
    if (error) return self->stop();
    self->listen_for_end();
  });
}

void session::send_events() {
  if (sending_ || !subscription_) return;
  constexpr std::size_t batch_max = std::size_t{64} << 10U;
  outgoing_.clear();
  while (outgoing_.size() < batch_max) {
    auto line = subscription_->take();
    if (!line) break;
    outgoing_ += *line;
  }
  if (outgoing_.empty()) return;
  sending_ = true;
  asio::async_write(socket_, asio::buffer(outgoing_), [self = shared_from_this()](std::error_code error, std::size_t) {
    self->sending_ = false;
    if (error) return self->stop();
    self->send_events();
  });
}

void session::finish_with(std::string_view code, const std::string& text) {
  outgoing_ = control::encode(control::error_reply(code, text));
  asio::async_write(socket_, asio::buffer(outgoing_),
                    [self = shared_from_this()](std::error_code, std::size_t) { self->stop(); });
}

}  // namespace tool::agent

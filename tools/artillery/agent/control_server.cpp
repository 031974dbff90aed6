#include "agent/control_server.hpp"

#include <unistd.h>

#include <chrono>
#include <utility>

#include "control/peer.hpp"

namespace tool::agent {

control_server::control_server(const asio::any_io_executor& executor, int listening, request_handler& handler,
                               feed& events, std::size_t value_size_max)
    : acceptor_{executor, asio::local::stream_protocol{}, listening},
      pause_{executor},
      handler_{handler},
      events_{events},
      value_size_max_{value_size_max} {}

control_server::~control_server() {
  for (const auto& one : sessions_) {
    if (const auto alive = one.lock()) alive->stop();
  }
}

void control_server::stop() {
  std::error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
}

void control_server::accept() {
  acceptor_.async_accept([this](std::error_code error, session::socket_type socket) {
    if (!acceptor_.is_open()) return;
    if (error) return accept_later();
    welcome(std::move(socket));
    accept();
  });
}

void control_server::accept_later() {
  // Out of descriptors, most likely: trying again at once would only keep the processor busy.
  pause_.expires_after(std::chrono::milliseconds{100});
  pause_.async_wait([this](std::error_code error) {
    if (!error && acceptor_.is_open()) accept();
  });
}

void control_server::welcome(session::socket_type socket) {
  const auto peer = control::peer_of(socket.native_handle());
  if (!peer || (peer->uid != ::geteuid() && peer->uid != 0)) return;
  std::erase_if(sessions_, [](const auto& one) { return one.expired(); });
  if (sessions_.size() >= sessions_max) return;
  auto made = std::make_shared<session>(std::move(socket), handler_, events_, value_size_max_);
  sessions_.push_back(made);
  made->start();
}

}  // namespace tool::agent

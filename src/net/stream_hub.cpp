#include "net/stream_hub.hpp"

#include <asio/error.hpp>
#include <asio/ip/v6_only.hpp>
#include <asio/post.hpp>
#include <utility>

#include "net/socket_address.hpp"
#include "net/system_error.hpp"

namespace artillery::net {

stream_hub::stream_hub(const strand& executor, const stream_limits& limits, observer& told)
    : executor_{executor}, limits_{limits}, observer_{&told}, acceptor_{executor}, accept_timer_{executor} {}

stream_hub::~stream_hub() {
  shut_down();
}

std::error_code stream_hub::listen(const endpoint& at) {
  std::error_code error;
  const auto local = to_asio<asio::ip::tcp::endpoint>(at);
  acceptor fresh{executor_};
  fresh.open(local.protocol(), error);
  if (error) return standard(error);
  // Otherwise a restart within a minute finds the port taken by connections of its former life.
  fresh.set_option(asio::socket_base::reuse_address{true}, error);
  if (!error && at.is_v6()) fresh.set_option(asio::ip::v6_only{true}, error);
  if (!error) fresh.bind(local, error);
  if (!error) fresh.listen(asio::socket_base::max_listen_connections, error);
  if (error) return standard(error);
  acceptor_ = std::move(fresh);
  accept();
  return {};
}

void stream_hub::stop_listening() noexcept {
  std::error_code ignored;
  acceptor_.close(ignored);
  accept_timer_.cancel(ignored);
}

endpoint stream_hub::bound() const {
  std::error_code error;
  const auto local = acceptor_.local_endpoint(error);
  return error ? endpoint{} : from_asio(local);
}

void stream_hub::accept() {
  acceptor_.async_accept(executor_, [weak = weak_from_this()](std::error_code error, stream_socket socket) {
    if (auto self = weak.lock()) self->accepted(error, std::move(socket));
  });
}

void stream_hub::accepted(std::error_code error, stream_socket socket) {
  if (observer_ == nullptr || !acceptor_.is_open()) return;
  if (error == asio::error::operation_aborted) return;  // this acceptor was replaced
  if (error) {
    // No descriptors or memory, most likely: asking again at once would fail again at once.
    ++counters_.accept_errors;
    accept_timer_.expires_after(limits_.accept_pause);
    accept_timer_.async_wait([weak = weak_from_this()](std::error_code cancelled) {
      if (auto self = weak.lock(); self && !cancelled && self->acceptor_.is_open()) self->accept();
    });
    return;
  }
  const auto remote = socket.remote_endpoint(error);
  if (!error && accepted_now_ >= limits_.connections_max) {
    ++counters_.refused;  // the socket's destructor closes it
  } else if (!error) {
    ++counters_.accepted;
    ++accepted_now_;
    const auto identity = connection::stream(next_accepted_, from_asio(remote));
    next_accepted_ += 2;
    listener& here = *this;  // make_shared could not see the private base
    auto stream = std::make_shared<framed_stream>(std::move(socket), identity, limits_, here, counters_);
    streams_.emplace(identity.number, entry{stream});
    stream->start();
  }
  if (observer_ != nullptr && acceptor_.is_open()) accept();
}

void stream_hub::open(std::uint64_t number, const endpoint& to) {
  const auto identity = connection::stream(number, to);
  if (streams_.size() - accepted_now_ >= limits_.connections_max) {
    ++counters_.refused;
    asio::post(executor_, [weak = weak_from_this(), identity] {
      if (auto self = weak.lock(); self && self->observer_ != nullptr)
        self->observer_->stream_link(identity, link_state::down);
    });
    return;
  }
  listener& here = *this;
  auto stream = std::make_shared<framed_stream>(stream_socket{executor_}, identity, limits_, here, counters_);
  if (streams_.emplace(number, entry{stream}).second) stream->connect(to);
}

void stream_hub::send(std::uint64_t number, bytes_view header, std::span<const bytes> body) {
  const auto at = streams_.find(number);
  if (at == streams_.end() || !at->second.stream->send(header, body)) ++counters_.frames_dropped;
}

void stream_hub::close(std::uint64_t number) {
  const auto at = streams_.find(number);
  if (at == streams_.end()) return;
  at->second.is_told = false;
  at->second.stream->close();
}

void stream_hub::shut_down() noexcept {
  if (observer_ == nullptr) return;
  observer_ = nullptr;
  stop_listening();
  for (auto& [number, one] : streams_) one.stream->abort();
  streams_.clear();
}

void stream_hub::stream_frame(framed_stream& from, const bytes& frame) {
  observer_->stream_received(from.identity(), frame);
}

void stream_hub::stream_state(framed_stream& which, link_state state) {
  const auto at = streams_.find(which.identity().number);
  if (at != streams_.end() && at->second.is_told) observer_->stream_link(which.identity(), state);
}

void stream_hub::stream_ended(framed_stream& which, std::error_code why) {
  const auto identity = which.identity();
  const auto node = streams_.extract(identity.number);
  if (node.empty()) return;
  if (!identity.outgoing()) --accepted_now_;
  if (!node.mapped().is_told) return;
  if (why) ++counters_.broken;
  observer_->stream_link(identity, link_state::down);
}

}  // namespace artillery::net

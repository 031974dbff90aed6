#include "net/datagram_socket.hpp"

#include <algorithm>
#include <asio/error.hpp>
#include <cstring>
#include <utility>

#include "net/socket_address.hpp"
#include "net/system_error.hpp"

namespace artillery::net {
namespace {

// Longer than any UDP payload, so that nothing is cut off.
constexpr std::size_t receive_space = 65'536;
// Datagrams taken before others on the executor get their turn.
constexpr int batch_max = 32;
constexpr std::chrono::milliseconds pause_max{1000};

bool would_block(std::error_code error) noexcept {
  return error == std::errc::operation_would_block || error == std::errc::resource_unavailable_try_again;
}

bytes joined(bytes_view header, std::span<const bytes> body) {
  std::size_t size = header.size();
  for (const auto& part : body) size += part.size();
  bytes_buffer whole{size};
  std::size_t used = 0;
  const auto add = [&](bytes_view part) {
    if (!part.empty()) std::memcpy(whole.data() + used, part.data(), part.size());
    used += part.size();
  };
  add(header);
  for (const auto& part : body) add(part);
  return std::move(whole).freeze(size);
}

std::size_t size_of(bytes_view header, std::span<const bytes> body) noexcept {
  std::size_t size = header.size();
  for (const auto& part : body) size += part.size();
  return size;
}

}  // namespace

datagram_socket::datagram_socket(const strand& executor, const datagram_options& options)
    : socket_{executor}, pause_{executor}, queue_bytes_max_{options.queue_bytes_max} {}

std::shared_ptr<datagram_socket> datagram_socket::open(const strand& executor, const datagram_options& options,
                                                       std::error_code& error) {
  auto self = std::make_shared<datagram_socket>(executor, options);
  const auto local = to_asio<asio::ip::udp::endpoint>(options.bind);
  self->socket_.open(local.protocol(), error);
  if (!error) error = prepare_datagram_socket(self->socket_.native_handle(), options);
  if (!error) self->socket_.bind(local, error);
  error = standard(error);
  return error ? nullptr : self;
}

void datagram_socket::receive(handler on_message) {
  on_message_ = std::move(on_message);
  wait_readable();
}

endpoint datagram_socket::bound() const {
  std::error_code error;
  const auto local = socket_.local_endpoint(error);
  return error ? endpoint{} : from_asio(local);
}

std::error_code datagram_socket::join(const endpoint& group, std::uint32_t interface) {
  return join_group(socket_.native_handle(), group, interface);
}

std::error_code datagram_socket::leave(const endpoint& group, std::uint32_t interface) {
  return leave_group(socket_.native_handle(), group, interface);
}

void datagram_socket::close() noexcept {
  if (!socket_.is_open()) return;
  std::error_code ignored;
  socket_.close(ignored);
  pause_.cancel(ignored);
  queue_.clear();
  queued_bytes_ = 0;
  if (!is_delivering_) on_message_ = nullptr;
}

void datagram_socket::wait_readable() {
  socket_.async_wait(asio::socket_base::wait_read, [self = shared_from_this()](std::error_code error) {
    if (!self->socket_.is_open() || error == asio::error::operation_aborted) return;
    if (error) return self->pause();
    self->readable();
  });
}

void datagram_socket::readable() {
  is_delivering_ = true;
  const auto error = take_batch();
  is_delivering_ = false;
  if (!socket_.is_open()) {
    on_message_ = nullptr;  // closed from within it
  } else if (!error || would_block(error)) {
    wait_readable();
  } else {
    ++counters_.receive_errors;
    pause();
  }
}

std::error_code datagram_socket::take_batch() {
  for (int taken = 0; taken < batch_max && socket_.is_open(); ++taken) {
    if (const auto error = take_one()) return error;
    pause_length_ = std::chrono::milliseconds{1};
  }
  return {};
}

/// A socket that reports an error may do so for ever: ask again later, and later each time.
void datagram_socket::pause() {
  pause_.expires_after(pause_length_);
  pause_length_ = std::min(2 * pause_length_, pause_max);
  pause_.async_wait([self = shared_from_this()](std::error_code error) {
    if (!error && self->socket_.is_open()) self->wait_readable();
  });
}

std::error_code datagram_socket::take_one() {
  if (!buffer_.sole_owner()) buffer_ = bytes_buffer{receive_space};
  received_datagram details;
  const auto error = receive_datagram(socket_.native_handle(), {buffer_.data(), buffer_.capacity()}, details);
  if (error) return error;
  if (details.truncated) {
    ++counters_.truncated;
    return {};
  }
  ++counters_.received;
  counters_.bytes_received += details.size;
  // A large one is shared as it lies; for a small one the copy is cheaper than the memory it would keep.
  on_message_(buffer_.share(0, details.size).compact(), details);
  return {};
}

void datagram_socket::send(const endpoint& to, bytes_view header, std::span<const bytes> body) {
  if (!socket_.is_open()) return;
  if (queue_.empty()) {
    const auto error = send_datagram(socket_.native_handle(), to, header, body);
    if (!error) return sent(size_of(header, body));
    if (!would_block(error)) return refused(error);
  }
  const std::size_t size = size_of(header, body) + sizeof(waiting_datagram);  // empty ones count, too
  if (size > queue_bytes_max_ - std::min(queued_bytes_, queue_bytes_max_)) {
    ++counters_.dropped_full;
    return;
  }
  queue_.push_back({to, joined(header, body)});
  queued_bytes_ += size;
  ++counters_.queued;
  wait_writable();
}

void datagram_socket::sent(std::size_t size) noexcept {
  ++counters_.sent;
  counters_.bytes_sent += size;
}

void datagram_socket::refused(std::error_code error) {
  ++counters_.dropped_error;
  ++counters_.send_errors[error.value()];
}

void datagram_socket::wait_writable() {
  if (std::exchange(is_waiting_writable_, true)) return;
  socket_.async_wait(asio::socket_base::wait_write, [self = shared_from_this()](std::error_code error) {
    self->is_waiting_writable_ = false;
    if (!self->socket_.is_open() || error == asio::error::operation_aborted) return;
    self->writable();
  });
}

void datagram_socket::writable() {
  while (!queue_.empty()) {
    const auto& first = queue_.front();
    const auto error = send_datagram(socket_.native_handle(), first.to, first.message, {});
    if (would_block(error)) return wait_writable();
    if (error)
      refused(error);
    else
      sent(first.message.size());
    queued_bytes_ -= first.message.size() + sizeof(waiting_datagram);
    queue_.pop_front();
  }
}

}  // namespace artillery::net

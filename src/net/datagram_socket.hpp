#pragma once

#include <asio/basic_datagram_socket.hpp>
#include <asio/ip/udp.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <system_error>

#include "artillery/bytes.hpp"
#include "artillery/endpoint.hpp"
#include "net/datagram_options.hpp"
#include "net/datagram_port.hpp"
#include "net/framed_stream.hpp"
#include "net/socket_calls.hpp"
#include "net/strand.hpp"

namespace artillery::net {

struct datagram_counters {
  std::uint64_t sent = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t received = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t queued = 0;         ///< of those sent, had to wait for the send buffer
  std::uint64_t dropped_full = 0;   ///< not sent: the queue was full
  std::uint64_t dropped_error = 0;  ///< not sent: the system refused; `send_errors` says why
  std::uint64_t truncated = 0;      ///< received and dropped
  std::uint64_t receive_errors = 0;
  std::map<int, std::uint64_t> send_errors;  ///< by errno
};

/// One UDP socket on a strand. Everything but the constructor's own thread runs on it.
class datagram_socket final : public datagram_port, public std::enable_shared_from_this<datagram_socket> {
public:
  /// `message` may be kept: a share of the receive buffer, or compact memory of its own when it is small. The details
  /// give source, destination and arrival interface.
  using handler = std::function<void(const bytes& message, const received_datagram& details)>;

  /// Opens and binds; null and `error` when the system refuses.
  [[nodiscard]] static std::shared_ptr<datagram_socket> open(const strand& executor, const datagram_options& options,
                                                             std::error_code& error);

  /// Begins to receive. A socket that is only sent from need not; what comes to it then waits in the kernel, bounded.
  void receive(handler on_message);

  void send(const endpoint& to, bytes_view header, std::span<const bytes> body) override;
  void send(const endpoint& to, bytes_view message) { send(to, message, {}); }
  void close() noexcept override;

  [[nodiscard]] endpoint bound() const;
  [[nodiscard]] std::error_code join(const endpoint& group, std::uint32_t interface);
  [[nodiscard]] std::error_code leave(const endpoint& group, std::uint32_t interface);
  [[nodiscard]] const datagram_counters& counters() const noexcept { return counters_; }
  [[nodiscard]] bool is_open() const noexcept { return socket_.is_open(); }

  datagram_socket(const strand& executor, const datagram_options& options);  // use `open`

private:
  struct waiting_datagram {
    endpoint to;
    bytes message;
  };

  void wait_readable();
  void readable();
  void pause();
  std::error_code take_batch();
  std::error_code take_one();
  void sent(std::size_t size) noexcept;
  void refused(std::error_code error);
  void wait_writable();
  void writable();

  asio::basic_datagram_socket<asio::ip::udp, strand> socket_;
  strand_timer pause_;
  std::chrono::milliseconds pause_length_{1};
  std::size_t queue_bytes_max_;
  handler on_message_;
  bytes_buffer buffer_;
  std::deque<waiting_datagram> queue_;
  std::size_t queued_bytes_ = 0;
  bool is_waiting_writable_ = false;
  bool is_delivering_ = false;
  datagram_counters counters_;
};

}  // namespace artillery::net

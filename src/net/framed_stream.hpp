#pragma once

#include <asio/basic_stream_socket.hpp>
#include <asio/basic_waitable_timer.hpp>
#include <asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <system_error>

#include "artillery/bytes.hpp"
#include "artillery/effects.hpp"
#include "net/frame_decoder.hpp"
#include "net/strand.hpp"
#include "net/stream_limits.hpp"
#include "net/write_queue.hpp"

namespace artillery::net {

using stream_socket = asio::basic_stream_socket<asio::ip::tcp, strand>;
using strand_timer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, strand>;

/// Figures of all streams of a hub; they only grow.
struct stream_counters {
  std::uint64_t frames_sent = 0;
  std::uint64_t frames_received = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t writes = 0;
  std::uint64_t reads = 0;
  std::uint64_t frames_dropped = 0;      ///< sent to a stream that was not up
  std::uint64_t oversized_received = 0;  ///< links ended by an announced length over the limit
  std::uint64_t oversized_sent = 0;      ///< links ended by a frame of ours over the limit
  std::uint64_t overflows = 0;           ///< links ended because the queue was full
  std::uint64_t congestions = 0;
  std::uint64_t accepted = 0;
  std::uint64_t accept_errors = 0;
  std::uint64_t refused = 0;  ///< accepted and closed, or not opened: too many
  std::uint64_t connected = 0;
  std::uint64_t connect_failures = 0;
  std::uint64_t connect_timeouts = 0;
  std::uint64_t broken = 0;  ///< links that ended with an error or by the peer
};

/// One connection of framed messages. Made and owned by a stream_hub, on whose strand everything runs.
///
/// An accepted one that is congested is not read until it is writable again, so that a peer cannot ask for more than it
/// takes.
class framed_stream : public std::enable_shared_from_this<framed_stream> {
public:
  /// Whom a stream tells. Never from within `send` or `close`.
  class listener {
  public:
    virtual void stream_frame(framed_stream& from, const bytes& frame) = 0;
    virtual void stream_state(framed_stream& which, link_state state) = 0;
    /// It ended by itself, after which nothing follows: broken, closed by the peer, or done with closing.
    virtual void stream_ended(framed_stream& which, std::error_code why) = 0;

  protected:
    ~listener() = default;
  };

  framed_stream(stream_socket socket, const connection& identity, const stream_limits& limits, listener& told,
                stream_counters& counters);

  [[nodiscard]] const connection& identity() const noexcept { return identity_; }
  [[nodiscard]] bool is_up() const noexcept { return phase_ == phase::up; }

  /// Connects, then tells `up`.
  void connect(const endpoint& to);
  /// The socket is connected: tells `up` and begins to read.
  void start();
  /// Queues one frame; false when the stream cannot take it (it then ends soon, if it was up).
  bool send(bytes_view header, std::span<const bytes> body);
  /// Ends after what is queued was sent: the peer sees an orderly end. Tells nothing but `stream_ended`.
  void close();
  /// Ends now and tells nothing.
  void abort() noexcept;

private:
  enum class phase : std::uint8_t { connecting, up, closing, ended };

  void connected(std::error_code error);
  void read();
  void read_ended(std::error_code why);
  void take_frames();
  void take_turn();
  void resume_reading();
  void flush();
  void wait_writable();
  void fail_soon(std::error_code why);
  void fail(std::error_code why);
  void watch_queue();
  void report_congestion();
  void finish_sending();
  void start_timer(duration length, std::error_code on_expiry);

  stream_socket socket_;
  strand_timer timer_;
  connection identity_;
  const stream_limits& limits_;
  listener* told_;
  stream_counters* counters_;
  frame_decoder decoder_;
  write_queue queue_;
  phase phase_ = phase::connecting;
  bool is_waiting_writable_ = false;  // the kernel's buffer is full
  bool is_flush_due_ = false;         // at the end of this turn, or posted
  bool is_in_turn_ = false;           // handing out frames
  bool is_paused_ = false;            // not reading, until the queue has drained
  bool is_resume_posted_ = false;
  bool is_failing_ = false;
  bool is_congested_ = false;
  bool is_congestion_told_ = false;
  bool is_sending_done_ = false;
  bool is_peer_done_ = false;
};

}  // namespace artillery::net

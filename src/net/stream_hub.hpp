#pragma once

#include <asio/basic_socket_acceptor.hpp>
#include <asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <system_error>
#include <unordered_map>

#include "artillery/bytes.hpp"
#include "artillery/effects.hpp"
#include "artillery/endpoint.hpp"
#include "net/framed_stream.hpp"
#include "net/strand.hpp"
#include "net/stream_limits.hpp"

namespace artillery::net {

/// All framed streams of one object, accepted (even numbers) and outgoing (odd numbers, the caller's). Everything runs
/// on one strand.
class stream_hub final : public std::enable_shared_from_this<stream_hub>, private framed_stream::listener {
public:
  /// Whom the hub tells. Never from within a call of the hub's.
  class observer {
  public:
    virtual void stream_received(const connection& from, const bytes& frame) = 0;
    virtual void stream_link(const connection& which, link_state state) = 0;

  protected:
    ~observer() = default;
  };

  stream_hub(const strand& executor, const stream_limits& limits, observer& told);
  ~stream_hub();
  stream_hub(const stream_hub&) = delete;
  stream_hub& operator=(const stream_hub&) = delete;

  /// Accepts streams at `at`; port 0: a free one.
  [[nodiscard]] std::error_code listen(const endpoint& at);
  /// Stops accepting; streams go on.
  void stop_listening() noexcept;
  [[nodiscard]] endpoint bound() const;

  /// Connects stream `number`; up or down is told later.
  void open(std::uint64_t number, const endpoint& to);
  /// Sends one frame; a stream that is not up drops it.
  void send(std::uint64_t number, bytes_view header, std::span<const bytes> body);
  /// Ends a stream after what was sent; nothing more is told about it.
  void close(std::uint64_t number);
  /// Ends everything now and tells nothing, ever.
  void shut_down() noexcept;

  [[nodiscard]] const stream_counters& counters() const noexcept { return counters_; }
  /// Streams that are connecting, up or closing.
  [[nodiscard]] std::size_t size() const noexcept { return streams_.size(); }

private:
  using acceptor = asio::basic_socket_acceptor<asio::ip::tcp, strand>;
  struct entry {
    std::shared_ptr<framed_stream> stream;
    bool is_told = true;  // false once the user has closed it
  };

  void accept();
  void accepted(std::error_code error, stream_socket socket);
  void stream_frame(framed_stream& from, const bytes& frame) override;
  void stream_state(framed_stream& which, link_state state) override;
  void stream_ended(framed_stream& which, std::error_code why) override;

  strand executor_;
  stream_limits limits_;
  observer* observer_;  // null once shut down
  stream_counters counters_;
  acceptor acceptor_;
  strand_timer accept_timer_;
  std::unordered_map<std::uint64_t, entry> streams_;
  std::size_t accepted_now_ = 0;
  std::uint64_t next_accepted_ = 2;
};

}  // namespace artillery::net

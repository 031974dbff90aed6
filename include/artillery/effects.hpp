#pragma once

#include <compare>
#include <cstdint>
#include <span>

#include "artillery/bytes.hpp"
#include "artillery/endpoint.hpp"

namespace artillery {

/// One way in or out of a node: a datagram socket together with the peer's address, or one framed stream.
///
/// Streams that this node opened have odd numbers, chosen by its core from 1 upwards and never reused; streams that it
/// accepted have even ones, chosen by whoever drives the core. A datagram's number is the interface it belongs to (0:
/// the node's only socket).
struct connection {
  std::uint64_t number = 0;
  endpoint peer;
  bool is_stream = false;

  [[nodiscard]] static constexpr connection datagram(const endpoint& peer, std::uint64_t interface = 0) noexcept {
    return {interface, peer, false};
  }
  [[nodiscard]] static constexpr connection stream(std::uint64_t number, const endpoint& peer = {}) noexcept {
    return {number, peer, true};
  }
  /// True for a stream that this node opened itself.
  [[nodiscard]] constexpr bool outgoing() const noexcept { return is_stream && number % 2 == 1; }

  friend constexpr bool operator==(const connection&, const connection&) noexcept = default;
};

/// What became of a stream.
enum class link_state : std::uint8_t {
  up,         ///< connected (own) or accepted (the peer's): frames may be sent
  down,       ///< broken, refused, or closed by the peer: its number means nothing any more
  congested,  ///< the queue passed its high mark: further frames are still taken, up to the limit, then the link goes
              ///< down
  writable    ///< the queue drained below its low mark
};

/// Names one `persist` until its `completed`.
using operation = std::uint64_t;

/// Where a core puts what it wants done, in order. It never calls back into the core, and the spans it is given are
/// valid only during the call: who needs them longer copies the header and takes a share of the slices.
class network_effects {
public:
  virtual ~network_effects() = default;

  /// One message: a datagram, or one frame of a stream (the driver adds its length). `header` is copied, `body` is
  /// shared. To a stream that is down, or never was up, it is dropped.
  virtual void send(const connection& to, bytes_view header, std::span<const bytes> body) = 0;
  void send(const connection& to, bytes_view message) { send(to, message, {}); }

  /// Connects stream `number` (odd, fresh) to `to`. `link(up)` or `link(down)` follows.
  virtual void open(std::uint64_t number, const endpoint& to) = 0;

  /// Ends a stream after what was sent on it; no `link` follows here, `link(down)` at the peer.
  virtual void close(std::uint64_t number) = 0;

  /// Makes `slices`, one after another, durable; `completed(op, …)` follows. Cores that keep nothing never call it.
  virtual void persist(operation op, std::span<const bytes> slices) = 0;

protected:
  network_effects() = default;
  network_effects(const network_effects&) = default;
  network_effects& operator=(const network_effects&) = default;
};

/// The effects of a core whose facts for its user are `Event`s.
template <class Event>
class effects : public network_effects {
public:
  virtual void deliver(Event event) = 0;
};

}  // namespace artillery

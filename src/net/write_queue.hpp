#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <span>

#include "artillery/bytes.hpp"

namespace artillery::net {

/// Frames on their way out of one link. Pure: writes no socket.
///
/// Lengths, headers and small slices are copied side by side into batch buffers (a copy costs less than a piece of a
/// gathering write); larger slices are shared.
class write_queue {
public:
  static constexpr std::size_t pieces_max = 64;  ///< what one write takes (IOV limit of Asio's gathering)
  static constexpr std::size_t write_size_max = std::size_t{256} << 10U;
  static constexpr std::size_t copied_size_max = 256;

  /// Appends a frame of these parts, with its length in front.
  void push(bytes_view header, std::span<const bytes> body);

  /// Bytes not written yet.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

  /// The front of the queue as pieces of one write; how many of `pieces` were set. They stay valid until `consume`.
  std::size_t gather(std::array<bytes_view, pieces_max>& pieces) const noexcept;
  /// The first `count` bytes have been written.
  void consume(std::size_t count) noexcept;
  void clear() noexcept;

private:
  struct segment {
    bytes owner;      // keeps the memory
    bytes_view view;  // what is left of it to write
    bool is_batch = false;
  };
  void copy(bytes_view part);

  std::deque<segment> segments_;
  bytes_buffer batch_;
  std::size_t batch_used_ = 0;
  std::size_t size_ = 0;
};

}  // namespace artillery::net

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "artillery/bytes.hpp"

namespace artillery::net {

/// Bytes of a stream cut into frames: a length of 4 bytes, little-endian, then so many bytes. Pure: reads no socket.
///
/// What is read goes straight into shared chunks; a frame handed out is a slice of one, nothing is copied. A frame that
/// does not fit into a chunk gets memory of its own. Length fields are not trusted: memory grows only as bytes arrive,
/// to at most twice what is there.
class frame_decoder {
public:
  static constexpr std::size_t length_size = 4;

  explicit frame_decoder(std::size_t frame_size_max, std::size_t chunk_size = std::size_t{64} << 10U);

  /// Where the next bytes of the stream belong; never empty. Call `next` until it has no more frames before this.
  [[nodiscard]] std::span<std::byte> prepare();
  /// `count` bytes were written there.
  void commit(std::size_t count) noexcept;

  enum class outcome {
    frame,       ///< the next frame was handed out
    incomplete,  ///< more bytes are needed
    oversized    ///< a frame longer than the limit was announced: the stream cannot be read any further
  };
  [[nodiscard]] outcome next(bytes& frame);

  /// Bytes of a frame that is not whole yet.
  [[nodiscard]] std::size_t pending() const noexcept { return is_large_ ? length_size + large_filled_ : end_ - begin_; }
  /// Bytes of memory held for what is to come.
  [[nodiscard]] std::size_t allocated() const noexcept { return chunk_.capacity() + large_.capacity(); }

private:
  [[nodiscard]] std::uint32_t announced_length() const noexcept;
  void start_large(std::size_t length);
  void make_room(std::size_t needed);

  std::size_t frame_size_max_;
  std::size_t chunk_size_;
  bytes_buffer chunk_;
  std::size_t begin_ = 0;  // of what is not handed out yet, in the chunk
  std::size_t end_ = 0;
  bool is_oversized_ = false;

  bool is_large_ = false;  // the frame being read has memory of its own
  bytes_buffer large_;
  std::size_t large_length_ = 0;
  std::size_t large_filled_ = 0;
};

}  // namespace artillery::net

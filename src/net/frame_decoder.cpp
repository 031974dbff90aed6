#include "net/frame_decoder.hpp"

#include <algorithm>
#include <cstring>

namespace artillery::net {
namespace {

// A read into less than this is not worth its system call: then a fresh chunk is begun.
constexpr std::size_t room_min = 4096;

bytes_buffer grown(const bytes_buffer& from, std::size_t used, std::size_t capacity) {
  bytes_buffer result{capacity};
  std::memcpy(result.data(), from.data(), used);
  return result;
}

}  // namespace

frame_decoder::frame_decoder(std::size_t frame_size_max, std::size_t chunk_size)
    : frame_size_max_{frame_size_max}, chunk_size_{std::max(chunk_size, 2 * length_size)} {}

std::span<std::byte> frame_decoder::prepare() {
  if (is_large_) {
    if (large_filled_ == large_.capacity())
      large_ = grown(large_, large_filled_, std::min(large_length_, 2 * large_filled_));
    return {large_.data() + large_filled_, large_.capacity() - large_filled_};
  }
  const std::size_t pending = end_ - begin_;
  const std::size_t needed = pending < length_size ? length_size : length_size + announced_length();
  make_room(needed);
  return {chunk_.data() + end_, chunk_.capacity() - end_};
}

void frame_decoder::commit(std::size_t count) noexcept {
  (is_large_ ? large_filled_ : end_) += count;
}

frame_decoder::outcome frame_decoder::next(bytes& frame) {
  if (is_oversized_) return outcome::oversized;
  if (is_large_) {
    if (large_filled_ < large_length_) return outcome::incomplete;
    frame = std::move(large_).freeze(large_length_);
    is_large_ = false;
    return outcome::frame;
  }
  const std::size_t pending = end_ - begin_;
  if (pending < length_size) return outcome::incomplete;
  const std::size_t length = announced_length();
  if (length > frame_size_max_) {
    is_oversized_ = true;
    return outcome::oversized;
  }
  if (pending < length_size + length) {
    if (length_size + length > chunk_size_) start_large(length);
    return outcome::incomplete;
  }
  frame = chunk_.share(begin_ + length_size, length);
  begin_ += length_size + length;
  return outcome::frame;
}

std::uint32_t frame_decoder::announced_length() const noexcept {
  std::uint32_t length = 0;
  for (std::size_t i = length_size; i-- > 0;)
    length = (length << 8U) | std::to_integer<std::uint32_t>(chunk_.data()[begin_ + i]);
  return length;
}

void frame_decoder::start_large(std::size_t length) {
  const std::size_t here = end_ - begin_ - length_size;
  large_ = bytes_buffer{std::min(length, std::max(2 * here, chunk_size_))};
  std::memcpy(large_.data(), chunk_.data() + begin_ + length_size, here);
  large_length_ = length;
  large_filled_ = here;
  is_large_ = true;
  begin_ = end_;
}

void frame_decoder::make_room(std::size_t needed) {
  const std::size_t pending = end_ - begin_;
  // Space behind `end_` was never handed out and may be written even while slices before it are shared.
  const bool fits = begin_ + needed <= chunk_.capacity() && chunk_.capacity() - end_ >= std::min(room_min, chunk_size_);
  if (chunk_.sole_owner() && (pending == 0 || !fits)) {
    std::memmove(chunk_.data(), chunk_.data() + begin_, pending);
  } else if (!fits) {
    bytes_buffer fresh{chunk_size_};
    if (pending != 0) std::memcpy(fresh.data(), chunk_.data() + begin_, pending);
    chunk_ = std::move(fresh);
  } else {
    return;
  }
  begin_ = 0;
  end_ = pending;
}

}  // namespace artillery::net

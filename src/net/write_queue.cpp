#include "net/write_queue.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "net/frame_decoder.hpp"

namespace artillery::net {
namespace {

constexpr std::size_t batch_size = std::size_t{16} << 10U;

}  // namespace

void write_queue::push(bytes_view header, std::span<const bytes> body) {
  std::size_t length = header.size();
  for (const auto& part : body) length += part.size();
  std::array<std::byte, frame_decoder::length_size> prefix;
  for (std::size_t i = 0; i < prefix.size(); ++i) prefix[i] = static_cast<std::byte>((length >> (8 * i)) & 0xffU);
  copy(prefix);
  copy(header);
  for (const auto& part : body) {
    if (part.size() <= copied_size_max)
      copy(part.view());
    else
      segments_.push_back({part, part.view(), false});
  }
  size_ += prefix.size() + length;
}

void write_queue::copy(bytes_view part) {
  while (!part.empty()) {
    if (batch_used_ == batch_.capacity()) {
      batch_ = bytes_buffer{batch_size};
      batch_used_ = 0;
    }
    const std::size_t count = std::min(part.size(), batch_.capacity() - batch_used_);
    std::byte* const place = batch_.data() + batch_used_;
    std::memcpy(place, part.data(), count);
    // Side by side with the last piece: one longer piece. (Batch pieces touch only within one buffer: another buffer's
    // memory is preceded by its own head.)
    if (!segments_.empty() && segments_.back().is_batch &&
        segments_.back().view.data() + segments_.back().view.size() == place)
      segments_.back().view = {segments_.back().view.data(), segments_.back().view.size() + count};
    else
      segments_.push_back({batch_.share(batch_used_, count), {place, count}, true});
    batch_used_ += count;
    part = part.subspan(count);
  }
}

std::size_t write_queue::gather(std::array<bytes_view, pieces_max>& pieces) const noexcept {
  std::size_t count = 0;
  std::size_t total = 0;
  for (const auto& one : segments_) {
    if (count == pieces_max || total == write_size_max) break;
    pieces[count] = one.view.first(std::min(one.view.size(), write_size_max - total));
    total += pieces[count].size();
    ++count;
  }
  return count;
}

void write_queue::consume(std::size_t count) noexcept {
  size_ -= count;
  while (count != 0) {
    auto& first = segments_.front();
    if (count < first.view.size()) {
      first.view = first.view.subspan(count);
      return;
    }
    count -= first.view.size();
    segments_.pop_front();
  }
  // Nothing of the batch buffer waits any more: start it over.
  if (segments_.empty() && batch_.sole_owner()) batch_used_ = 0;
}

void write_queue::clear() noexcept {
  segments_.clear();
  size_ = 0;
  batch_ = {};
  batch_used_ = 0;
}

}  // namespace artillery::net

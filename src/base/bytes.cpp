#include "artillery/bytes.hpp"

#include <algorithm>
#include <new>

namespace artillery {
namespace {

detail::bytes_block* allocate(std::size_t capacity) {
  void* memory = ::operator new(sizeof(detail::bytes_block) + capacity);
  return ::new (memory) detail::bytes_block{1, capacity};
}

std::byte* payload(detail::bytes_block* block) noexcept {
  return reinterpret_cast<std::byte*>(block + 1);
}

}  // namespace

bytes::bytes(std::string_view text) : bytes{copy(as_bytes(text))} {}

bytes bytes::copy(bytes_view view) {
  bytes result;
  if (view.empty()) return result;
  result.block_ = allocate(view.size());
  std::memcpy(payload(result.block_), view.data(), view.size());
  result.data_ = payload(result.block_);
  result.size_ = view.size();
  return result;
}

bytes bytes::slice(std::size_t offset, std::size_t count) const noexcept {
  bytes result;
  const std::size_t start = std::min(offset, size_);
  const std::size_t length = std::min(count, size_ - start);
  if (length == 0) return result;  // an empty slice keeps nothing alive
  result.block_ = block_;
  result.data_ = data_ + start;
  result.size_ = length;
  result.retain();
  return result;
}

bytes bytes::compact() const {
  if (block_ == nullptr || block_->capacity / 2 <= size_) return *this;
  return copy(view());
}

void bytes::destroy(detail::bytes_block* block) noexcept {
  block->~bytes_block();
  ::operator delete(block);
}

bytes_buffer::bytes_buffer(std::size_t capacity) : block_{allocate(capacity)} {}

bytes_buffer::~bytes_buffer() {
  bytes last;
  last.block_ = block_;
}

bytes bytes_buffer::share(std::size_t offset, std::size_t count) const noexcept {
  bytes result;
  if (count == 0) return result;
  result.block_ = block_;
  result.data_ = data() + offset;
  result.size_ = count;
  result.retain();
  return result;
}

bytes bytes_buffer::freeze(std::size_t size) && noexcept {
  bytes result;
  result.block_ = std::exchange(block_, nullptr);
  if (result.block_ != nullptr) {
    result.data_ = payload(result.block_);
    result.size_ = size;
  }
  return result;
}

}  // namespace artillery

#pragma once

#include <atomic>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace artillery {

/// A borrowed run of bytes. Valid only as long as whoever lent it says.
using bytes_view = std::span<const std::byte>;

/// The bytes of `text`, borrowed.
[[nodiscard]] inline bytes_view as_bytes(std::string_view text) noexcept {
  return std::as_bytes(std::span{text.data(), text.size()});
}

/// `view` read as characters, borrowed.
[[nodiscard]] inline std::string_view as_text(bytes_view view) noexcept {
  return {reinterpret_cast<const char*>(view.data()), view.size()};
}

namespace detail {
/// The shared head of a run of bytes; the bytes follow it in the same allocation.
struct bytes_block {
  std::atomic<std::uint32_t> owners;
  std::size_t capacity;
};
static_assert(sizeof(bytes_block) == 16, "the payload must stay aligned for any scalar");
}  // namespace detail

/// An immutable run of bytes that shares its memory: copying or slicing adds an owner and copies nothing.
///
/// Values, payloads and frames travel as `bytes` from socket to store and back. A slice keeps the whole run that it was
/// cut from alive; `compact()` gives one that does not. Thread safety: distinct objects may be used from distinct
/// threads even when they share memory; one object is like an int.
class bytes {
public:
  bytes() noexcept = default;
  /// Copies `text`. Implicit, so that a literal can stand where a value is asked for.
  bytes(std::string_view text);                                      // NOLINT(google-explicit-constructor)
  bytes(const std::string& text) : bytes{std::string_view{text}} {}  // NOLINT(google-explicit-constructor)
  bytes(const char* text) : bytes{std::string_view{text}} {}         // NOLINT(google-explicit-constructor)

  bytes(const bytes& other) noexcept : block_{other.block_}, data_{other.data_}, size_{other.size_} { retain(); }
  bytes(bytes&& other) noexcept
      : block_{std::exchange(other.block_, nullptr)},
        data_{std::exchange(other.data_, nullptr)},
        size_{std::exchange(other.size_, 0)} {}
  bytes& operator=(const bytes& other) noexcept {
    bytes copy{other};
    swap(copy);
    return *this;
  }
  bytes& operator=(bytes&& other) noexcept {
    bytes moved{std::move(other)};
    swap(moved);
    return *this;
  }
  ~bytes() { release(); }

  /// A copy of what `view` shows.
  [[nodiscard]] static bytes copy(bytes_view view);

  [[nodiscard]] const std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] bytes_view view() const noexcept { return {data_, size_}; }
  [[nodiscard]] std::string_view text() const noexcept { return as_text(view()); }
  operator bytes_view() const noexcept { return view(); }  // NOLINT(google-explicit-constructor)

  /// The part of at most `count` bytes that starts at `offset`, sharing this run's memory. Clamped to what is there.
  [[nodiscard]] bytes slice(std::size_t offset, std::size_t count = static_cast<std::size_t>(-1)) const noexcept;

  /// The same bytes in memory of their own, when this slice keeps more than twice its size alive; otherwise this very
  /// slice.
  [[nodiscard]] bytes compact() const;

  /// Bytes of memory that this slice keeps alive, shared or not.
  [[nodiscard]] std::size_t retained() const noexcept { return block_ == nullptr ? 0 : block_->capacity; }

  void swap(bytes& other) noexcept {
    std::swap(block_, other.block_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }

  friend bool operator==(const bytes& a, const bytes& b) noexcept {
    return a.size_ == b.size_ && (a.size_ == 0 || std::memcmp(a.data_, b.data_, a.size_) == 0);
  }
  friend std::strong_ordering operator<=>(const bytes& a, const bytes& b) noexcept { return a.text() <=> b.text(); }

private:
  friend class bytes_buffer;

  void retain() const noexcept {
    if (block_ != nullptr) block_->owners.fetch_add(1, std::memory_order_relaxed);
  }
  void release() noexcept {
    // The last owner must see all that the others did with the block before it frees it: hence acquire-release.
    if (block_ != nullptr && block_->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy(block_);
  }
  static void destroy(detail::bytes_block* block) noexcept;

  detail::bytes_block* block_ = nullptr;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// A writable run of bytes with one owner, to be filled (by a socket, say) and then frozen into `bytes` without a copy.
class bytes_buffer {
public:
  bytes_buffer() noexcept = default;
  explicit bytes_buffer(std::size_t capacity);
  bytes_buffer(bytes_buffer&& other) noexcept : block_{std::exchange(other.block_, nullptr)} {}
  bytes_buffer& operator=(bytes_buffer&& other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~bytes_buffer();

  [[nodiscard]] std::byte* data() noexcept { return reinterpret_cast<std::byte*>(block_ + 1); }
  [[nodiscard]] const std::byte* data() const noexcept { return reinterpret_cast<const std::byte*>(block_ + 1); }
  [[nodiscard]] std::size_t capacity() const noexcept { return block_ == nullptr ? 0 : block_->capacity; }

  /// Slice `[offset, offset + count)` of this buffer that shares its memory. The caller no longer writes to that part.
  [[nodiscard]] bytes share(std::size_t offset, std::size_t count) const noexcept;

  /// No shared slice of it is left: all of it may be written again.
  [[nodiscard]] bool sole_owner() const noexcept {
    return block_ != nullptr && block_->owners.load(std::memory_order_acquire) == 1;
  }

  /// Gives the memory away as `bytes` of the first `size` bytes; the buffer is empty afterwards.
  [[nodiscard]] bytes freeze(std::size_t size) && noexcept;

private:
  detail::bytes_block* block_ = nullptr;
};

}  // namespace artillery

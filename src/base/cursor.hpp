#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "artillery/bytes.hpp"
#include "artillery/endpoint.hpp"
#include "artillery/node_id.hpp"

namespace artillery::detail {

/// Appends fields to a run of bytes, little-endian. For hot headers; bodies go through base/archive.hpp.
class writer {
public:
  explicit writer(std::vector<std::byte>& out) noexcept : out_{&out} {}

  template <class Integer>
    requires std::is_integral_v<Integer>
  writer& put(Integer value) {
    using bits = std::make_unsigned_t<std::conditional_t<std::is_same_v<Integer, bool>, unsigned char, Integer>>;
    const auto raw = static_cast<bits>(value);
    std::byte little[sizeof(bits)];
    for (std::size_t i = 0; i < sizeof(bits); ++i) little[i] = static_cast<std::byte>((raw >> (8 * i)) & 0xffU);
    out_->insert(out_->end(), little, little + sizeof(bits));
    return *this;
  }
  /// LEB128: seven bits a byte, at most ten bytes.
  writer& put_varint(std::uint64_t value) {
    while (value >= 0x80) {
      out_->push_back(static_cast<std::byte>(value | 0x80U));
      value >>= 7U;
    }
    out_->push_back(static_cast<std::byte>(value));
    return *this;
  }
  writer& put_raw(bytes_view view) {
    out_->insert(out_->end(), view.begin(), view.end());
    return *this;
  }
  /// Length as a varint, then the bytes.
  writer& put_sized(bytes_view view) { return put_varint(view.size()).put_raw(view); }
  writer& put_sized(std::string_view text) { return put_sized(as_bytes(text)); }
  writer& put(const node_id& id) { return put(id.high).put(id.low); }
  /// 1 byte family (4 or 6, with 0x80 set when a scope follows), the address, the port.
  writer& put(const endpoint& e);

  [[nodiscard]] std::size_t size() const noexcept { return out_->size(); }
  /// Overwrites four bytes written earlier: for a length or a checksum that is known only at the end.
  void patch_u32(std::size_t at, std::uint32_t value) noexcept {
    for (std::size_t i = 0; i < 4; ++i) (*out_)[at + i] = static_cast<std::byte>((value >> (8 * i)) & 0xffU);
  }

private:
  std::vector<std::byte>* out_;
};

/// Reads fields from untrusted bytes. The first field that does not fit makes it `failed()` for good: everything read
/// from then on is zero or empty, so a decoder checks once, at its end. Never allocates by a length it has not compared
/// with what is left.
class reader {
public:
  explicit reader(bytes_view in) noexcept : in_{in} {}

  template <class Integer>
    requires std::is_integral_v<Integer>
  [[nodiscard]] Integer take() noexcept {
    using bits = std::make_unsigned_t<std::conditional_t<std::is_same_v<Integer, bool>, unsigned char, Integer>>;
    const bytes_view raw = take_raw(sizeof(bits));
    bits value = 0;
    for (std::size_t i = 0; i < raw.size(); ++i)
      value = static_cast<bits>(value | static_cast<bits>(static_cast<bits>(raw[i]) << (8 * i)));
    if constexpr (std::is_same_v<Integer, bool>) {
      if (value > 1) fail();
      return value == 1;
    } else {
      return static_cast<Integer>(value);
    }
  }
  [[nodiscard]] std::uint64_t take_varint() noexcept;
  [[nodiscard]] bytes_view take_raw(std::size_t count) noexcept {
    if (count > in_.size()) {
      fail();
      return {};
    }
    const bytes_view result = in_.first(count);
    in_ = in_.subspan(count);
    return result;
  }
  /// What `put_sized` wrote; longer than `max` fails.
  [[nodiscard]] bytes_view take_sized(std::size_t max) noexcept {
    const std::uint64_t size = take_varint();
    if (size > max || size > in_.size()) {
      fail();
      return {};
    }
    return take_raw(static_cast<std::size_t>(size));
  }
  [[nodiscard]] node_id take_node_id() noexcept {
    const auto high = take<std::uint64_t>();
    const auto low = take<std::uint64_t>();
    return {high, low};
  }
  [[nodiscard]] endpoint take_endpoint() noexcept;
  /// A count of items of at least `item_size_min` bytes each: more than could be left, or more than `max`, fails.
  [[nodiscard]] std::size_t take_count(std::size_t max, std::size_t item_size_min) noexcept {
    const std::uint64_t count = take_varint();
    if (count > max || count * item_size_min > in_.size()) {
      fail();
      return 0;
    }
    return static_cast<std::size_t>(count);
  }

  void fail() noexcept {
    failed_ = true;
    in_ = {};
  }
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  [[nodiscard]] std::size_t left() const noexcept { return in_.size(); }
  [[nodiscard]] bytes_view rest() const noexcept { return in_; }
  /// Nothing failed and nothing is left over.
  [[nodiscard]] bool complete() const noexcept { return !failed_ && in_.empty(); }

private:
  bytes_view in_;
  bool failed_ = false;
};

}  // namespace artillery::detail

#pragma once

#include <cereal/cereal.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "base/cursor.hpp"

// cereal archives over bounded memory. They differ from cereal's own in three ways: integers are little-endian and
// sizes are varints; every size is compared with what is left (and with a cap) before anything is allocated; left-over
// bytes are refused. Types are serialised as cereal has it: a `serialize(Archive&)` member or free function. That is
// also the user's customisation point. No pointers and no polymorphic types: their support headers are never included.

namespace artillery::detail {

/// Thrown inside a decode only; `decode` turns it into "no value" in one place.
class archive_error final : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

class output_archive : public cereal::OutputArchive<output_archive, cereal::AllowEmptyClassElision> {
public:
  explicit output_archive(std::vector<std::byte>& out) : OutputArchive{this}, out_{out} {}
  [[nodiscard]] writer& out() noexcept { return out_; }

private:
  writer out_;
};

class input_archive : public cereal::InputArchive<input_archive, cereal::AllowEmptyClassElision> {
public:
  explicit input_archive(bytes_view in) : InputArchive{this}, in_{in} {}
  [[nodiscard]] reader& in() noexcept { return in_; }
  void check() const {
    if (in_.failed()) throw archive_error{"message is too short or contradicts itself"};
  }
  /// No container of a message has more elements, and no string more bytes, than this, whatever is left.
  static constexpr std::size_t size_max = std::size_t{1} << 20U;

private:
  reader in_;
};

template <class Integer>
  requires(std::is_integral_v<Integer>)
void CEREAL_SAVE_FUNCTION_NAME(output_archive& archive, const Integer& value) {
  archive.out().put(value);
}
template <class Integer>
  requires(std::is_integral_v<Integer>)
void CEREAL_LOAD_FUNCTION_NAME(input_archive& archive, Integer& value) {
  value = archive.in().template take<Integer>();
  archive.check();
}

template <class Size>
void CEREAL_SAVE_FUNCTION_NAME(output_archive& archive, const cereal::SizeTag<Size>& tag) {
  archive.out().put_varint(tag.size);
}
template <class Size>
void CEREAL_LOAD_FUNCTION_NAME(input_archive& archive, cereal::SizeTag<Size>& tag) {
  // An element takes at least one byte, so a count above what is left is a lie, found before anything is allocated for
  // it.
  tag.size = archive.in().take_count(input_archive::size_max, 1);
  archive.check();
}

template <class T>
void CEREAL_SAVE_FUNCTION_NAME(output_archive& archive, const cereal::BinaryData<T>& data) {
  archive.out().put_raw(
      {static_cast<const std::byte*>(static_cast<const void*>(data.data)), static_cast<std::size_t>(data.size)});
}
template <class T>
void CEREAL_LOAD_FUNCTION_NAME(input_archive& archive, cereal::BinaryData<T>& data) {
  const bytes_view raw = archive.in().take_raw(static_cast<std::size_t>(data.size));
  archive.check();
  if (!raw.empty()) std::memcpy(data.data, raw.data(), raw.size());
}

template <class T>
void CEREAL_SERIALIZE_FUNCTION_NAME(output_archive& archive, cereal::NameValuePair<T>& pair) {
  archive(pair.value);
}
template <class T>
void CEREAL_SERIALIZE_FUNCTION_NAME(input_archive& archive, cereal::NameValuePair<T>& pair) {
  archive(pair.value);
}

}  // namespace artillery::detail

namespace artillery {

// Our own values as fields of a message. Found by argument-dependent look-up.
inline void CEREAL_SAVE_FUNCTION_NAME(detail::output_archive& archive, const node_id& id) {
  archive.out().put(id);
}
inline void CEREAL_LOAD_FUNCTION_NAME(detail::input_archive& archive, node_id& id) {
  id = archive.in().take_node_id();
  archive.check();
}
inline void CEREAL_SAVE_FUNCTION_NAME(detail::output_archive& archive, const endpoint& e) {
  archive.out().put(e);
}
inline void CEREAL_LOAD_FUNCTION_NAME(detail::input_archive& archive, endpoint& e) {
  e = archive.in().take_endpoint();
  archive.check();
}
inline void CEREAL_SAVE_FUNCTION_NAME(detail::output_archive& archive, const bytes& b) {
  archive.out().put_sized(b.view());
}
inline void CEREAL_LOAD_FUNCTION_NAME(detail::input_archive& archive, bytes& b) {
  const bytes_view raw = archive.in().take_sized(archive.in().left());
  archive.check();
  b = bytes::copy(raw);
}

namespace detail {

/// Appends `message` to `out`.
template <class Message>
void encode(const Message& message, std::vector<std::byte>& out) {
  output_archive archive{out};
  archive(message);
}

/// The message that `in` holds, all of it; nothing when it is too short, too long or contradicts itself.
template <class Message>
[[nodiscard]] std::optional<Message> decode(bytes_view in) {
  try {
    input_archive archive{in};
    std::optional<Message> message{std::in_place};
    archive(*message);
    if (!archive.in().complete()) return std::nullopt;
    return message;
  } catch (const archive_error&) {
    return std::nullopt;
  }
}

}  // namespace detail
}  // namespace artillery

CEREAL_SETUP_ARCHIVE_TRAITS(artillery::detail::input_archive, artillery::detail::output_archive)

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/archive.hpp"
#include "membership/message.hpp"

// The bytes of what rides along in a message: claims and user events. What cannot be read throws
// `detail::archive_error`, which message.cpp turns into an error.

namespace artillery::membership {

void put_claim(std::vector<std::byte>& buffer, const claim& c);
/// `head` is its first byte.
[[nodiscard]] claim take_claim(detail::input_archive& archive, std::uint8_t head);

/// All of an event up to its payload's bytes; a notice, if it is not `whole`.
void put_event_head(std::vector<std::byte>& buffer, const event_record& e, bool whole);

/// All until the message's end.
[[nodiscard]] items take_items(detail::input_archive& archive);

}  // namespace artillery::membership

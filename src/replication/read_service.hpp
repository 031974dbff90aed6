#pragma once

#include <optional>
#include <vector>

#include "artillery/bytes.hpp"
#include "artillery/replication/store.hpp"
#include "replication/local_read.hpp"

namespace artillery::replication {

/// A client's read request that can be answered on the connection's own strand.
struct direct_read {
  std::uint64_t request = 0;
  bytes_view key;  ///< part of the frame
  consistency level;
  read_note noted;
};

/// Step 1 for a frame that came from a stream: the request, if it is a well-formed read of the replica's own epoch;
/// otherwise nothing, and the frame goes to the core.
[[nodiscard]] std::optional<direct_read> note_direct_read(bytes_view frame, const published& here) noexcept;

/// Step 3: the reply's header, to be sent with `found.value` (if any) as its body on the same stream; false: the frame
/// goes to the core. `now` is sampled after `found` was fetched.
[[nodiscard]] bool check_direct_read(const direct_read& read, const published& here, const stored& found,
                                     time_point now, std::vector<std::byte>& header);

}  // namespace artillery::replication

#pragma once

namespace artillery::detail {

/// 128 bits, where a product of two 64-bit numbers must not lose its upper half. A compiler extension, hence named in
/// one place.
__extension__ typedef unsigned __int128 uint128;

}  // namespace artillery::detail

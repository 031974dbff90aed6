#pragma once

/// The version of the library. It follows semantic versioning; while the major number is 0 every minor release may
/// change the interface. The numbers here are the only place where the version is written: the build reads them.

#define ARTILLERY_VERSION_MAJOR 0
#define ARTILLERY_VERSION_MINOR 1
#define ARTILLERY_VERSION_PATCH 0

#include <string_view>

namespace artillery {

/// The version these headers were written for, as a value.
struct version_number {
  int major_number;
  int minor_number;
  int patch_number;
};

inline constexpr version_number version{ARTILLERY_VERSION_MAJOR, ARTILLERY_VERSION_MINOR, ARTILLERY_VERSION_PATCH};

#define ARTILLERY_VERSION_TEXT_OF(number) #number
#define ARTILLERY_VERSION_TEXT_FROM(major_part, minor_part, patch_part) \
  ARTILLERY_VERSION_TEXT_OF(major_part)                                 \
  "." ARTILLERY_VERSION_TEXT_OF(minor_part) "." ARTILLERY_VERSION_TEXT_OF(patch_part)

/// "major.minor.patch"
inline constexpr std::string_view version_text =
    ARTILLERY_VERSION_TEXT_FROM(ARTILLERY_VERSION_MAJOR, ARTILLERY_VERSION_MINOR, ARTILLERY_VERSION_PATCH);

#undef ARTILLERY_VERSION_TEXT_FROM
#undef ARTILLERY_VERSION_TEXT_OF

}  // namespace artillery

#pragma once

#include <string>
#include <string_view>

namespace artillery::scenarios {

/// Both texts line by line: what is in `expected` only starts with '-', what is in `actual` only with '+', and a few
/// lines around that with ' '. Empty when they are equal.
[[nodiscard]] std::string difference(std::string_view expected, std::string_view actual);

}  // namespace artillery::scenarios

#pragma once

#include <cstdint>
#include <string>

#include "artillery/bytes.hpp"

/// What the loads write. A history keeps the name of a value in its place.
namespace endurance {

/// The value that follows from its name: most are small, a few large.
[[nodiscard]] artillery::bytes value_of(const std::string& name);
/// The name that a value begins with. It was damaged if it is not `value_of` that.
[[nodiscard]] std::string name_in(const artillery::bytes& value);

/// The name of an object.
[[nodiscard]] std::string key_of(std::uint64_t number);

}  // namespace endurance

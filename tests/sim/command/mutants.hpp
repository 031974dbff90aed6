#pragma once

#include <vector>

#include "room.hpp"

namespace simulator {

/// The rooms of a program that was built with mistakes to plant, and which these are.
[[nodiscard]] std::vector<room> rooms_with_mutants();

}  // namespace simulator

#pragma once

#include <cerrno>
#include <string>
#include <system_error>

namespace demo {

/// Of a system call that just failed.
[[noreturn]] inline void throw_system_error(const std::string& what) {
  throw std::system_error{errno, std::generic_category(), what};
}

}  // namespace demo

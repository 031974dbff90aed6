#pragma once

#include <sys/types.h>

namespace demo {

/// What a process has used of the machine, as the kernel tells it.
struct process_usage {
  double cpu_seconds = 0;
  double resident_mebibytes = 0;  ///< with what it shares with others: code, most of all
  double own_mebibytes = 0;       ///< what the machine would have more without it
};

/// Zeros for a process that is gone.
[[nodiscard]] process_usage usage_of(pid_t process);

}  // namespace demo

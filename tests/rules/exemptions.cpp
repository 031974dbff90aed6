#include "rules/architecture.hpp"

// The one list of what the rules do not hold for. An entry needs a reason that would convince a stranger.

namespace rules {

const std::vector<exemption>& exemptions() {
  static const std::vector<exemption> list{
      {"pure", "src/base/clock.cpp", "is the clock: what drivers sample to hand time in"},
      {"pure", "src/replication/memory_store.*",
       "read from any thread while the core writes: stores are the thread-safe part"},
  };
  return list;
}

}  // namespace rules

#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "child.hpp"

namespace peers {

/// A control group whose processes together get a small share of one processor, and in which others compete for it, so
/// that each waits long for its turn. Destroyed after the processes that were put there have ended.
class cpu_quota {
public:
  /// What is missing on this machine to make one; empty when nothing is.
  [[nodiscard]] static std::string missing();

  /// `name` is unique on this machine. `percent` of one processor; `competitors` are busy all the time.
  cpu_quota(const std::string& name, unsigned percent, unsigned competitors, const std::string& remarks);
  ~cpu_quota();
  cpu_quota(const cpu_quota&) = delete;
  cpu_quota& operator=(const cpu_quota&) = delete;

  void add(pid_t process) const;
  /// From now on they run freely.
  void lift();

private:
  void limit(const std::string& quota) const;

  std::string folder_;
  std::vector<std::unique_ptr<demo::child>> competitors_;
};

}  // namespace peers

#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>

#include "replication/view_authority.hpp"

namespace artillery::scenarios {

/// The register that a scenario's views are chosen in: reached by everybody who is not cut off from it.
class view_register {
public:
  void begin(replication::view genesis) { newest_ = std::move(genesis); }
  [[nodiscard]] const replication::view& newest() const noexcept { return newest_; }

  void cut_off(const std::string& name) { cut_off_.insert(name); }
  void mend(const std::string& name) { cut_off_.erase(name); }
  [[nodiscard]] bool reaches(const std::string& name) const { return !cut_off_.contains(name); }
  /// Nobody's gate ends early by what voters say: there are none.
  [[nodiscard]] replication::authority_answer answer(const replication::replica_id& who,
                                                     const replication::authority_question& question);

private:
  replication::view newest_;
  std::set<std::string> cut_off_;
};

}  // namespace artillery::scenarios

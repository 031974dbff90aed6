#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "membership/core.hpp"

namespace artillery::sim {

/// A book of the questions that members ask all others: what each promise about them is held against. Each is named by
/// its call, a number that no other question of the run has.
class query_book {
public:
  [[nodiscard]] static bytes payload(std::uint64_t call);
  /// An answer says which question it is to, and who gives it.
  [[nodiscard]] static bytes answer_to(const membership::query& asked, const node_id& by, std::size_t more);

  /// `named`: who is asked; nobody: all.
  void asked(std::uint64_t call, std::size_t process, const node_id& by, std::vector<node_id> named);
  void refused(std::uint64_t call) { entries_.erase(call); }
  /// Each of these says what is wrong with that, or nothing.
  [[nodiscard]] std::string heard(std::size_t process, const node_id& id, const membership::query& what);
  [[nodiscard]] std::string came(std::size_t process, const membership::query_news& what);

  /// Questions of a process that have not ended.
  [[nodiscard]] std::size_t open(std::size_t process) const;
  /// What one ended with; zeros when it has not.
  [[nodiscard]] membership::query_end end_of(std::uint64_t call) const;

  struct totals {
    std::uint64_t asked = 0;
    std::uint64_t heard = 0;
    std::uint64_t answers = 0;
  };
  [[nodiscard]] const totals& seen() const noexcept { return totals_; }

private:
  struct entry {
    std::size_t process = 0;
    node_id by;
    std::vector<node_id> named;
    std::set<std::size_t> heard_by;
    std::set<node_id> answered_by;
    bool ended = false;
    membership::query_end end;
  };

  std::map<std::uint64_t, entry> entries_;
  totals totals_;
};

}  // namespace artillery::sim

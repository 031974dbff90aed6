#pragma once

#include <cstdint>
#include <utility>

#include "artillery/detail/async.hpp"
#include "base/indexed.hpp"

namespace artillery::replication {

/// Operations that wait for their core's answer, under the numbers that the core knows them by. Unlike a map of the
/// standard library it allocates nothing for each.
template <class Signature>
class pending_operations {
public:
  void add(std::uint64_t number, detail::completion<Signature> done) { rows_.insert({number, std::move(done)}); }

  /// Takes the operation out; an empty completion if it has ended.
  [[nodiscard]] detail::completion<Signature> take(std::uint64_t number) {
    detail::completion<Signature> done;
    if (row* found = rows_.find(number)) {
      done = std::move(found->done);
      rows_.erase(number);
    }
    return done;
  }

  /// Completes all there are with the same results.
  template <class... Results>
  void complete_all(const Results&... results) {
    auto all = std::exchange(rows_, table{});
    for (row& one : all) one.done(results...);
  }

private:
  struct row {
    std::uint64_t key = 0;
    detail::completion<Signature> done;
  };
  using table = detail::indexed<row, detail::number_hash>;
  table rows_;
};

}  // namespace artillery::replication

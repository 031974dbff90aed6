#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "artillery/replication/store.hpp"
#include "base/state_hash.hpp"
#include "sim/history.hpp"

namespace artillery::sim {

/// A store for one thread: an ordered map that can be copied, and a journal of all that was applied for the checkers.
class chain_store final : public replication::store {
public:
  [[nodiscard]] replication::stored fetch(std::string_view key) const override;
  using store::fetch;
  [[nodiscard]] replication::stored fetch_at(std::string_view key, std::uint64_t watermark) const override;
  void apply(std::string_view key, const replication::stored& written) override;
  void commit(std::string_view key, std::uint64_t seq) override;
  [[nodiscard]] std::vector<replication::object> copy_part(std::size_t part, std::uint64_t watermark) const override;
  /// The journal begins anew, too: what a learner forgets nobody was told.
  void clear() override;
  [[nodiscard]] std::size_t size() const override { return objects_.size(); }

  [[nodiscard]] const journal& applied() const noexcept { return journal_; }
  /// Calls of `commit`.
  [[nodiscard]] std::uint64_t commits() const noexcept { return commits_; }
  /// The same objects in the same versions.
  [[nodiscard]] bool same_as(const chain_store& other) const;
  /// The versions that are kept, of all objects.
  [[nodiscard]] std::size_t versions() const noexcept { return versions_; }
  void hash(detail::state_hash& into) const;

private:
  std::map<std::string, std::vector<replication::stored>, std::less<>> objects_;  // versions ascending
  journal journal_;
  std::size_t versions_ = 0;
  std::uint64_t commits_ = 0;
};

}  // namespace artillery::sim

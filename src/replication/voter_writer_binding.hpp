#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/strand.hpp>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "net/driver.hpp"
#include "replication/voter_directory_binding.hpp"

namespace artillery::replication {

/// Writes a voter's file for its driver, one write after another: on an executor for that, or, without one, at once.
class voter_writer final : public net::persister {
public:
  explicit voter_writer(const asio::any_io_executor& disk) {
    if (disk) disk_.emplace(disk);
  }

  /// `on_failure` is told of each write that failed, on any thread.
  void use(voter_directory directory, done on_failure);
  /// Gives the directory free, once the writes under way have ended.
  void release() noexcept { directory_.reset(); }
  [[nodiscard]] bool has_directory() const noexcept { return directory_ != nullptr; }

  /// `voter_directory::exchange`, at once: nothing is being written.
  [[nodiscard]] std::error_code exchange(const voter_state& former, const voter_state& next, std::string& kept) const;

  void persist(operation op, std::span<const bytes> slices, done finished) override;

private:
  std::optional<asio::strand<asio::any_io_executor>> disk_;
  std::shared_ptr<const voter_directory> directory_;
  done on_failure_;
};

}  // namespace artillery::replication

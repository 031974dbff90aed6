#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "artillery/bytes.hpp"
#include "net/locked_directory.hpp"
#include "replication/voter_state.hpp"

namespace artillery::replication {

/// Why a voter's directory was not taken, and what to do, for a person.
struct voter_problem {
  std::error_code code;
  std::string explanation;

  explicit operator bool() const noexcept { return static_cast<bool>(code); }
};

/// Where a voter keeps what it must not forget: the file `voter` in a directory of its own, which no other process has
/// meanwhile.
class voter_directory {
public:
  struct meaning {
    std::uint64_t chain = 0;
    node_id node;
    std::vector<member> voters;  ///< as configured; empty: not compared
    std::uint64_t fresh = 0;     ///< incarnation of a voter that begins in an empty directory
  };

  /// Takes the directory at `path` and reads the voter's file in it. In an empty directory it writes the file of a
  /// voter that was not founded yet. When anything is wrong nothing was written, and the directory is free.
  [[nodiscard]] voter_problem open(const std::string& path, const meaning& meant);

  /// What the file held when it was opened.
  [[nodiscard]] const voter_state& found() const noexcept { return found_; }
  /// Makes this the file (`encode_voter`), durably. After an error the voter must be silent.
  [[nodiscard]] std::error_code write(std::span<const bytes> file) const;
  /// Makes `next` the file, durably, of a register that takes the place of a lost one. What `former` says stays, if it
  /// was founded, in a file beside, of which `kept` becomes the path. After an error the file is as it was, or
  /// `next`'s.
  [[nodiscard]] std::error_code exchange(const voter_state& former, const voter_state& next, std::string& kept) const;

private:
  [[nodiscard]] voter_problem begin(const meaning& meant);

  net::locked_directory directory_;
  voter_state found_;
};

}  // namespace artillery::replication

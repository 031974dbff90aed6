#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "artillery/clock.hpp"
#include "library.hpp"
#include "own_network.hpp"
#include "peer.hpp"

namespace peers {

/// A cluster of nodes of one library, each a process, in a network of its own.
class crowd {
public:
  /// Starts nothing yet. What the programs have to say on standard error goes to files in `directory`.
  crowd(library of, std::size_t size, const std::string& directory);
  ~crowd();
  crowd(const crowd&) = delete;
  crowd& operator=(const crowd&) = delete;

  /// Starts all that are not running.
  void start();
  void start(peer& one);
  /// Lets one join through another that lives.
  void join(const peer& one);

  [[nodiscard]] library of() const noexcept { return of_; }
  [[nodiscard]] const own_network& network() const noexcept { return network_; }
  [[nodiscard]] std::vector<std::unique_ptr<peer>>& peers() noexcept { return peers_; }
  [[nodiscard]] peer& at(std::size_t index) const noexcept { return *peers_[index]; }
  [[nodiscard]] std::size_t size() const noexcept { return peers_.size(); }

  [[nodiscard]] bool all_ready() const;
  [[nodiscard]] bool views_full() const;
  /// When the last of the others told so of that one since then; nothing before all have.
  [[nodiscard]] std::optional<artillery::time_point> all_told(std::string_view kind, const peer& about,
                                                              artillery::time_point since) const;
  /// When the first did.
  [[nodiscard]] std::optional<artillery::time_point> first_told(std::string_view kind, const peer& about,
                                                                artillery::time_point since) const;
  /// Reports of failures since then, without those about the ones excepted.
  [[nodiscard]] std::size_t failures_told(artillery::time_point since, const std::vector<const peer*>& except) const;

private:
  library of_;
  own_network network_;
  std::vector<std::string> places_;
  std::vector<std::unique_ptr<peer>> peers_;
};

/// Listens to all of these until that holds; false when it does not within `limit`. Throws tool::failure when a node
/// ends that nobody ended, and once `interrupt` is readable.
class patience {
public:
  explicit patience(int interrupt) noexcept : interrupt_{interrupt} {}
  bool wait_until(const std::vector<crowd*>& of, artillery::duration limit, const std::function<bool()>& holds) const;
  void wait(const std::vector<crowd*>& of, artillery::duration length) const;

private:
  int interrupt_;
};

}  // namespace peers

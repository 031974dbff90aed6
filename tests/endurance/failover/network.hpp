#pragma once

#include <string>
#include <vector>

#include "faults.hpp"

namespace failover {

/// A network of its own: a namespace for each replica and one for the clients, which holds the bridge that joins them.
/// All of it goes with this object.
///
/// Needs root, and the commands `ip` and `iptables`.
class network {
public:
  /// What is missing on this machine to make one; empty when nothing is. Tries what it can only know by trying.
  [[nodiscard]] static std::string missing();

  /// `replicas` are their names. What the commands have to say goes to the file `remarks`. Throws tool::failure.
  network(std::vector<std::string> replicas, std::string remarks);
  ~network();
  network(const network&) = delete;
  network& operator=(const network&) = delete;

  /// From now on this thread, and those that it starts, open their sockets where the clients are.
  void enter_as_client() const;

  /// Of a replica: where it is, and the words that begin a command line that runs there.
  [[nodiscard]] std::string address_of(const std::string& replica) const;
  [[nodiscard]] std::vector<std::string> prefix_of(const std::string& replica) const;

  /// Drops what comes to it from other replicas, what goes to them, or both. Clients and it go on hearing each other.
  void cut(const std::string& replica, fault_kind how) const;
  /// Drops all that goes between it and those.
  void part(const std::string& replica, const std::vector<std::string>& from) const;
  void heal(const std::string& replica) const;

private:
  void make(const std::string& replica) const;
  void ip(std::vector<std::string> words) const;
  void iptables(const std::string& replica, std::vector<std::string> words) const;
  [[nodiscard]] int run(const std::vector<std::string>& words) const;
  void require(const std::vector<std::string>& words) const;
  void remove() const noexcept;
  [[nodiscard]] std::string space_of(const std::string& name) const;

  std::string prefix_;
  std::vector<std::string> replicas_;
  std::string remarks_;
};

}  // namespace failover

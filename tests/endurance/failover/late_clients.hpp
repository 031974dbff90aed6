#pragma once

#include <asio/any_io_executor.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "artillery/replication.hpp"
#include "read_record.hpp"

namespace failover {

/// Clients that come while something is the matter with a replica, and know nobody but that one: they learn from it
/// what it takes for the view, and want their strong reads answered by it and no other.
///
/// Belongs to the context of its executor, as `agent_reader` does.
class late_clients {
public:
  /// `first_client`: their numbers begin there.
  late_clients(asio::any_io_executor executor, artillery::replication::client_config config, std::uint32_t first_client,
               read_record& record);

  /// From now on they come to this replica, which is the agent of that number; those of before are gone.
  void turn_to(const artillery::replication::member& replica, std::size_t agent);
  /// No further ones; those that there are go on waiting for their answers.
  void stop() noexcept { is_coming_ = false; }
  /// One more comes, up to some number.
  void come();
  /// Each of them reads this object.
  void read(const std::string& key);

private:
  asio::any_io_executor executor_;
  artillery::replication::client_config config_;
  std::uint32_t next_client_;
  read_record& record_;
  artillery::replication::member replica_;
  std::size_t agent_ = 0;
  bool is_coming_ = false;
  struct client {
    std::uint32_t number = 0;
    std::unique_ptr<artillery::replication::client> handle;
  };
  std::vector<client> clients_;
};

}  // namespace failover

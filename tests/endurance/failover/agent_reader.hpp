#pragma once

#include <array>
#include <asio/local/stream_protocol.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "control/message.hpp"
#include "read_record.hpp"

namespace failover {

/// Strong reads through one connection to an agent's socket, that is by its own replica wherever it may answer. They
/// are sent without waiting for answers: what a stopped agent was asked, it finds when it goes on.
///
/// Belongs to the context that it was given: nothing of it may be called while that runs elsewhere.
class agent_reader {
public:
  agent_reader(const asio::any_io_executor& executor, std::string path, std::uint32_t client, std::size_t agent,
               read_record& record);

  /// Asks for this object, once there is a connection; opens one when there is none.
  void read(const std::string& key);

private:
  void connect();
  void send();
  void receive();
  void take_answers();
  void break_off();

  asio::local::stream_protocol::socket socket_;
  std::string path_;
  std::uint32_t client_;
  std::size_t agent_;
  read_record& record_;
  enum class state { closed, connecting, open } state_ = state::closed;
  bool is_sending_ = false;
  std::string waiting_;  ///< to be sent
  std::string sent_;
  std::deque<read_record::slot> asked_;  ///< in the order of the answers
  tool::control::decoder decoder_;
  std::array<char, std::size_t{64} << 10U> piece_{};
};

}  // namespace failover

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <system_error>

#include "replication/message.hpp"
#include "scenarios/stage.hpp"

namespace artillery::scenarios {

/// The frames of replication in words.
class replication_words {
public:
  void name_node(const node_id& id, const std::string& name) { nodes_[id] = name; }

  [[nodiscard]] described describe(const utterance& what);
  [[nodiscard]] std::string name_of(const replication::replica_id& who) const;
  [[nodiscard]] std::string text_of(const replication::view& what) const;

private:
  [[nodiscard]] described describe_handshake(const utterance& what) const;
  [[nodiscard]] described describe_of_chain(replication::frame_kind kind, const utterance& what);
  [[nodiscard]] described describe_of_clients(replication::frame_kind kind, const bytes& frame);
  [[nodiscard]] std::string record_text(const replication::record& what);
  [[nodiscard]] std::string request_text(const replication::write_request& what);
  /// Sessions have drawn numbers; here they are s1, s2 … in the order in which they are seen.
  [[nodiscard]] std::string session(std::uint64_t number);
  /// Questions of one asker are 1, 2 … likewise.
  [[nodiscard]] std::string question(const std::string& asker, std::uint64_t number);

  std::map<node_id, std::string> nodes_;
  std::map<std::uint64_t, std::string> sessions_;
  std::map<std::string, std::map<std::uint64_t, std::size_t>> questions_;
};

/// A value as it is, or its start and size.
[[nodiscard]] std::string value_text(std::string_view value);
[[nodiscard]] std::string result_text(const replication::write_result& what);
[[nodiscard]] std::string level_text(const replication::consistency& level);

}  // namespace artillery::scenarios

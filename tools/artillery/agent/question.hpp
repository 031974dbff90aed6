#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "artillery/node.hpp"

namespace tool::agent {

/// A query of the agent's node for somebody at the control socket. It is given up when this object goes.
class question : public std::enable_shared_from_this<question> {
public:
  /// The next line, with its newline; nothing when there is none, because the node has ended or
  /// the query was given up.
  using take_line = std::function<void(std::optional<std::string> line, bool is_last)>;

  question(artillery::node& node, std::uint64_t number);
  question(const question&) = delete;
  question& operator=(const question&) = delete;
  ~question();

  /// Not before the one before it has come.
  void next(take_line take);

private:
  [[nodiscard]] std::string line_of(const artillery::membership::query_progress& what) const;

  artillery::node& node_;
  std::uint64_t number_;
  artillery::time_point asked_at_;
  std::map<artillery::node_id, std::string> names_;  ///< of those who were there when it was asked
};

}  // namespace tool::agent

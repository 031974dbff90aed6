#pragma once

#include <string>

#include "artillery/node_id.hpp"

namespace artillery::detail {

/// Where a node keeps what must outlive its process: its id, in the file `node`, and its vote, in `register`.
///
/// Without a path given, a private one among the system's temporary files, which goes with this object.
class node_directory {
public:
  /// Makes the directory if need be. The id is the one that is kept there, else `wanted`, else a fresh one, and kept
  /// from now on.
  node_directory(std::string path, const node_id& wanted);
  node_directory(const node_directory&) = delete;
  node_directory& operator=(const node_directory&) = delete;
  ~node_directory();

  /// Why it cannot be used, for people; empty when it can.
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
  [[nodiscard]] const node_id& id() const noexcept { return id_; }
  [[nodiscard]] std::string register_path() const { return path_ + "/register"; }

private:
  void make_temporary();
  void make_given();
  void read_id(const std::string& file, const node_id& wanted);
  void keep_id(const std::string& file);

  std::string path_;
  node_id id_;
  std::string problem_;
  bool is_temporary_ = false;
};

[[nodiscard]] node_id draw_node_id();

}  // namespace artillery::detail

#include "node/node_directory.hpp"

#include <filesystem>
#include <fstream>
#include <random>
#include <system_error>
#include <utility>

namespace artillery::detail {

namespace fs = std::filesystem;

namespace {

std::uint64_t entropy() {
  std::random_device device;
  const std::uint64_t upper = device();
  const std::uint64_t lower = device();
  return (upper << 32U) | (lower & 0xffffffffU);
}

}  // namespace

node_id draw_node_id() {
  const std::uint64_t high = entropy();
  const std::uint64_t low = entropy();
  return {high, low | 1U};
}

node_directory::node_directory(std::string path, const node_id& wanted) : path_{std::move(path)} {
  if (path_.empty()) {
    id_ = wanted.none() ? draw_node_id() : wanted;
    make_temporary();
    return;
  }
  make_given();
  if (!problem_.empty()) return;
  const std::string file = path_ + "/node";
  read_id(file, wanted);
  if (!problem_.empty() || !id_.none()) return;
  id_ = wanted.none() ? draw_node_id() : wanted;
  keep_id(file);
}

node_directory::~node_directory() {
  if (!is_temporary_) return;
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void node_directory::make_temporary() {
  std::error_code error;
  const fs::path place = fs::temp_directory_path(error);
  if (error) {
    problem_ = "there is no place for temporary files (" + error.message() + "); set TMPDIR, or give a directory";
    return;
  }
  path_ = (place / ("artillery-" + to_string(draw_node_id()))).string();
  is_temporary_ = fs::create_directory(path_, error);
  if (is_temporary_) fs::permissions(path_, fs::perms::owner_all, error);
  if (error || !is_temporary_) problem_ = "directory " + path_ + " cannot be made: " + error.message();
}

void node_directory::make_given() {
  std::error_code error;
  fs::create_directories(path_, error);
  if (error) problem_ = "directory " + path_ + " cannot be made: " + error.message();
}

void node_directory::read_id(const std::string& file, const node_id& wanted) {
  std::error_code error;
  if (!fs::exists(file, error) && !error) return;
  std::ifstream in{file};
  std::string text;
  in >> text;
  const auto kept = parse_node_id(text);
  if (!in || !kept || kept->none()) {
    problem_ = "directory " + path_ + ": the file 'node' does not hold a node id; put it back as it was, or give " +
               "another directory";
  } else if (!wanted.none() && wanted != *kept) {
    problem_ = "directory " + path_ + " is that of node " + to_string(*kept) + ", not of " + to_string(wanted) +
               "; give each node a directory of its own, or leave the id out";
  } else {
    id_ = *kept;
  }
}

/// Written beside and renamed, so that it is there as a whole or not at all.
void node_directory::keep_id(const std::string& file) {
  const std::string fresh = file + ".new";
  {
    std::ofstream out{fresh, std::ios::trunc};
    out << to_string(id_) << '\n';
    out.flush();
    if (!out) problem_ = "directory " + path_ + ": the file 'node.new' cannot be written";
  }
  std::error_code error;
  if (problem_.empty()) fs::rename(fresh, file, error);
  if (error) problem_ = "directory " + path_ + ": the file 'node' cannot be written: " + error.message();
}

}  // namespace artillery::detail

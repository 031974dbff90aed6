#include "cpu_quota.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

#include "exit_code.hpp"

namespace peers {
namespace {

constexpr unsigned period_us = 100'000;
constexpr std::string_view second_version = "/sys/fs/cgroup";
constexpr std::string_view first_version = "/sys/fs/cgroup/cpu";

/// Whether groups below the root of the second version may be given a share of the processor.
bool has_second_version() {
  std::ifstream controllers{std::string{second_version} + "/cgroup.subtree_control"};
  std::string word;
  while (controllers >> word) {
    if (word == "cpu") return true;
  }
  return false;
}

bool has_first_version() {
  return ::access((std::string{first_version} + "/cpu.cfs_quota_us").c_str(), W_OK) == 0;
}

void write(const std::string& file, const std::string& text) {
  std::ofstream into{file};
  into << text << std::flush;
  if (!into) throw tool::failure{tool::exit_code::failed, "cannot write '" + text + "' to " + file};
}

}  // namespace

std::string cpu_quota::missing() {
  return has_second_version() || has_first_version() ? "" : "the cpu controller of control groups";
}

cpu_quota::cpu_quota(const std::string& name, unsigned percent, unsigned competitors, const std::string& remarks)
    : folder_{std::string{has_second_version() ? second_version : first_version} + '/' + name} {
  std::filesystem::create_directory(folder_);
  limit(std::to_string(period_us * percent / 100));
  for (unsigned i = 0; i < competitors; ++i) {
    competitors_.push_back(
        std::make_unique<demo::child>(std::vector<std::string>{"/bin/sh", "-c", "while :; do :; done"}, remarks));
    add(competitors_.back()->pid());
  }
}

cpu_quota::~cpu_quota() {
  competitors_.clear();
  std::error_code ignored;
  std::filesystem::remove(folder_, ignored);
}

void cpu_quota::add(pid_t process) const {
  write(folder_ + "/cgroup.procs", std::to_string(process));
}

void cpu_quota::lift() {
  competitors_.clear();
  limit(has_second_version() ? "max" : "-1");
}

void cpu_quota::limit(const std::string& quota) const {
  if (has_second_version()) {
    write(folder_ + "/cpu.max", quota + ' ' + std::to_string(period_us));
  } else {
    write(folder_ + "/cpu.cfs_period_us", std::to_string(period_us));
    write(folder_ + "/cpu.cfs_quota_us", quota);
  }
}

}  // namespace peers

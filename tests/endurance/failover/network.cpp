#include "network.hpp"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <thread>
#include <utility>

#include "child.hpp"
#include "control/file_descriptor.hpp"
#include "exit_code.hpp"
#include "program_path.hpp"
#include "system_failure.hpp"

namespace failover {

using demo::path_of;

namespace {

constexpr const char* bridge = "bridge0";
constexpr const char* clients = "clients";
constexpr const char* device = "eth0";
constexpr const char* client_address = "10.77.0.254";

std::string with_prefix_length(const std::string& address) {
  return address + "/24";
}

/// Whether this process may make a namespace, and the kernel has what is to be in it. Tried in one of its own, which
/// goes with the thread that is in it.
std::string missing_rights() {
  std::string found;
  std::thread{[&found] {
    const auto runs = [](const std::vector<std::string>& words) { return demo::child{words, "/dev/null"}.wait() == 0; };
    if (::unshare(CLONE_NEWNET) != 0) {
      found = "the right to make them (CAP_SYS_ADMIN)";
    } else if (!runs({path_of("ip"), "link", "add", bridge, "type", "bridge"})) {
      found = "the right to make a bridge (CAP_NET_ADMIN), and a kernel that has them";
    } else if (!runs({path_of("iptables"), "-w", "-A", "INPUT", "-s", client_address, "-j", "DROP"})) {
      found = "a kernel that has iptables";
    }
  }}.join();
  return found;
}

}  // namespace

std::string network::missing() {
  if (::geteuid() != 0) return "root";
  if (path_of("ip").empty()) return "the command ip (Debian: apt-get install iproute2)";
  if (path_of("iptables").empty()) return "the command iptables (Debian: apt-get install iptables)";
  return missing_rights();
}

network::network(std::vector<std::string> replicas, std::string remarks)
    : prefix_{"artillery-" + std::to_string(::getpid()) + "-"},
      replicas_{std::move(replicas)},
      remarks_{std::move(remarks)} {
  try {
    ip({"netns", "add", space_of(clients)});
    const std::string there = space_of(clients);
    ip({"-n", there, "link", "set", "lo", "up"});
    ip({"-n", there, "link", "add", bridge, "type", "bridge"});
    ip({"-n", there, "addr", "add", with_prefix_length(client_address), "broadcast", "+", "dev", bridge});
    ip({"-n", there, "link", "set", bridge, "up"});
    for (const std::string& replica : replicas_) make(replica);
  } catch (...) {
    remove();
    throw;
  }
}

network::~network() {
  remove();
}

void network::make(const std::string& replica) const {
  const std::string here = space_of(replica);
  const std::string there = space_of(clients);
  ip({"netns", "add", here});
  ip({"-n", there, "link", "add", "to-" + replica, "type", "veth", "peer", "name", device, "netns", here});
  ip({"-n", there, "link", "set", "to-" + replica, "master", bridge, "up"});
  ip({"-n", here, "link", "set", "lo", "up"});
  ip({"-n", here, "addr", "add", with_prefix_length(address_of(replica)), "broadcast", "+", "dev", device});
  ip({"-n", here, "link", "set", device, "up"});
}

void network::remove() const noexcept {
  try {
    for (const std::string& replica : replicas_) (void)run({path_of("ip"), "netns", "delete", space_of(replica)});
    (void)run({path_of("ip"), "netns", "delete", space_of(clients)});
  } catch (const std::exception&) {  // no process could be started: then nothing can be removed either
  }
}

void network::enter_as_client() const {
  const std::string file = "/run/netns/" + space_of(clients);
  const tool::control::file_descriptor there{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!there || ::setns(there.number(), CLONE_NEWNET) != 0) demo::throw_system_error("cannot enter " + file);
}

std::string network::address_of(const std::string& replica) const {
  const auto place = std::find(replicas_.begin(), replicas_.end(), replica) - replicas_.begin();
  return "10.77.0." + std::to_string(place + 1);
}

std::vector<std::string> network::prefix_of(const std::string& replica) const {
  return {path_of("ip"), "netns", "exec", space_of(replica)};
}

void network::cut(const std::string& replica, fault_kind how) const {
  if (how != fault_kind::cut_out)
    iptables(replica, {"-A", "INPUT", "-i", device, "!", "-s", client_address, "-j", "DROP"});
  if (how != fault_kind::cut_in)
    iptables(replica, {"-A", "OUTPUT", "-o", device, "!", "-d", client_address, "-j", "DROP"});
}

void network::part(const std::string& replica, const std::vector<std::string>& from) const {
  for (const std::string& other : from) {
    iptables(replica, {"-A", "INPUT", "-s", address_of(other), "-j", "DROP"});
    iptables(replica, {"-A", "OUTPUT", "-d", address_of(other), "-j", "DROP"});
  }
}

void network::heal(const std::string& replica) const {
  iptables(replica, {"-F"});
}

void network::ip(std::vector<std::string> words) const {
  words.insert(words.begin(), path_of("ip"));
  require(words);
}

void network::iptables(const std::string& replica, std::vector<std::string> words) const {
  std::vector<std::string> whole = prefix_of(replica);
  whole.push_back(path_of("iptables"));
  whole.emplace_back("-w");
  whole.insert(whole.end(), words.begin(), words.end());
  require(whole);
}

int network::run(const std::vector<std::string>& words) const {
  return demo::child{words, remarks_}.wait();
}

void network::require(const std::vector<std::string>& words) const {
  if (run(words) == 0) return;
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  throw tool::failure{tool::exit_code::failed, "'" + text + "' failed; what it said is in " + remarks_};
}

std::string network::space_of(const std::string& name) const {
  return prefix_ + name;
}

}  // namespace failover

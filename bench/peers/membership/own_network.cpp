#include "own_network.hpp"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cstdio>
#include <sstream>
#include <utility>

#include "child.hpp"
#include "exit_code.hpp"
#include "program_path.hpp"
#include "system_failure.hpp"

namespace peers {

using demo::path_of;
using tool::exit_code;
using tool::failure;

namespace {

constexpr std::uint64_t header_bytes = 20 + 8;  // of IPv4 and UDP, which iptables counts, too

}  // namespace

std::string own_network::missing() {
  if (::geteuid() != 0) return "root";
  if (path_of("ip").empty()) return "the command ip (Debian: apt-get install iproute2)";
  if (path_of("iptables").empty()) return "the command iptables (Debian: apt-get install iptables)";
  return {};
}

own_network::own_network(std::string remarks) : remarks_{std::move(remarks)} {
  if (::unshare(CLONE_NEWNET) != 0) demo::throw_system_error("cannot make a network namespace");
  space_ = tool::control::file_descriptor{::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)};
  if (!space_) demo::throw_system_error("cannot keep the network namespace");
  require({path_of("ip"), "link", "set", "lo", "up"});
  // Without a target it drops nothing: it counts.
  require({path_of("iptables"), "-w", "-A", "OUTPUT", "-p", "udp"});
}

void own_network::enter() const {
  if (::setns(space_.number(), CLONE_NEWNET) != 0) demo::throw_system_error("cannot enter the network namespace");
}

void own_network::lose(unsigned percent) const {
  enter();
  require({path_of("iptables"), "-w", "-F", "INPUT"});
  if (percent == 0) return;
  char probability[16];
  std::snprintf(probability, sizeof probability, "%.2f", percent / 100.0);
  require({path_of("iptables"), "-w", "-A", "INPUT", "-p", "udp", "-m", "statistic", "--mode", "random",
           "--probability", probability, "-j", "DROP"});
}

traffic own_network::sent() const {
  enter();
  demo::child list{{path_of("iptables"), "-w", "-L", "OUTPUT", "-v", "-n", "-x"}, remarks_};
  (void)list.wait();
  // Two lines of headings, then the one rule: packets, bytes and what it matches.
  for (int heading = 0; heading < 2; ++heading) (void)list.take_line();
  std::istringstream rule{list.take_line().value_or("")};
  traffic found;
  if (!(rule >> found.datagrams >> found.payload_bytes))
    throw failure{exit_code::failed, "iptables did not tell what it counted"};
  found.payload_bytes -= found.datagrams * header_bytes;
  return found;
}

void own_network::require(const std::vector<std::string>& words) const {
  if (demo::child{words, remarks_}.wait() == 0) return;
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  throw failure{exit_code::failed, "'" + text + "' failed; what it said is in " + remarks_};
}

}  // namespace peers

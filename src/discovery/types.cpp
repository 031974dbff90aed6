#include "artillery/discovery/types.hpp"

#include <algorithm>

namespace artillery::discovery {
namespace {

bool in_token(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

/// Names and keys end up on people's terminals: nothing that could move a cursor there.
bool is_control(char c) noexcept {
  const auto u = static_cast<unsigned char>(c);
  return u < 0x20 || u == 0x7f;
}

std::string problem_of_token(std::string_view field, std::string_view text, std::size_t max) {
  if (!text.empty() && text.size() <= max && std::all_of(text.begin(), text.end(), in_token)) return {};
  return std::string{field} + " has " + std::to_string(text.size()) +
         " characters or a character that is not allowed; it takes 1 to " + std::to_string(max) +
         " letters, digits, '.', '_' or '-'";
}

std::string problem_of_txt(const std::vector<txt_entry>& txt) {
  std::size_t size = 0;
  for (const txt_entry& entry : txt) {
    const bool printable =
        std::all_of(entry.key.begin(), entry.key.end(), [](char c) { return c >= 0x20 && c < 0x7f && c != '='; });
    if (entry.key.empty() || !printable)
      return "txt has a key that is empty or not allowed; it takes printable ASCII without '='";
    size += entry.key.size() + entry.value.size() + 2;
  }
  if (size <= service::txt_size_max) return {};
  return "txt takes " + std::to_string(size) + " bytes; at most " + std::to_string(service::txt_size_max) +
         " are allowed";
}

std::string out_of_range(std::string_view option, std::string_view is, std::string_view allowed) {
  return std::string{option} + " is " + std::string{is} + "; it takes " + std::string{allowed};
}

}  // namespace

std::optional<std::string_view> service::attribute(std::string_view key) const noexcept {
  for (const txt_entry& entry : txt)
    if (entry.key == key) return entry.value;
  return {};
}

std::string validate_type(std::string_view type) {
  return problem_of_token("type", type, service::type_max);
}

std::string service::validate() const {
  if (auto problem = validate_type(type); !problem.empty()) return problem;
  if (auto problem = problem_of_token("protocol", protocol, service::protocol_max); !problem.empty()) return problem;
  if (name.empty() || name.size() > service::name_max)
    return "name has " + std::to_string(name.size()) + " bytes; it takes 1 to " + std::to_string(service::name_max);
  if (std::any_of(name.begin(), name.end(), is_control)) return "name has a control character";
  if (endpoints.empty() || endpoints.size() > service::endpoints_max)
    return "endpoints has " + std::to_string(endpoints.size()) + " entries; it takes 1 to " +
           std::to_string(service::endpoints_max);
  for (const endpoint& e : endpoints)
    if (e.none() || e.is_multicast())
      return "endpoints has " + to_string(e) + "; each needs a port, and a host's address";
  if (auto problem = problem_of_txt(txt); !problem.empty()) return problem;
  if (ttl != duration::zero() && (ttl < service::ttl_min || ttl > service::ttl_max))
    return "ttl is out of range; it takes 0 (automatic) or 1 s to 1 h";
  return {};
}

std::string config::validate() const {
  if (cluster.empty() || cluster.size() > cluster_max)
    return out_of_range("cluster", std::to_string(cluster.size()) + " bytes long", "1 to 255 bytes");
  if (port == 0) return out_of_range("port", "0", "1 to 65535: all beacons of a link share it");
  if (announce_interval < std::chrono::seconds{1} || announce_interval > std::chrono::minutes{5})
    return out_of_range("announce_interval", "out of range", "1 s to 5 min");
  if (event_queue_max < 16 || event_queue_max > 1'000'000)
    return out_of_range("event_queue_max", std::to_string(event_queue_max), "16 to 1,000,000");
  for (const std::string& name : interfaces)
    if (name.empty() || name.size() > 15)
      return out_of_range("interfaces", "'" + name + "'", "names of interfaces, 1 to 15 characters each");
  if (static_peers.size() > static_peers_max)
    return out_of_range("static_peers", std::to_string(static_peers.size()) + " entries long", "at most 256");
  for (const endpoint& peer : static_peers)
    if (peer.none() || peer.is_any() || peer.is_multicast())
      return out_of_range("static_peers", "given " + to_string(peer), "a host's address and a port each");
  return {};
}

std::string_view to_string(loss reason) noexcept {
  switch (reason) {
    case loss::goodbye: return "goodbye";
    case loss::expired: return "expired";
    case loss::restarted: return "restarted";
    case loss::evicted: return "evicted";
  }
  return "unknown";
}

}  // namespace artillery::discovery

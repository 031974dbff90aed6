#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "discovery/core.hpp"
#include "discovery/message.hpp"
#include "scenarios/stage.hpp"

namespace artillery::scenarios {

/// The frames of discovery, and what it tells its user, in words.
class discovery_words {
public:
  /// Node epochs are written as whole lives of a node: 1, 2 …
  static constexpr std::uint64_t epochs_per_life = 1'000'000;

  void name_service(const node_id& instance, const std::string& name) { services_[instance.high] = name; }
  void name_realm(const std::string& host, const discovery::realm& where) { realms_[host] = where; }

  /// Of what a message announces, where nobody named it.
  void learn_names(const utterance& what);

  [[nodiscard]] described describe(const utterance& what) const;
  /// As told to the user of `host`.
  [[nodiscard]] std::string event_text(const std::string& host, const discovery::core_event& what) const;
  [[nodiscard]] static std::string counters_text(const discovery::core_counters& what);

private:
  [[nodiscard]] discovery::decoded_frame read(const utterance& what) const;
  [[nodiscard]] std::string question_text(const discovery::question& what) const;
  [[nodiscard]] std::string name_of(std::uint64_t instance_high) const;

  std::map<std::uint64_t, std::string> services_;  // by the upper half of their instance id
  std::map<std::string, discovery::realm> realms_;
};

}  // namespace artillery::scenarios

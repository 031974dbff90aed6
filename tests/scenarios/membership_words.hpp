#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "membership/message.hpp"
#include "scenarios/stage.hpp"

namespace artillery::scenarios {

/// The messages of membership, and what it tells its user, in words.
class membership_words {
public:
  void name_node(const node_id& id, const std::string& name) {
    full_names_[id] = name;
    short_names_[membership::shorten(id).value] = name;
  }

  /// Of those whom a message tells about, where nobody named them.
  void learn_names(const utterance& what);

  [[nodiscard]] described describe(const utterance& what) const;
  /// As told to the user of `host`.
  [[nodiscard]] std::string event_text(const std::string& host, const membership::event& what) const;
  /// "n2 suspect (incarnation 1)"
  [[nodiscard]] static std::string member_text(const membership::member& who);
  /// In quotes; a long one is cut short.
  [[nodiscard]] static std::string payload_text(const bytes& payload);
  [[nodiscard]] std::string name_of(const node_id& id) const;

private:
  [[nodiscard]] described describe_body(const membership::message_body& body) const;
  [[nodiscard]] std::string list_of(const membership::view_summary& what) const;
  [[nodiscard]] std::string list_of(const membership::event_summary& what) const;
  [[nodiscard]] std::string list_of(const membership::push_pull& what) const;
  [[nodiscard]] std::string claim_text(const membership::claim& what) const;
  [[nodiscard]] std::string name_of(membership::short_name name) const;

  std::map<node_id, std::string> full_names_;
  std::map<std::uint64_t, std::string> short_names_;
};

[[nodiscard]] std::string tags_text(const membership::tag_map& tags);

}  // namespace artillery::scenarios

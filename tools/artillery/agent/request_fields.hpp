#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "artillery/clock.hpp"

/// The members of a request, checked. What is wrong is thrown as `bad_field` and answered as `bad_request`.
namespace tool::agent {

class bad_field : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

[[nodiscard]] std::string text_field(const nlohmann::json& head, const char* name);
[[nodiscard]] std::string bytes_field(const nlohmann::json& head, const char* name);
/// `topic`, of what is said to other members: none of the agents' own, but for a ping where `may_ping`.
[[nodiscard]] std::string topic_field(const nlohmann::json& head, bool may_ping = false);
/// `timeout_ms`, 1 ms to 24 h; 5 s unless told.
[[nodiscard]] artillery::duration timeout_field(const nlohmann::json& head);
/// A list of texts, empty when absent.
[[nodiscard]] std::vector<std::string> texts_field(const nlohmann::json& head, const char* name);

}  // namespace tool::agent

#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "agent/feed.hpp"
#include "artillery/node.hpp"
#include "control/message.hpp"

namespace tool::agent {

/// Turns requests into calls of the node. Single-threaded.
class request_handler {
public:
  /// Called exactly once, unless the node goes away first; the body is sent when there is one.
  using answer = std::function<void(nlohmann::json reply, std::optional<artillery::bytes> body)>;

  request_handler(artillery::node& node, feed& events, std::string socket, std::size_t value_size_max)
      : node_{node}, events_{events}, socket_{std::move(socket)}, value_size_max_{value_size_max} {}

  void handle(const control::message& request, const answer& done);

private:
  void members(const control::message& request, const answer& done);
  void tags(const control::message& request, const answer& done);
  void join(const control::message& request, const answer& done);
  void status(const control::message& request, const answer& done);
  void event(const control::message& request, const answer& done);
  void get(const control::message& request, const answer& done);
  void put(const control::message& request, const answer& done);
  void cas(const control::message& request, const answer& done);
  void del(const control::message& request, const answer& done);
  void chain(const control::message& request, const answer& done);  // chain_request.cpp
  void force_chain(const answer& done);                             // likewise

  template <class Call>
  void write(std::size_t size, const answer& done, Call call);

  artillery::node& node_;
  feed& events_;
  std::string socket_;
  std::size_t value_size_max_;
};

}  // namespace tool::agent

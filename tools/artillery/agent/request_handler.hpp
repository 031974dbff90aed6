#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "agent/feed.hpp"
#include "agent/question.hpp"
#include "agent/state_times.hpp"
#include "artillery/node.hpp"
#include "control/message.hpp"

namespace tool::agent {

/// Turns requests into calls of the node. Single-threaded.
class request_handler {
public:
  /// Called exactly once, unless the node goes away first; the body is sent when there is one.
  using answer = std::function<void(nlohmann::json reply, std::optional<artillery::bytes> body)>;
  /// Likewise; there is no question when the reply says why.
  using asked = std::function<void(nlohmann::json reply, std::shared_ptr<question> question)>;

  /// What the agent has that a request is about.
  struct subject {
    artillery::node& node;
    feed& events;
    state_times& times;
    std::string socket;
    std::size_t value_size_max = 0;
    std::function<void(std::string reason)> leave;  ///< ends the agent in good order
  };

  explicit request_handler(subject of) : of_{std::move(of)} {}

  void handle(const control::message& request, const answer& done);
  /// Asks the other members; whoever sent the request then takes the answers.
  void query(const control::message& request, const asked& done);  // talk_request.cpp

private:
  void members(const control::message& request, const answer& done);
  void tags(const control::message& request, const answer& done);
  void join(const control::message& request, const answer& done);
  void status(const control::message& request, const answer& done);
  void leave(const control::message& request, const answer& done);
  void event(const control::message& request, const answer& done);
  void get(const control::message& request, const answer& done);
  void put(const control::message& request, const answer& done);
  void cas(const control::message& request, const answer& done);
  void del(const control::message& request, const answer& done);
  void send(const control::message& request, const answer& done);          // talk_request.cpp
  void answer_query(const control::message& request, const answer& done);  // likewise
  void chain(const control::message& request, const answer& done);         // chain_request.cpp
  void force_chain(const answer& done);                                    // likewise

  template <class Call>
  void write(std::size_t size, const answer& done, Call call);

  subject of_;
};

}  // namespace tool::agent

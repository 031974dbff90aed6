#pragma once

#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "artillery/membership/types.hpp"
#include "net/event_queue.hpp"

namespace artillery::membership {

/// One subscription's events.
struct topic_stream {
  topic_stream(std::string of, std::size_t events_max)
      : topic{std::move(of)}, events{events_max, [](std::uint64_t lost) { return event{overflow{lost}}; }} {}

  const std::string topic;
  net::event_queue<event> events;
};

/// Who has subscribed to what. On the owner's strand.
class topic_streams {
public:
  void add(std::shared_ptr<topic_stream> one) {
    if (closed_) return one->events.close(closed_);
    all_.push_back(std::move(one));
  }
  void remove(const std::shared_ptr<topic_stream>& one, std::error_code why) {
    one->events.close(why);
    std::erase(all_, one);
  }
  void close(std::error_code why) {
    closed_ = why;
    for (const auto& one : all_) one->events.close(why);
    all_.clear();
  }

  /// Tells it to whoever has subscribed to its topic; whether anybody has.
  bool take(const event& what) {
    if (all_.empty()) return false;
    const std::string* topic = topic_of(what);
    if (topic == nullptr) return false;
    bool taken = false;
    for (const auto& one : all_) {
      if (one->topic != *topic) continue;
      one->events.push(what);
      taken = true;
    }
    return taken;
  }

private:
  [[nodiscard]] static const std::string* topic_of(const event& what) noexcept {
    if (const auto* e = std::get_if<user_event>(&what)) return &e->topic;
    if (const auto* m = std::get_if<message>(&what)) return &m->topic;
    if (const auto* q = std::get_if<membership::query>(&what)) return &q->topic;
    return nullptr;
  }

  std::vector<std::shared_ptr<topic_stream>> all_;
  std::error_code closed_;
};

}  // namespace artillery::membership

#include <string_view>
#include <utility>
#include <variant>

#include "node/forwarding.hpp"
#include "node/node_impl.hpp"

// What members say to each other: membership carries it, under topics of which some are the nodes' own.

namespace artillery::detail {

namespace {

bool is_own(std::string_view topic) noexcept {
  return topic.starts_with(node_config::own_topics);
}

/// Under which something was said; nothing is said by other events.
std::string_view topic_of(const membership::event& what) noexcept {
  if (const auto* event = std::get_if<membership::user_event>(&what)) return event->topic;
  if (const auto* message = std::get_if<membership::message>(&what)) return message->topic;
  if (const auto* query = std::get_if<membership::query>(&what)) return query->topic;
  return {};
}

}  // namespace

/// Of a node that has ended membership would say why, and not that nothing was said.
bool node_impl::is_running() const {
  const std::lock_guard lock{mutex_};
  return seen_.running;
}

void node_impl::broadcast(std::string topic, bytes payload, done when_over) {
  if (!is_running()) return when_over(errc::not_running);
  if (is_own(topic)) return when_over(errc::invalid_argument);
  cluster_->async_broadcast(std::move(topic), std::move(payload), forwarding(std::move(when_over)));
}

void node_impl::send(const node_id& to, std::string topic, bytes payload, const membership::send_options& how,
                     done when_over) {
  if (!is_running()) return when_over(errc::not_running);
  if (is_own(topic)) return when_over(errc::invalid_argument);
  cluster_->async_send(to, std::move(topic), std::move(payload), how, forwarding(std::move(when_over)));
}

void node_impl::query(std::string topic, bytes payload, membership::query_options options,
                      completion<query_signature> when_over) {
  if (!is_running()) return when_over(errc::not_running, 0);
  if (is_own(topic) && topic != node_config::ping_topic) return when_over(errc::invalid_argument, 0);
  cluster_->async_query(std::move(topic), std::move(payload), std::move(options), forwarding(std::move(when_over)));
}

void node_impl::next_answer(std::uint64_t query, completion<progress_signature> when_over) {
  if (!is_running()) return when_over(errc::not_running, {});
  cluster_->async_next_answer(query, forwarding(std::move(when_over)));
}

void node_impl::drop_query(std::uint64_t query) {
  if (cluster_) cluster_->drop_query(query);
}

void node_impl::answer(membership::query asked, bytes payload, done when_over) {
  if (!is_running()) return when_over(errc::not_running);
  cluster_->async_answer(asked, std::move(payload), forwarding(std::move(when_over)));
}

/// Whether it was said by a node to nodes. What is not known is a later version's, and means nothing here.
bool node_impl::take_own(const membership::event& what) {
  if (!is_own(topic_of(what))) return false;
  const auto* asked = std::get_if<membership::query>(&what);
  // That it cannot be answered, since the asker is gone, is of no matter.
  if (asked != nullptr && asked->topic == node_config::ping_topic)
    cluster_->async_answer(*asked, {}, on_strand([](node_impl&, std::error_code) {}));
  return true;
}

}  // namespace artillery::detail

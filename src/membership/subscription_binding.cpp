#include "artillery/membership/subscription.hpp"

#include <asio/error.hpp>

#include "membership/cluster_state_binding.hpp"

namespace artillery::membership {

struct subscription::inner {
  std::shared_ptr<cluster::state> owner;
  std::shared_ptr<topic_stream> stream;
};

subscription cluster::subscribe(std::string topic) {
  auto stream = std::make_shared<topic_stream>(std::move(topic), state_->options.event_queue_max);
  net::submit(state_, [stream](state& of) { of.topics.add(stream); });
  return {executor_, std::make_shared<subscription::inner>(subscription::inner{state_, std::move(stream)})};
}

subscription::~subscription() {
  if (inner_ == nullptr) return;
  net::submit(inner_->owner,
              [stream = inner_->stream](auto& of) { of.topics.remove(stream, asio::error::operation_aborted); });
}

subscription& subscription::operator=(subscription&& other) noexcept {
  subscription moved{std::move(other)};
  std::swap(executor_, moved.executor_);
  std::swap(inner_, moved.inner_);
  return *this;
}

const std::string& subscription::topic() const noexcept {
  return inner_->stream->topic;
}

void subscription::start_next(const std::shared_ptr<inner>& of, detail::completion<void(std::error_code, event)> done) {
  const auto stream = of->stream;
  const auto number = stream->events.reserve();
  detail::on_cancel(done.slot(), of->owner, [stream, number](auto&) { stream->events.cancel(number); });
  net::submit(of->owner, [stream, number, done = std::move(done)](auto&) mutable {
    stream->events.next(number, std::move(done));
  });
}

}  // namespace artillery::membership

#include "agent/feed.hpp"

#include <algorithm>
#include <utility>

#include "byte_json.hpp"
#include "notation.hpp"

namespace tool::agent {

bool interest::covers(const report& what) const {
  // That something was lost concerns everybody.
  const bool wanted =
      kinds.empty() || what.kind == "agent" || std::find(kinds.begin(), kinds.end(), what.kind) != kinds.end();
  if (!wanted || !topic || !what.event.contains("topic")) return wanted;
  return bytes_from_json(what.event.at("topic")) == topic;
}

void subscription::offer(const report& what) {
  if (!wanted_.covers(what)) return;
  const bool was_empty = lines_.empty();
  if (lines_.size() >= events_max) {
    lines_.pop_front();
    ++lost_;
  }
  lines_.push_back(to_line(what.event) + '\n');
  if (was_empty) wake_();
}

std::optional<std::string> subscription::take() {
  if (const std::uint64_t lost = std::exchange(lost_, 0); lost > 0)
    return to_line({{"event", "overflow"}, {"lost", lost}, {"time", time_text()}}) + '\n';
  if (lines_.empty()) return std::nullopt;
  std::string line = std::move(lines_.front());
  lines_.pop_front();
  return line;
}

std::shared_ptr<subscription> feed::subscribe(interest wanted, std::function<void()> wake) {
  auto made = std::make_shared<subscription>(std::move(wanted), std::move(wake));
  subscriptions_.push_back(made);
  return made;
}

void feed::publish(const report& what) {
  std::erase_if(subscriptions_, [](const auto& one) { return one.expired(); });
  for (const auto& one : subscriptions_) {
    if (const auto alive = one.lock()) alive->offer(what);
  }
}

}  // namespace tool::agent

#include "discovery/answers.hpp"

#include <algorithm>

namespace artillery::discovery {

bool answers::is_new(const node_id& asker, std::uint64_t query) {
  const auto same = [&](const asked& a) { return a.asker == asker && a.query == query; };
  if (std::any_of(recent_.begin(), recent_.end(), same)) return false;
  if (recent_.size() >= recent_max) recent_.pop_front();
  recent_.push_back({asker, query});
  return true;
}

bool answers::add(pending_answer answer) {
  if (pending_.size() >= pending_max) return false;
  pending_.push_back(std::move(answer));
  return true;
}

std::optional<pending_answer> answers::due(time_point now) {
  const auto at = std::find_if(pending_.begin(), pending_.end(), [&](const pending_answer& p) { return p.due <= now; });
  if (at == pending_.end()) return std::nullopt;
  pending_answer result = std::move(*at);
  pending_.erase(at);
  return result;
}

std::optional<time_point> answers::next_deadline() const noexcept {
  std::optional<time_point> next;
  for (const pending_answer& p : pending_)
    if (!next || p.due < *next) next = p.due;
  return next;
}

void answers::add_to(detail::state_hash& hash, time_point now) const {
  for (const pending_answer& p : pending_) {
    hash.add(p.due - now).add(p.to.peer).add(p.to.number).add(p.query).add(p.what.type).add(p.what.instance);
    hash.add(p.budget);
  }
  for (const asked& a : recent_) hash.add(a.asker).add(a.query);
}

}  // namespace artillery::discovery

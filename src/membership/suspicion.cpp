#include "membership/suspicion.hpp"

namespace artillery::membership {

void suspicions::end(const node_id& about) {
  std::erase_if(all_, [&](const suspicion& s) { return s.about == about; });
}

bool suspicions::confirm(const node_id& about, short_name accuser) {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const suspicion& s) { return s.about == about; });
  if (found == all_.end() || found->had >= found->needed) return false;
  const auto known = found->accusers.begin() + found->had + 1;  // the first accuser and those who confirmed
  if (std::find(found->accusers.begin(), known, accuser) != known) return false;
  *known = accuser;
  ++found->had;
  return true;
}

const suspicion* suspicions::expired(time_point now) const noexcept {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const suspicion& s) { return s.deadline() <= now; });
  return found == all_.end() ? nullptr : &*found;
}

std::optional<time_point> suspicions::next_deadline() const noexcept {
  std::optional<time_point> first;
  for (const suspicion& s : all_) {
    if (!first || s.deadline() < *first) first = s.deadline();
  }
  return first;
}

const suspicion* suspicions::find(const node_id& about) const noexcept {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const suspicion& s) { return s.about == about; });
  return found == all_.end() ? nullptr : &*found;
}

void suspicions::postpone(duration by) noexcept {
  for (suspicion& s : all_) s.started += by;
}

void suspicions::hash(detail::state_hash& into, time_point now) const {
  into.add(all_.size());
  for (const suspicion& s : all_) {
    into.add(s.about).add(s.started, now).add(s.least).add(s.most).add(s.needed).add(s.had);
    for (const short_name& accuser : s.accusers) into.add(accuser.value);
  }
}

}  // namespace artillery::membership

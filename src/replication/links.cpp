#include "replication/links.hpp"

namespace artillery::replication {

void outgoing_link::connect(std::uint64_t number, time_point now, network_effects& out) {
  number_ = number;
  phase_ = phase::connecting;
  congested_ = false;
  if (!down_since_ || *down_since_ == time_point::min()) down_since_ = now;
  heard(now);
  out.open(number, to_);
}

void outgoing_link::connected(time_point now) noexcept {
  phase_ = phase::greeting;
  heard(now);
}

void outgoing_link::welcomed() noexcept {
  phase_ = phase::open;
  down_since_.reset();
  pause_.reset();
}

void outgoing_link::lost(time_point now, detail::random& random) {
  if (!down_since_) down_since_ = now;
  phase_ = phase::idle;
  number_ = 0;
  congested_ = false;
  retry_at_ = now + pause_.next(random);
}

void outgoing_link::close(time_point now, detail::random& random, network_effects& out) {
  if (phase_ == phase::idle) return;
  out.close(number_);
  lost(now, random);
}

outgoing_link::action outgoing_link::due(time_point now, bool watched) const noexcept {
  if (phase_ == phase::idle) return now >= retry_at_ ? action::connect : action::none;
  if (phase_ == phase::open && !watched) return action::none;
  const bool over = now >= *next_deadline(watched);
  if (!over) return action::none;
  return phase_ == phase::open && !probed_at_ ? action::probe : action::close;
}

std::optional<time_point> outgoing_link::next_deadline(bool watched) const noexcept {
  if (phase_ == phase::idle) return retry_at_;
  if (phase_ != phase::open) return heard_ + silence_max_;
  if (!watched) return std::nullopt;
  // A link that was not watched may have been silent for long: it is given up only after an unanswered probe.
  return probed_at_ ? *probed_at_ + silence_max_ / 2 : heard_ + silence_max_ / 2;
}

void outgoing_link::hash(detail::state_hash& into, time_point now) const {
  into.add(to_).add_name(number_).add(phase_).add(congested_).add_name(pause_.failures()).add(down_since_, now);
  if (phase_ == phase::idle) {
    into.add(retry_at_, now);
  } else {
    into.add(heard_, now).add(probed_at_, now);
  }
}

}  // namespace artillery::replication

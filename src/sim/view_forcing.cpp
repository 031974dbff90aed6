#include "sim/view_forcing.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

#include "artillery/error.hpp"
#include "replication/next_view.hpp"

namespace artillery::sim {

namespace {

using namespace std::chrono_literals;

constexpr duration looks_again_after = 1ms;

}  // namespace

void view_forcing::after(duration pause, step next) {
  world_.schedule(world_.now() + pause, [this, next] {
    if (!is_over_) (this->*next)();
  });
}

/// One that takes itself for a replica, beside a voter that is sound.
std::optional<std::size_t> view_forcing::choose(std::uint64_t draw) const {
  std::vector<std::size_t> those;
  for (std::size_t i = 0; i < with_.nodes; ++i) {
    const replication::core* const here = with_.core_at(i);
    if (here != nullptr && is_replica(here->in_force(), here->self()) && authority_.has_voter(i)) those.push_back(i);
  }
  if (those.empty()) return std::nullopt;
  return those[draw % those.size()];
}

const replication::core* view_forcing::survivor() const {
  const replication::core* const here = with_.core_at(at_);
  return here != nullptr && here->self() == who_ ? here : nullptr;
}

void view_forcing::begin(const forcing_manners& how) {
  const auto chosen = choose(how.draw);
  if (!chosen) return;
  how_ = how;
  at_ = *chosen;
  who_ = with_.core_at(at_)->self();
  is_over_ = false;
  ++figures_.tried;
  if (how_.is_left_out) leave_out();
  after(how_.is_left_out ? how_.alone : 0ms, &view_forcing::lose_voters);
}

void view_forcing::leave_out() {
  authority_.cut_off(at_);
  with_.isolate(at_, how_.alone);
  for (std::size_t i = 0; i < with_.nodes; ++i) {
    if (i != at_) with_.say_failed(i, at_);
  }
}

void view_forcing::lose_voters() {
  if (survivor() == nullptr || !authority_.has_voter(at_)) return give_up();
  if (!how_.is_mistaken) authority_.lose_voters_but(at_);
  lease_until_ = survivor()->serving().lease_until;
  wait_for_lease();
}

void view_forcing::wait_for_lease() {
  if (survivor() == nullptr) return give_up();
  if (with_.local_time(at_) < lease_until_) return after(looks_again_after, &view_forcing::wait_for_lease);
  const bool is_renewed = survivor()->serving().lease_until > with_.local_time(at_);
  if (!is_renewed) return ask();
  ++figures_.refused_by_majority;
  give_up();
}

void view_forcing::ask() {
  authority_.read_at(at_, [this](std::error_code error) {
    // Not while the process that was asked is at it.
    world_.schedule(world_.now(), [this, error] {
      if (!is_over_) decide(error);
    });
  });
}

/// A drawn operator who is mistaken does not insist: when the voters are there and do not answer, nothing is forced.
void view_forcing::decide(std::error_code read) {
  const replication::core* const here = survivor();
  if (here == nullptr || !authority_.has_voter(at_)) return give_up();
  const replication::view known = here->in_force();
  const std::error_code objection = authority_.objection_at(at_, read, known, who_);
  if (objection == errc::has_quorum) ++figures_.refused_by_majority;
  if (objection == errc::stale_epoch) ++figures_.refused_as_stale;
  if (objection || (read && !authority_.has_lost_voters())) return give_up();
  // What only voters know that are gone nobody can tell: there something is lost.
  const auto leaves_out = [&](const replication::view& seen) {
    return seen.epoch > known.epoch && !is_replica(seen, who_);
  };
  const bool was_to_be_seen = leaves_out(authority_.accepted_at(at_)) || leaves_out(authority_.told_at(at_));
  if (!was_to_be_seen && !is_replica(authority_.newest(), who_)) return give_up();
  if (!authority_.force_at(at_, known, who_)) return give_up();
  ++figures_.forced;
  forced_epoch_ = authority_.newest().epoch;
  authority_.mend();
  wait_for_adoption();
}

void view_forcing::wait_for_adoption() {
  const replication::core* const here = survivor();
  if (here != nullptr && here->in_force().epoch < forced_epoch_) {
    return after(looks_again_after, &view_forcing::wait_for_adoption);
  }
  is_over_ = true;
}

void view_forcing::end() {
  if (is_over_) return;
  if (figures_.forced == 0) return give_up();
  is_over_ = true;
}

void view_forcing::give_up() {
  authority_.find_voters();
  authority_.mend();
  is_over_ = true;
}

}  // namespace artillery::sim

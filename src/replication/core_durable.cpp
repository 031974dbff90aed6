// A replica with a disk: what counts as durable (R5, R8), and how one that finds its disk intact starts again (R14 of
// docs/replication.md).
#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "replication/core.hpp"
#include "replication/mutant.hpp"
#include "replication/next_view.hpp"

namespace artillery::replication {

// --- what is on disk ---

void core::keep(const kept_item& what, const turn& at) {
  if (!disk_.on_disk()) return;
  at.out.keep(what);
  disk_.handed_out();
}

/// So far the records are on the own disk and on those of all replicas above, as they said in this epoch.
std::uint64_t core::durable() const noexcept {
  const std::uint64_t here = mutant(mutation::counts_before_sync) ? log_.last_seq() : disk_.synced();
  return is_head() || mutant(mutation::commits_by_own_disk) ? here : std::min(here, disk_.above());
}

/// R5: up to here the tail may commit.
std::uint64_t core::committable() const noexcept {
  return disk_.on_disk() ? std::min(durable(), log_.last_seq()) : log_.last_seq();
}

/// R8: what this replica held when it became the tail may have been committed by the one before; it is exposed when it
/// opens, so it must be on all disks by then.
bool core::may_open() const noexcept {
  if (mutant(mutation::opens_with_held)) return true;
  return !disk_.on_disk() || (disk_.knows_epoch() && durable() >= last_at_adoption_);
}

void core::commit_durable(const turn& at) {
  if (!disk_.on_disk() || !is_tail()) return;
  if (opening_.is_due(at.now) && !opening_.is_open()) return open(at);
  if (opening_.commits()) advance_commit(committable(), at);
}

void core::synced(std::uint64_t items, const turn& at) {
  disk_.synced(items);
  commit_durable(at);
}

void core::tell_durable(const turn& at) {
  if (!disk_.on_disk() || !successor_.can_send() || durable() <= told_durable_) return;
  told_durable_ = durable();
  encode_durable(scratch_, epoch(), told_durable_);
  send(successor_.number(), at);
}

void core::handle_durable(const connection& from, const bytes& frame, const turn& at) {
  const auto seq = decode_durable(frame);
  if (!seq || from.number != predecessor_) return malformed(from, at);
  disk_.told_from_above(*seq);
  commit_durable(at);
}

// --- R14: restart ---

void core::restore(restored found, const turn& at) {
  ARTILLERY_INVARIANT(disk_.on_disk() && view_.epoch == 0 && !managed_);
  passive_ = true;
  kept_epoch_ = found.epoch;
  if (mutant(mutation::cuts_at_start)) found.records.clear();
  log_.restart(found.base);
  commit_ = found.base.seq;
  for (session_row& row : found.sessions) sessions_.restore(std::move(row));
  for (record& each : found.records) {
    ARTILLERY_INVARIANT(each.seq == log_.last_seq() + 1);
    sessions_.apply(each);
    apply(each, false, at);
    log_.append({.record = std::move(each), .arrived = at.now, .waiting = {}});
  }
  read_back_ = log_.last_seq();
  // What was read may have been in a cache only: it counts once it is written for certain.
  keep(kept_mark{}, at);
  disk_.holds(log_.last_seq());
  if (mutant(mutation::trusts_what_it_read)) disk_.synced(1);
}

const member* core::other_member() const noexcept {
  const auto other = std::find_if(view_.replicas.begin(), view_.replicas.end(),
                                  [&](const member& m) { return m.id.node != config_.self.node; });
  return other == view_.replicas.end() ? nullptr : &*other;
}

/// The view in force is the one that this process proposed to start again with.
bool core::is_own_restart() const noexcept {
  const bool is_proposed = alone_epoch_ == view_.epoch || mutant(mutation::takes_former_restart);
  return passive_ && is_proposed && view_.replicas.size() == 1 && view_.replicas.front().id == config_.self;
}

bool core::resumes_by_mistake() const noexcept {
  if (mutant(mutation::resumes_its_epoch)) return view_.epoch == kept_epoch_;
  return mutant(mutation::restarted_takes_part) && view_.epoch > kept_epoch_;
}

/// It is listed, and takes no part: who serves is asked to go on without it, and if nobody does it goes on alone.
void core::become_passive(const turn& at) {
  // A replica that does not answer is dropped within `failed_after` and a step of the authority by any that serves.
  const duration patience = 3 * config_.failed_after + 2 * config_.authority_timeout;
  const auto spread = static_cast<std::uint64_t>(config_.failed_after.count());
  alone_at_ = at.now + patience + duration{static_cast<duration::rep>(random_.below(spread))};
  at.out.deliver({event::kind::not_serving, view_.epoch, {}});
  const member* const other = other_member();
  if (other == nullptr) return;
  to_tail_ = link_to(*other);
  tend(to_tail_, at);
}

std::optional<time_point> core::stands_alone_at() const noexcept {
  const bool is_listed =
      passive_ && (is_replica(view_, config_.self) || mutant(mutation::reopens_when_dropped)) && view_.epoch != 0;
  return is_listed && !proposal_ ? std::optional{std::max(alone_at_, propose_at_)} : std::nullopt;
}

void core::tend_restart(const turn& at) {
  const auto due = stands_alone_at();
  if (!due || at.now < *due) return;
  auto next = alone(view_, {config_.self, listens_at_});
  if (!next) return;
  alone_at_ = at.now + config_.failed_after;
  alone_epoch_ = next->epoch;
  propose(std::move(*next), at);
}

}  // namespace artillery::replication

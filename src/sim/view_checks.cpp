#include "sim/view_checks.hpp"

#include <algorithm>

#include "replication/next_view.hpp"

namespace artillery::sim {

using namespace replication;

namespace {

std::string life_text(const replica_id& who) {
  return std::to_string(who.node.low) + "/" + std::to_string(who.incarnation);
}

std::string place_text(const version& v) {
  return std::to_string(v.epoch) + "." + std::to_string(v.seq);
}

}  // namespace

void view_observer::blame(const std::string& what) {
  if (!fault_) fault_ = what;
}

replica_life& view_observer::look_at(host at, const replica_program& replica) {
  const core& here = replica.core();
  replica_life& life = lives_[here.self()];
  const bool is_listed = is_replica(here.in_force(), here.self()) && !here.is_passive();
  const std::uint64_t epoch = here.in_force().epoch;
  if (life.is_over) {  // it restarts with what its disk kept
    former_lives_.emplace_back(here.self(), life);
    const std::uint64_t epoch_before = life.epoch;
    life = {};
    life.epoch_before = epoch_before;
  }
  const serving_state serving = here.serving();
  life.at = at;
  life.running = &here;
  life.objects = replica.share_objects();
  life.answers_without_lease = replica.answers_without_lease();
  life.lease_until = replica.published().lease_until;
  const std::uint64_t epoch_before = life.epoch == 0 && epoch != 0 ? life.epoch_before : life.epoch;
  if (epoch < epoch_before) blame("I2: the epoch fell at " + life_text(here.self()));
  if (epoch != life.epoch) {
    const auto view = chosen_.find(epoch);
    if (view == chosen_.end() || !(view->second == here.in_force())) {
      blame("I1: a view is in force at " + life_text(here.self()) + " that was not chosen");
    }
  }
  const bool exposes_more = serving.commit > life.commit;
  // One that thaws may commit and freeze again in one step: that is another freeze.
  const bool is_same_freeze =
      life.frozen_as != 0 && here.opening().is_frozen() && here.counters().freezes == life.frozen_as;
  if (exposes_more && is_same_freeze && epoch == life.epoch) {
    blame("I9: a frozen tail committed: " + life_text(here.self()));
  }
  life.frozen_as = here.opening().is_frozen() ? here.counters().freezes : 0;
  if (is_listed && serving.commit < life.commit) blame("the watermark fell at " + life_text(here.self()));
  life.epoch = epoch;
  life.last = here.log().last();
  life.commit = serving.commit;
  life.committed = here.log().dropped();
  const bool is_tail = is_listed && here.in_force().replicas.back().id == here.self();
  if (is_tail && here.opening().is_open()) opened_.insert(epoch);
  if (life.commit > 0) {
    const auto [point, is_new] = commit_points_.emplace(life.commit, life.committed);
    if (life.committed.seq != life.commit || (!is_new && point->second != life.committed)) {
      blame("I4: two records are committed at " + std::to_string(life.commit) + ": " + place_text(point->second) +
            " and, at " + life_text(here.self()) + ", " + place_text(life.committed));
    }
  }
  return life;
}

void view_observer::observe(host at, const replica_program& replica) {
  look_at(at, replica);
}

void view_observer::ended(host at, const replica_program& replica) {
  replica_life& life = look_at(at, replica);
  life.log = replica.core().log();
  life.running = nullptr;
  life.is_over = true;
}

std::optional<std::string> view_observer::check(const world& in) const {
  if (fault_) return fault_;
  if (auto fault = check_prefix_order()) return fault;
  if (auto fault = check_committed_held()) return fault;
  if (auto fault = check_disks()) return fault;
  for (const auto& [who, life] : lives_) {
    if (life.answers_without_lease > 0) return "I6: an answer after the end of the lease at " + life_text(who);
    const log& records = life.records();
    if (records.size() != records.last_seq() - records.dropped().seq)
      return "I8: a hole in the log of " + life_text(who);
  }
  return check_old_leases(in);
}

/// I3: within an epoch, what a replica holds is a prefix of what its predecessor holds.
std::optional<std::string> view_observer::check_prefix_order() const {
  for (const auto& [who, life] : lives_) {
    if (life.running == nullptr) continue;
    if (life.running->is_passive()) continue;
    const std::vector<member>& replicas = life.running->in_force().replicas;
    const auto own = std::find_if(replicas.begin(), replicas.end(), [&](const member& m) { return m.id == who; });
    if (own == replicas.end() || own == replicas.begin()) continue;
    const auto before = lives_.find(std::prev(own)->id);
    if (before == lives_.end() || before->second.running == nullptr || before->second.epoch != life.epoch) continue;
    if (before->second.running->is_passive()) continue;
    const log& above = before->second.running->log();
    const bool is_settled = life.last.seq < above.dropped().seq;
    if (life.last.seq > above.last_seq() || (!is_settled && !above.knows(life.last))) {
      return "I3: " + life_text(who) + " holds " + place_text(life.last) + ", and its predecessor does not";
    }
  }
  return std::nullopt;
}

/// I4: every replica of the newest view that was chosen, whether or not it knows it, holds all that was ever committed.
std::optional<std::string> view_observer::check_committed_held() const {
  if (commit_points_.empty()) return std::nullopt;
  const version newest = commit_points_.rbegin()->second;
  for (const member& each : chosen_.rbegin()->second.replicas) {
    const auto found = lives_.find(each.id);
    if (found == lives_.end() || (found->second.is_over && disk_of_(each.id) != nullptr)) continue;
    const log& records = found->second.records();
    if (!records.knows(newest)) {
      return "I4: " + life_text(each.id) + " of epoch " + std::to_string(chosen_.rbegin()->first) + " lacks " +
             place_text(newest) + ", which was committed";
    }
  }
  return std::nullopt;
}

/// I4 and I3 of what is on disk for certain: each replica of the newest view whose disk is intact, whether it is up or
/// not, has all that was ever committed there; and of two the one that has less has a prefix of what the other has.
std::optional<std::string> view_observer::check_disks() const {
  const std::vector<member>& newest = chosen_.rbegin()->second.replicas;
  const auto fault = [&](const char* what, const replica_id& who, const version& lacking) {
    return std::string{what} + life_text(who) + " of epoch " + std::to_string(chosen_.rbegin()->first) +
           " does not have " + place_text(lacking) + " on disk";
  };
  for (const member& each : newest) {
    const replica_disk* const one = disk_of_(each.id);
    if (one == nullptr) continue;
    if (!commit_points_.empty() && !one->knows(commit_points_.rbegin()->second)) {
      return fault("I4: ", each.id, commit_points_.rbegin()->second);
    }
    for (const member& other : newest) {
      const replica_disk* const longer = disk_of_(other.id);
      const bool is_longer = longer != nullptr && longer->last().seq >= one->last().seq && one->last().seq != 0;
      if (is_longer && !longer->knows(one->last())) return fault("I3: ", other.id, one->last());
    }
  }
  return std::nullopt;
}

/// I6: once the tail of an epoch has opened, nobody whom that epoch's view excludes can still pass the check of a
/// lease.
std::optional<std::string> view_observer::check_old_leases(const world& in) const {
  if (opened_.empty()) return std::nullopt;
  for (const auto& [who, life] : lives_) {
    if (life.running == nullptr || life.lease_until <= in.local_time(life.at)) continue;
    for (auto later = opened_.upper_bound(life.epoch); later != opened_.end(); ++later) {
      if (!is_replica(chosen_.at(*later), who)) {
        return "I6: " + life_text(who) + " holds a lease of epoch " + std::to_string(life.epoch) + ", and epoch " +
               std::to_string(*later) + " has opened without it";
      }
    }
  }
  return std::nullopt;
}

template <class Function>
void view_observer::for_each_life(Function&& function) const {
  for (const auto& [who, life] : lives_) function(who, life);
  for (const auto& [who, life] : former_lives_) function(who, life);
}

std::optional<std::string> view_observer::committed_log(journal& into) const {
  std::map<std::uint64_t, applied_effect> by_place;
  std::optional<std::string> fault;
  for_each_life([&](const replica_id& who, const replica_life& life) {
    for (const applied_effect& effect : life.objects->applied()) {
      if (effect.version.seq > life.commit) continue;
      const auto [place, is_new] = by_place.emplace(effect.version.seq, effect);
      if (!is_new && !(place->second == effect)) {
        fault = "I4: " + life_text(who) + " committed something else at " + place_text(effect.version);
      }
    }
  });
  if (fault) return fault;
  for (auto& [seq, effect] : by_place) into.push_back(std::move(effect));
  return std::nullopt;
}

std::optional<std::string> view_observer::check_versions() const {
  std::map<version, applied_effect> by_version;
  std::optional<std::string> fault;
  for_each_life([&](const replica_id& who, const replica_life& life) {
    for (const applied_effect& effect : life.objects->applied()) {
      const auto [place, is_new] = by_version.emplace(effect.version, effect);
      if (!is_new && !(place->second == effect)) {
        fault = life_text(who) + " was given " + place_text(effect.version) + ", which stands for something else";
      }
    }
  });
  return fault;
}

std::optional<std::string> view_observer::check_eventual_reads(const history& seen) const {
  for (const history_operation& op : seen) {
    const bool found = op.came_to == history_operation::outcome::done && !op.is_write() && op.found;
    if (!found || op.level != replication::eventual) continue;
    if (!was_held(op)) return "an eventual read of '" + op.key + "' found what never was";
  }
  return std::nullopt;
}

bool view_observer::was_held(const history_operation& read) const {
  bool found = false;
  for_each_life([&](const replica_id&, const replica_life& life) {
    const journal& applied = life.objects->applied();
    found = found || std::any_of(applied.begin(), applied.end(), [&](const applied_effect& effect) {
              return effect.version == read.version && effect.key == read.key && effect.value == read.value;
            });
  });
  return found;
}

bool same_sessions(const sessions& one, const sessions& other) {
  const auto rows_of = [](const sessions& table) {
    std::deque<session_row> rows = table.rows();
    std::sort(rows.begin(), rows.end(), [](const session_row& a, const session_row& b) { return a.key < b.key; });
    return rows;
  };
  const auto same_result = [](const answered& a, const answered& b) {
    return a.number == b.number && a.seq == b.seq && a.result == b.result;
  };
  const std::deque<session_row> left = rows_of(one);
  const std::deque<session_row> right = rows_of(other);
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [&](const session_row& a, const session_row& b) {
                      return a.key == b.key && a.used == b.used && a.lowest == b.lowest &&
                             std::equal(a.kept.begin(), a.kept.end(), b.kept.begin(), b.kept.end(), same_result);
                    });
}

}  // namespace artillery::sim

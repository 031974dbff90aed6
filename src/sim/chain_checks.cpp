#include "sim/chain_checks.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace artillery::sim {
namespace {

std::uint64_t hash_of(const replication::sessions& table) {
  detail::state_hash into;
  table.hash(into);
  return into.value();
}

std::string at(std::size_t position) {
  return " at replica " + std::to_string(position);
}

}  // namespace

bool look_at(const replication::core& core, chain_member& seen) {
  const replication::log& log = core.log();
  const replication::serving_state serving = core.serving();
  const bool has_new_records = seen.last != log.last_seq();
  seen.epoch_before = seen.epoch;
  seen.epoch = serving.epoch;
  seen.last = log.last_seq();
  seen.commit_before = seen.commit;
  seen.commit = serving.commit;
  seen.log_size = log.size();
  seen.log_weight = log.weight();
  seen.waiting_reads = core.waiting_reads();
  seen.client_links = core.client_links();
  seen.member_links = core.member_links();
  if (!has_new_records) return false;
  // What follows changes with records alone.
  seen.is_contiguous = log.size() == log.last_seq() - log.dropped().seq &&
                       (log.empty() || (log.front().record.seq == log.dropped().seq + 1 &&
                                        log.at(log.last_seq()).record.seq == log.last_seq()));
  seen.sessions = core.sessions().size();
  seen.results_max = core.sessions().results_kept_max();
  seen.sessions_hash = hash_of(core.sessions());
  return true;
}

void chain_observer::observe(std::size_t position, const replica_program& replica) {
  chain_member& seen = members_[position];
  if (seen.objects == nullptr) seen.objects = replica.share_objects();
  seen.answers_without_lease = replica.answers_without_lease();
  const bool has_new_records = look_at(replica.core(), seen);
  if (has_new_records && position == 0) observe_requests(replica.core().log());
}

void chain_observer::observe_requests(const replication::log& log) {
  for (std::uint64_t seq = std::max(requests_seen_to_, log.dropped().seq) + 1; seq <= log.last_seq(); ++seq) {
    const replication::record& record = log.at(seq).record;
    if (record.what != replication::record::kind::write) continue;
    if (!requests_.emplace(record.session, record.number).second) ++repeated_;
  }
  requests_seen_to_ = std::max(requests_seen_to_, log.last_seq());
}

std::optional<std::string> check_epochs(const chain_members& members) {
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (members[i].epoch < members[i].epoch_before) return "I2: the epoch fell" + at(i);
  }
  return std::nullopt;
}

std::optional<std::string> check_prefix_order(const chain_members& members) {
  for (std::size_t i = 1; i < members.size(); ++i) {
    const chain_member& here = members[i];
    const chain_member& before = members[i - 1];
    if (here.last > before.last) return "I3: more records than the predecessor" + at(i);
    if (here.objects && before.objects && here.objects->applied().size() > before.objects->applied().size()) {
      return "I3: more effects than the predecessor" + at(i);
    }
  }
  return std::nullopt;
}

std::optional<std::string> check_equal_prefixes(const chain_members& members) {
  for (std::size_t i = 1; i < members.size(); ++i) {
    if (!members[i].objects || !members[i - 1].objects) continue;
    const journal& here = members[i].objects->applied();
    const journal& before = members[i - 1].objects->applied();
    if (here.size() > before.size() || !std::equal(here.begin(), here.end(), before.begin())) {
      return "I3: other effects than the predecessor" + at(i);
    }
  }
  return std::nullopt;
}

std::optional<std::string> check_commit_order(const chain_members& members) {
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (members[i].commit < members[i].commit_before) return "the watermark fell" + at(i);
    if (members[i].commit > members[i].last) return "committed what it does not hold" + at(i);
    if (i > 0 && members[i - 1].commit > members[i].commit) {
      return "the watermark is ahead of the successor's" + at(i - 1);
    }
  }
  return std::nullopt;
}

std::optional<std::string> check_committed_held_by_all(const chain_members& members) {
  std::uint64_t committed = 0;
  for (const chain_member& member : members) committed = std::max(committed, member.commit);
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (members[i].last < committed) return "I4: lacks what is committed" + at(i);
  }
  return std::nullopt;
}

std::optional<std::string> check_leases(const chain_members& members) {
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (members[i].answers_without_lease > 0) return "I6: an answer after the end of the lease" + at(i);
  }
  return std::nullopt;
}

std::optional<std::string> check_exactly_once(const chain_observer& seen) {
  if (seen.repeated_requests() > 0) return "I7: a request is in the log twice";
  return std::nullopt;
}

std::optional<std::string> check_applied_once(const journal& applied) {
  // Every put has a value of its own.
  std::set<std::string_view> values;
  for (const applied_effect& effect : applied) {
    if (!effect.erased && !values.insert(effect.value).second) {
      return "I7: a write was applied twice: '" + effect.key + "' at " + std::to_string(effect.version.seq);
    }
  }
  return std::nullopt;
}

std::optional<std::string> check_no_hole(const chain_members& members) {
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (!members[i].is_contiguous) return "I8: a hole in the log" + at(i);
  }
  return std::nullopt;
}

std::optional<std::string> check_memory_bounds(const chain_members& members,
                                               const replication::replica_config& limits) {
  for (std::size_t i = 0; i < members.size(); ++i) {
    const chain_member& m = members[i];
    if (m.log_weight > limits.window_bytes_max && m.log_size > 1) return "more than the window in the log" + at(i);
    // A record has one effect at most.
    if (m.objects && m.objects->versions() > m.objects->size() + m.log_size) {
      return "old versions are kept" + at(i);
    }
    if (m.sessions > limits.sessions_max) return "more sessions than the limit" + at(i);
    if (m.results_max > limits.results_per_session_max) return "more results of a session than the limit" + at(i);
    if (m.waiting_reads > limits.waiting_reads_max) return "more waiting reads than the limit" + at(i);
    if (m.client_links > limits.clients_max) return "more links of clients than the limit" + at(i);
    // One that carries records, and from each other member one for questions to the tail.
    if (m.member_links > members.size()) return "more links of members than there are" + at(i);
  }
  return std::nullopt;
}

namespace {

/// Reads in an order in which their places must not fall.
class monotone_run {
public:
  /// The place that was reached by reads that ended before `invoked`.
  [[nodiscard]] std::uint64_t before(std::uint64_t invoked) const {
    const auto next = std::lower_bound(steps_.begin(), steps_.end(), invoked,
                                       [](const step& s, std::uint64_t wanted) { return s.completed < wanted; });
    return next == steps_.begin() ? 0 : std::prev(next)->place;
  }
  /// In the order of `completed`.
  void add(std::uint64_t completed, std::uint64_t place) {
    const std::uint64_t so_far = steps_.empty() ? 0 : steps_.back().place;
    steps_.push_back({completed, std::max(so_far, place)});
  }

private:
  struct step {
    std::uint64_t completed;
    std::uint64_t place;
  };
  std::vector<step> steps_;
};

}  // namespace

std::optional<std::string> check_monotone_reads(const history& operations) {
  // Per client, replica and object; without an object: what the answers count.
  std::map<std::tuple<std::uint32_t, std::uint32_t, std::string>, monotone_run> runs;
  std::vector<const history_operation*> reads;
  for (const history_operation& op : operations) {
    const bool counts = !op.is_write() && op.came_to == history_operation::outcome::done && op.local &&
                        op.asked != history_operation::anyone;
    if (counts) reads.push_back(&op);
  }
  std::sort(reads.begin(), reads.end(), [](const auto* a, const auto* b) { return a->completed < b->completed; });
  for (const history_operation* op : reads) {
    const bool is_eventual = op->level.what() == replication::consistency::kind::eventual;
    const auto goes_back = [&](const std::string& key, std::uint64_t place) -> std::optional<std::string> {
      monotone_run& run = runs[{op->client, op->asked, key}];
      const std::uint64_t reached = run.before(op->invoked);
      run.add(op->completed, place);
      if (place >= reached) return std::nullopt;
      return "reads of client " + std::to_string(op->client) + " at one replica went back: '" + op->key + "' to " +
             std::to_string(place) + " after " + std::to_string(reached);
    };
    // What an eventual read counts may be lost, and says nothing of other objects. An absent object has no version.
    if (!is_eventual && !op->as_of.none()) {
      if (auto fault = goes_back({}, op->as_of.seq)) return fault;
    }
    if (op->found) {
      if (auto fault = goes_back((is_eventual ? "eventual " : "clean ") + op->key, op->version.seq)) return fault;
    }
  }
  return std::nullopt;
}

std::optional<std::string> check_converged(const chain_members& members) {
  const chain_member& head = members.front();
  for (std::size_t i = 0; i < members.size(); ++i) {
    const chain_member& m = members[i];
    if (m.commit != head.last || m.log_size != 0) return "not everything is committed" + at(i);
    if (!m.objects->same_as(*head.objects)) return "other objects than the head's" + at(i);
    if (m.sessions_hash != head.sessions_hash) return "other sessions than the head's" + at(i);
    if (m.objects->versions() != m.objects->size()) return "old versions are kept" + at(i);
  }
  return std::nullopt;
}

std::optional<std::string> check_step(const chain_observer& seen, const replication::replica_config& limits) {
  for (const auto check : {check_epochs, check_prefix_order, check_commit_order, check_committed_held_by_all,
                           check_leases, check_no_hole}) {
    if (auto fault = check(seen.members())) return fault;
  }
  if (auto fault = check_exactly_once(seen)) return fault;
  return check_memory_bounds(seen.members(), limits);
}

}  // namespace artillery::sim

#include "sim/chain_checks.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace artillery::sim {

void chain_members::observe(std::size_t position, const replica_program& replica) {
  const replication::core& core = replica.core();
  const replication::replica_status status = core.status();
  member& seen = members_[position];
  seen.objects = replica.share_objects();
  seen.last = status.last;
  seen.commit_before = seen.commit;
  seen.commit = status.commit;
  const replication::log& log = core.log();
  seen.log_size = log.size();
  seen.core = &core;
  seen.contiguous = log.size() == log.last_seq() - log.dropped().seq &&
                    (log.empty() || (log.at(log.dropped().seq + 1).record.seq == log.dropped().seq + 1 &&
                                     log.at(log.last_seq()).record.seq == log.last_seq()));
  if (position == 0) observe_requests(log);
}

void chain_members::observe_requests(const replication::log& log) {
  for (std::uint64_t seq = std::max(requests_seen_to_, log.dropped().seq) + 1; seq <= log.last_seq(); ++seq) {
    const replication::record& record = log.at(seq).record;
    if (record.what != replication::record::kind::write) continue;
    if (!requests_.emplace(record.session, record.number).second) ++repeated_;
  }
  requests_seen_to_ = std::max(requests_seen_to_, log.last_seq());
}

namespace {
std::string at(std::size_t position) {
  return " at replica " + std::to_string(position);
}
}  // namespace

std::optional<std::string> check_prefix_order(const chain_members& members) {
  const auto& all = members.all();
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (all[i].last > all[i - 1].last) return "I3: more records than the predecessor" + at(i);
    if (all[i].objects && all[i - 1].objects &&
        all[i].objects->applied().size() > all[i - 1].objects->applied().size()) {
      return "I3: more effects than the predecessor" + at(i);
    }
  }
  return std::nullopt;
}

std::optional<std::string> check_equal_prefixes(const chain_members& members) {
  const auto& all = members.all();
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (!all[i].objects || !all[i - 1].objects) continue;
    const journal& here = all[i].objects->applied();
    const journal& before = all[i - 1].objects->applied();
    if (here.size() > before.size() || !std::equal(here.begin(), here.end(), before.begin())) {
      return "I3: other effects than the predecessor" + at(i);
    }
  }
  return std::nullopt;
}

std::optional<std::string> check_commit_order(const chain_members& members) {
  const auto& all = members.all();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].commit < all[i].commit_before) return "the watermark fell" + at(i);
    if (all[i].commit > all[i].last) return "committed what it does not hold" + at(i);
    if (i > 0 && all[i - 1].commit > all[i].commit) return "the watermark is ahead of the successor's" + at(i - 1);
  }
  return std::nullopt;
}

std::optional<std::string> check_committed_held_by_all(const chain_members& members) {
  std::uint64_t committed = 0;
  for (const auto& member : members.all()) committed = std::max(committed, member.commit);
  for (std::size_t i = 0; i < members.all().size(); ++i) {
    if (members.all()[i].last < committed) return "I4: lacks what is committed" + at(i);
  }
  return std::nullopt;
}

std::optional<std::string> check_exactly_once(const chain_members& members) {
  if (members.repeated_requests() > 0) return "I7: a request is in the log twice";
  return std::nullopt;
}

std::optional<std::string> check_no_hole(const chain_members& members) {
  for (std::size_t i = 0; i < members.all().size(); ++i) {
    if (!members.all()[i].contiguous) return "I8: a hole in the log" + at(i);
  }
  return std::nullopt;
}

std::optional<std::string> check_monotone_reads(const history& operations) {
  using kind = replication::consistency::kind;
  struct step {
    std::uint64_t completed;
    std::uint64_t place;
  };
  // Per client, replica, level, and for eventual reads the object.
  std::map<std::tuple<std::uint32_t, std::uint32_t, kind, std::string>, std::vector<step>> runs;
  std::vector<const history_operation*> reads;
  for (const history_operation& op : operations) {
    const bool counts = !op.is_write() && op.came_to == history_operation::outcome::done && op.local &&
                        op.asked != history_operation::anyone && !op.is_strong_read();
    if (counts) reads.push_back(&op);
  }
  std::sort(reads.begin(), reads.end(), [](const auto* a, const auto* b) { return a->completed < b->completed; });
  for (const history_operation* op : reads) {
    const bool is_eventual = op->level.what() == kind::eventual;
    if (is_eventual && !op->found) continue;  // an absent object has no version to compare
    auto& run = runs[{op->client, op->asked, op->level.what(), is_eventual ? op->key : std::string{}}];
    const std::uint64_t place = is_eventual ? op->version.seq : op->as_of.seq;
    for (const step& earlier : run) {
      if (earlier.completed < op->invoked && earlier.place > place) {
        return "reads of client " + std::to_string(op->client) + " at one replica went back: '" + op->key + "' to " +
               std::to_string(place) + " after " + std::to_string(earlier.place);
      }
    }
    run.push_back({op->completed, place});
  }
  return std::nullopt;
}

namespace {
std::uint64_t sessions_hash(const chain_members::member& of) {
  detail::state_hash into;
  of.core->sessions().hash(into);
  return into.value();
}
}  // namespace

std::optional<std::string> check_converged(const chain_members& members) {
  const auto& all = members.all();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].commit != all.front().last || all[i].log_size != 0) return "not everything is committed" + at(i);
    if (!all[i].objects->same_as(*all.front().objects)) return "other objects than the head's" + at(i);
    if (sessions_hash(all[i]) != sessions_hash(all.front())) return "other sessions than the head's" + at(i);
    if (all[i].objects->versions() != all[i].objects->size()) return "old versions are kept" + at(i);
  }
  return std::nullopt;
}

std::optional<std::string> check_step(const chain_members& members) {
  for (const auto check :
       {check_prefix_order, check_commit_order, check_committed_held_by_all, check_exactly_once, check_no_hole}) {
    if (auto fault = check(members)) return fault;
  }
  return std::nullopt;
}

}  // namespace artillery::sim

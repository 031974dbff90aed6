#include "sim/chain_figures.hpp"

#include <algorithm>

namespace artillery::sim {
namespace {

std::uint64_t after_token(const history& operations) {
  return static_cast<std::uint64_t>(std::count_if(operations.begin(), operations.end(), [](const auto& op) {
    return !op.after.none() && op.came_to == history_operation::outcome::done;
  }));
}

}  // namespace

void chain_figures::count(const replica_program& ended) {
  const replication::replica_counters& c = ended.core().counters();
  sum_.local_reads += c.local_reads;
  sum_.dirty_reads += c.dirty_reads;
  sum_.stale_reads += c.stale_reads;
  sum_.held_back_reads += c.held_back_reads;
  sum_.watermark_queries += c.watermark_queries;
  sum_.duplicate_writes += c.duplicate_writes;
  sum_.failed_conditions += c.failed_conditions;
  sum_.refused_busy += c.refused_busy;
  sum_.refused_epoch += c.refused_epoch;
  sum_.resent_records += c.resent_records;
  sum_.append_frames += c.append_frames;
  sum_.appended_records += c.appended_records;
  sum_.malformed += c.malformed;
  sum_.views += c.views;
  sum_.proposals += c.proposals;
  sum_.gates_waited += c.gates_waited;
  sum_.gates_ended_early += c.gates_ended_early;
  sum_.gates_confirmed += c.gates_confirmed;
  sum_.learners_expelled += c.learners_expelled;
  sum_.freezes += c.freezes;
  sum_.learners_promoted += c.learners_promoted;
  sum_.checkpoints += c.checkpoints;
  needless_questions_ += ended.needless_questions();
  tried_ += ended.tried();
  leases_ended_ += ended.reads_after_lease();
  for (const replication::event& e : ended.events()) {
    if (e.what == replication::event::kind::chain_stopped) ++stops_;
  }
}

void chain_figures::count(const client_program& ended) {
  retries_ += ended.core().counters().retries;
  malformed_at_clients_ += ended.core().counters().malformed;
}

std::vector<std::pair<std::string, std::uint64_t>> chain_figures::all(const history& operations,
                                                                      const world_counters& world) const {
  const auto done = static_cast<std::uint64_t>(std::count_if(operations.begin(), operations.end(), [](const auto& op) {
    return op.came_to == history_operation::outcome::done;
  }));
  std::vector<std::pair<std::string, std::uint64_t>> all{{"operations", done},
                                                         {"dirty_reads", sum_.dirty_reads},
                                                         {"local_reads", sum_.local_reads + tried_},
                                                         {"retries", retries_},
                                                         {"crashes", client_crashes + replica_crashes},
                                                         {"view_changes", view_changes},
                                                         {"gates_waited", sum_.gates_waited},
                                                         {"unanswered_operations", operations.size() - done},
                                                         {"local_reads_by_other_threads", tried_},
                                                         {"tries_sent_on_to_the_core", tries_sent_on},
                                                         {"reads_cancelled", reads_cancelled},
                                                         {"reads_after_lease", leases_ended_},
                                                         {"needless_questions", needless_questions_},
                                                         {"bounded_and_eventual_reads", sum_.stale_reads},
                                                         {"reads_after_a_token", after_token(operations)},
                                                         {"reads_held_back", sum_.held_back_reads},
                                                         {"void_tokens", void_tokens},
                                                         {"watermark_queries", sum_.watermark_queries},
                                                         {"duplicate_writes", sum_.duplicate_writes},
                                                         {"failed_conditions", sum_.failed_conditions},
                                                         {"refused_busy", sum_.refused_busy},
                                                         {"refused_epoch", sum_.refused_epoch},
                                                         {"frames_refused", malformed()},
                                                         {"records_resent", sum_.resent_records},
                                                         {"records_received", sum_.appended_records},
                                                         {"append_frames", sum_.append_frames},
                                                         {"client_crashes", client_crashes},
                                                         {"replica_crashes", replica_crashes},
                                                         {"chain_stopped_events", stops_},
                                                         {"streams_broken", world.streams_broken},
                                                         {"streams_congested", world.streams_congested},
                                                         {"pauses", world.pauses},
                                                         {"suspensions", world.suspensions},
                                                         {"orders_searched", orders_searched},
                                                         {"searches_given_up", searches_given_up},
                                                         {"clocks_drifting", clocks_drifting},
                                                         {"views_adopted", sum_.views},
                                                         {"proposals", sum_.proposals},
                                                         {"gates_ended_early", sum_.gates_ended_early},
                                                         {"gates_confirmed", sum_.gates_confirmed},
                                                         {"learners_expelled", sum_.learners_expelled},
                                                         {"freezes", sum_.freezes},
                                                         {"learners_promoted", sum_.learners_promoted},
                                                         {"checkpoints", sum_.checkpoints},
                                                         {"events", world.events}};
  for (std::size_t kind = 1; kind < fault_event::kinds; ++kind) {
    all.emplace_back("struck_by_" + std::string{fault_event::kind_names[kind]}, struck[kind]);
  }
  return all;
}

}  // namespace artillery::sim

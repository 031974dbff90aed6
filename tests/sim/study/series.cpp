#include "series.hpp"

#include <algorithm>

namespace study {

using artillery::duration;
using artillery::sim::study_plan;

namespace {

constexpr std::size_t usual_members = 32;
constexpr std::uint32_t percent = 10;  // in thousandths

study_plan plan_of(duration length, std::size_t members, std::size_t slow, std::uint32_t loss_percent) {
  study_plan made;
  made.members = members;
  made.slow = slow;
  made.loss = loss_percent * percent;
  made.length = length;
  return made;
}

series by_loss(duration length) {
  series made{"loss", "datagrams lost, %", {}};
  for (const std::uint32_t loss : {0U, 5U, 10U, 15U, 20U, 25U, 30U, 40U, 50U})
    made.points.push_back({static_cast<double>(loss), plan_of(length, usual_members, 0, loss)});
  return made;
}

/// TCP sends again what was lost, but not within the half second of a probe.
series by_loss_of_all(duration length) {
  series made{"loss_of_all", "datagrams lost and frames at which a stream breaks, %", {}};
  for (const std::uint32_t loss : {0U, 5U, 10U, 15U, 20U, 25U, 30U, 40U, 50U}) {
    study_plan plan = plan_of(length, usual_members, 0, loss);
    plan.stream_loss = plan.loss;
    made.points.push_back({static_cast<double>(loss), plan});
  }
  return made;
}

series by_slow(duration length) {
  series made{"slow", "slow members of 32", {}};
  for (const std::size_t slow : {0U, 1U, 2U, 4U, 8U, 12U, 16U})
    made.points.push_back({static_cast<double>(slow), plan_of(length, usual_members, slow, 0)});
  return made;
}

series by_lateness(duration length) {
  series made{"late", "milliseconds that messages of 4 members of 32 are late on average", {}};
  for (const int late : {0, 100, 250, 500, 1000, 2000, 4000}) {
    study_plan plan = plan_of(length, usual_members, late > 0 ? usual_members / 8 : 0, 0);
    plan.late_mean = std::chrono::milliseconds{late};
    made.points.push_back({static_cast<double>(late), plan});
  }
  return made;
}

/// A larger cluster costs as much more to run as it has members, and is watched for as much less.
series by_size(duration length) {
  series made{"size", "members, an eighth slow, 10 % loss", {}};
  for (const std::size_t members : {8U, 16U, 32U, 64U, 128U, 256U}) {
    const auto shorter = static_cast<duration::rep>(std::max<std::size_t>(1, members / usual_members));
    made.points.push_back({static_cast<double>(members), plan_of(length / shorter, members, members / 8, 10)});
  }
  return made;
}

series by_suspicion(duration length) {
  series made{"suspicion", "suspicion_mult, an eighth slow, 10 % loss", {}};
  for (const std::uint32_t mult : {1U, 2U, 3U, 4U, 5U, 6U, 8U}) {
    study_plan plan = plan_of(length, usual_members, usual_members / 8, 10);
    plan.settings.suspicion_mult = mult;
    made.points.push_back({static_cast<double>(mult), plan});
  }
  return made;
}

series by_helpers(duration length) {
  series made{"helpers", "indirect_probes, 25 % loss of all", {}};
  for (const std::uint32_t helpers : {0U, 1U, 2U, 3U, 5U, 8U}) {
    study_plan plan = plan_of(length, usual_members, 0, 25);
    plan.stream_loss = plan.loss;
    plan.settings.indirect_probes = helpers;
    made.points.push_back({static_cast<double>(helpers), plan});
  }
  return made;
}

}  // namespace

std::vector<series> all_series(duration length) {
  return {by_loss(length), by_loss_of_all(length), by_slow(length),   by_lateness(length),
          by_size(length), by_suspicion(length),   by_helpers(length)};
}

}  // namespace study

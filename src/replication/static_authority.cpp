#include <utility>

#include "artillery/replication/authority.hpp"

namespace artillery::replication {

std::error_code check_view(const view& candidate) noexcept {
  const std::error_code fault = errc::invalid_configuration;
  if (candidate.epoch == 0 || candidate.replicas.empty() || candidate.replicas.size() > view_replicas_max ||
      candidate.learners.size() > view_replicas_max || candidate.voters.size() > view_replicas_max ||
      candidate.readers.size() > view_replicas_max || candidate.lease < duration{0} ||
      candidate.drift_ppm >= 1'000'000) {
    return fault;
  }
  for (std::size_t i = 0; i < candidate.replicas.size(); ++i) {
    if (candidate.replicas[i].id.node.none() || candidate.replicas[i].at.none()) return fault;
    for (std::size_t k = 0; k < i; ++k) {
      if (candidate.replicas[k].id.node == candidate.replicas[i].id.node) return fault;
    }
  }
  return {};
}

static_authority::static_authority(view only) : view_{std::move(only)}, fault_{check_view(view_)} {}

void static_authority::read(view_handler done) {
  done(fault_, view_);
}

void static_authority::compare_and_swap(std::uint64_t /*expected*/, view /*next*/, view_handler done) {
  done(fault_ ? fault_ : make_error_code(errc::stale_epoch), view_);
}

void static_authority::renew(const replica_id& who, std::uint64_t epoch, lease_handler done) {
  std::error_code error = fault_;
  if (!error && epoch != view_.epoch) error = errc::stale_epoch;
  bool listed = false;
  for (const member& replica : view_.replicas) listed = listed || replica.id == who;
  if (!error && !listed) error = errc::not_serving;
  done(error, error ? duration{0} : duration::max());
}

}  // namespace artillery::replication

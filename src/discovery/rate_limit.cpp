#include "discovery/rate_limit.hpp"

namespace artillery::discovery {

bool answer_limit::allow(const endpoint& source, time_point now) {
  // The address counts, a port is free to forge. On the loopback interface nothing can be forged from outside, and all
  // processes share one address: there each port is a source of its own.
  const endpoint key = source.is_loopback() ? source : source.with_port(0);
  if (!in_all_.has_token(now)) return false;
  source_row* row = sources_.find(key);
  if (row == nullptr) {
    if (sources_.size() >= sources_max) {
      for (std::size_t i = sources_.size(); i-- > 0;)
        if (sources_[i].bucket.full(now)) sources_.erase(endpoint{sources_[i].key});
      if (sources_.size() >= sources_max) return false;
    }
    source_row fresh;
    fresh.key = key;
    row = &sources_.insert(std::move(fresh));
  }
  if (!row->bucket.has_token(now)) return false;
  row->bucket.take(now);
  in_all_.take(now);
  return true;
}

void answer_limit::add_to(detail::state_hash& hash, time_point now) const {
  hash.add(in_all_.debt(now));
  for (const source_row& row : sources_)
    if (!row.bucket.full(now)) hash.add(row.key).add(row.bucket.debt(now));
}

}  // namespace artillery::discovery

#include "membership/probe.hpp"

#include <algorithm>

#include "membership/mutant.hpp"

namespace artillery::membership {

void probe_ring::add(member_row& row, detail::random& random) {
  // Whoever was gone for less than a round is still in it: one place each, or it would be probed more than the others.
  if (row.in_ring) return;
  row.in_ring = true;
  const auto place = static_cast<std::size_t>(random.below(order_.size() + 1));
  order_.insert(order_.begin() + static_cast<std::ptrdiff_t>(place), row.key);
  // Whoever was to be probed next stays next.
  if (place < position_) ++position_;
}

void probe_ring::remove(member_row& row) {
  if (!row.in_ring) return;
  row.in_ring = false;
  const auto found = std::find(order_.begin(), order_.end(), row.key);
  if (found - order_.begin() < static_cast<std::ptrdiff_t>(position_)) --position_;
  order_.erase(found);
}

const member_row* probe_ring::next(member_table& members, detail::random& random) {
  for (int round = 0; round < 2; ++round) {
    for (; position_ < order_.size(); ++position_) {
      const member_row* row = members.find(order_[position_]);
      if (!row->present()) continue;
      if (!mutant(mutation::probes_one_only)) ++position_;
      return row;
    }
    std::erase_if(order_, [&](const node_id& id) {
      member_row* row = members.find(id);
      row->in_ring = row->present();
      return !row->in_ring;
    });
    random.shuffle(order_);
    position_ = 0;
  }
  return nullptr;
}

}  // namespace artillery::membership

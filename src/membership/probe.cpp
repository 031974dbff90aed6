#include "membership/probe.hpp"

#include <algorithm>

#include "membership/mutant.hpp"

namespace artillery::membership {

void probe_ring::add(const node_id& id, detail::random& random) {
  // Whoever was gone for less than a round is still in it: one place each, or it would be probed more than the others.
  if (std::find(order_.begin(), order_.end(), id) != order_.end()) return;
  const auto place = static_cast<std::size_t>(random.below(order_.size() + 1));
  order_.insert(order_.begin() + static_cast<std::ptrdiff_t>(place), id);
  // Whoever was to be probed next stays next.
  if (place < position_) ++position_;
}

const member_row* probe_ring::next(const member_table& members, detail::random& random) {
  for (int round = 0; round < 2; ++round) {
    for (; position_ < order_.size(); ++position_) {
      const member_row* row = members.find(order_[position_]);
      if (row == nullptr || !row->present()) continue;
      if (!mutant(mutation::probes_one_only)) ++position_;
      return row;
    }
    std::erase_if(order_, [&](const node_id& id) {
      const member_row* row = members.find(id);
      return row == nullptr || !row->present();
    });
    random.shuffle(order_);
    position_ = 0;
  }
  return nullptr;
}

}  // namespace artillery::membership

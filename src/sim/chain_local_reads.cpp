#include "sim/chain_local_reads.hpp"

#include <algorithm>
#include <utility>

namespace artillery::sim {

using namespace replication;

local_reads::local_reads(std::shared_ptr<const chain_store> objects, const published& here, detail::random random,
                         duration pause_max)
    : objects_{std::move(objects)}, here_{here}, random_{random}, pause_max_{pause_max} {}

time_point local_reads::after_pause(time_point now) {
  return now + duration{static_cast<duration::rep>(random_.below(static_cast<std::uint64_t>(pause_max_.count()) + 1))};
}

void local_reads::begin(std::vector<call> keys, time_point now) {
  reader read{.keys = std::move(keys), .noted = note(here_), .found = {}, .fetched_at = {}, .next = now};
  read.next = after_pause(now);
  readers_.push_back(std::move(read));
}

void local_reads::step(time_point now, const answered& done) {
  std::vector<reader> checked;
  for (std::size_t i = 0; i < readers_.size();) {
    reader& read = readers_[i];
    while (read.next <= now && read.found.size() < read.keys.size()) {
      read.found.push_back(fetch(*objects_, read.keys[read.found.size()].key));
      read.fetched_at.push_back(now);
      read.next = after_pause(now);
    }
    if (read.next > now) {
      ++i;
      continue;
    }
    checked.push_back(std::move(read));
    readers_.erase(readers_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  // Only now: whoever is answered may begin another call.
  for (reader& read : checked) check(read, now, done);
}

void local_reads::check(reader& read, time_point now, const answered& done) const {
  const serving_state state = here_.load();
  for (std::size_t i = 0; i < read.keys.size(); ++i) {
    done({read.keys[i].request, answer_of(state, read.noted, read.found[i], now), read.fetched_at[i]});
  }
}

std::optional<time_point> local_reads::next_deadline() const {
  std::optional<time_point> next;
  for (const reader& read : readers_) next = next ? std::min(*next, read.next) : read.next;
  return next;
}

}  // namespace artillery::sim

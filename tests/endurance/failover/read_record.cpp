#include "read_record.hpp"

#include <algorithm>
#include <utility>

#include "values.hpp"

namespace failover {

using operation = artillery::sim::history_operation;

read_record::slot read_record::begin(std::uint32_t client, std::size_t agent, std::string key, bool is_named) {
  operation& op = operations_.emplace_back();
  agents_.push_back(agent);
  op.client = client;
  op.key = std::move(key);
  op.level = artillery::replication::strong;
  if (is_named) op.asked = static_cast<std::uint32_t>(agent);
  op.invoked_at = artillery::clock::now();
  return operations_.size() - 1;
}

void read_record::answered(slot at, const artillery::replication::read_result& result) {
  operation& op = operations_[at];
  op.completed_at = artillery::clock::now();
  op.came_to = operation::outcome::done;
  op.found = result.found();
  op.local = result.local;
  op.version = result.version;
  op.as_of = result.as_of;
  if (!op.found) return;
  op.value = endurance::name_in(*result.value);
  if (*result.value != endurance::value_of(op.value)) ++damaged_;
}

void read_record::failed(slot at) {
  operation& op = operations_[at];
  op.completed_at = artillery::clock::now();
  op.came_to = operation::outcome::void_;
}

std::size_t read_record::answers_after(std::size_t agent, artillery::time_point from, artillery::time_point to) const {
  std::size_t count = 0;
  // They are in the order in which they began.
  for (std::size_t i = operations_.size(); i-- > 0 && operations_[i].invoked_at >= from;) {
    const operation& op = operations_[i];
    const bool is_late = op.invoked_at < to && op.completed_at >= to && op.came_to == operation::outcome::done;
    if (agents_[i] == agent && is_late) ++count;
  }
  return count;
}

bool read_record::has_answer_since(std::size_t agent, artillery::time_point moment) const {
  for (std::size_t i = operations_.size(); i-- > 0 && operations_[i].invoked_at >= moment;) {
    if (agents_[i] == agent && operations_[i].came_to == operation::outcome::done) return true;
  }
  return false;
}

}  // namespace failover

#include "workload.hpp"

#include <algorithm>
#include <asio/error.hpp>
#include <chrono>

namespace endurance {
namespace {

using namespace std::chrono_literals;
using artillery::bytes;
using artillery::detail::mix64;
using artillery::sim::history_operation;
namespace replication = artillery::replication;

constexpr char end_of_name = '|';

/// Most values are small, a few large, all of a size that follows from their name.
std::size_t size_of(const std::string& name) {
  const std::uint64_t draw = mix64(artillery::detail::hash_name(name));
  const std::uint64_t kind = draw % 100;
  const std::uint64_t spread = draw >> 32U;
  if (kind < 70) return 24 + spread % 200;
  if (kind < 97) return 1'024 + spread % 16'384;
  return 65'536 + spread % 131'072;
}

/// A value is its name, then filling that follows from it: what comes back can be judged by itself.
bytes value_of(const std::string& name) {
  std::string text = name + end_of_name;
  const std::size_t size = std::max(size_of(name), text.size());
  text.reserve(size);
  std::uint64_t word = artillery::detail::hash_name(name);
  while (text.size() < size) {
    word = mix64(word);
    for (unsigned i = 0; i < 8 && text.size() < size; ++i) text += static_cast<char>(word >> (8 * i));
  }
  return bytes{text};
}

std::string name_in(const bytes& value) {
  return std::string{value.text().substr(0, value.text().find(end_of_name))};
}

std::string key_of(std::uint64_t number) {
  return "object/" + std::to_string(number);
}

}  // namespace

workload::workload(const asio::any_io_executor& executor, const std::string& cluster, const replication::view& chain,
                   const workload_options& options)
    : executor_{executor}, options_{options}, chain_{chain}, random_{options.seed}, seen_(options.keys) {
  history_.reserve(options.operations);
  config_.cluster = cluster;
  config_.chain = chain.chain;
  for (const auto& replica : chain.replicas) config_.replicas.push_back(replica.at);
  for (std::size_t i = 0; i < options.clients; ++i) clients_.push_back(new_client());
}

std::unique_ptr<replication::client> workload::new_client() const {
  auto client = std::make_unique<replication::client>(executor_, config_);
  client->async_run([](std::error_code) {});
  return client;
}

void workload::replace_client(std::size_t client) {
  ++replaced_;
  clients_[client] = new_client();
}

workload::~workload() = default;

void workload::start() {
  for (std::size_t client = 0; client < clients_.size(); ++client) {
    for (std::size_t i = 0; i < options_.depth; ++i) next(client);
  }
}

std::string workload::new_name(std::size_t client) {
  return std::to_string(client) + "-" + std::to_string(++names_);
}

void workload::next(std::size_t client) {
  if (history_.size() == options_.operations) return;
  const std::size_t slot = history_.size();
  history_operation& op = history_.emplace_back();
  op.client = static_cast<std::uint32_t>(client);
  op.invoked_at = artillery::clock::now();
  op.invoked = ++order_;
  const std::uint64_t key = random_.below(options_.keys);
  op.key = key_of(key);
  if (random_.chance(7, 10)) {
    read(client, slot);
  } else {
    write(client, slot);
  }
}

void workload::read(std::size_t client, std::size_t slot) {
  history_operation& op = history_[slot];
  switch (random_.below(8)) {
    case 0: op.level = replication::bounded(50ms); break;
    case 1: op.level = replication::bounded(std::uint32_t{3}); break;
    case 2: op.level = replication::eventual; break;
    default: op.level = replication::strong; break;
  }
  replication::read_options options{30s};
  if (random_.chance(1, 2)) {
    op.asked = static_cast<std::uint32_t>(random_.below(chain_.replicas.size()));
    options.where(replication::routing::to(chain_.replicas[op.asked].id.node));
  }
  clients_[client]->async_read(
      op.key, op.level, options,
      [this, slot](std::error_code error, const replication::read_result& result) { read_done(slot, error, result); });
}

void workload::write(std::size_t client, std::size_t slot) {
  history_operation& op = history_[slot];
  const std::uint64_t draw = random_.below(20);
  const auto done = [this, slot](std::error_code error, const replication::write_result& result) {
    write_done(slot, error, result);
  };
  if (draw == 0) {
    op.what = history_operation::kind::erase;
    clients_[client]->async_erase(op.key, replication::write_options{30s}, done);
    return;
  }
  op.what = history_operation::kind::put;
  op.value = new_name(client);
  if (draw < 6) {
    const auto key = static_cast<std::size_t>(std::stoull(op.key.substr(op.key.find('/') + 1)));
    op.when = replication::condition::is(seen_[key]);
  }
  const bytes value = value_of(op.value);
  bytes_moved_ += value.size();
  clients_[client]->async_write(replication::write::put(op.key, value, op.when), replication::write_options{30s}, done);
}

void workload::read_done(std::size_t slot, std::error_code error, const replication::read_result& result) {
  history_operation& op = history_[slot];
  if (error) return fail(slot, error);
  op.came_to = history_operation::outcome::done;
  op.found = result.found();
  op.local = result.local;
  op.version = result.version;
  op.as_of = result.as_of;
  if (op.found) {
    op.value = name_in(*result.value);
    bytes_moved_ += result.value->size();
    if (*result.value != value_of(op.value)) ++damaged_;
  }
  if (op.is_strong_read()) {
    ++strong_reads_;
    if (op.local) ++local_strong_reads_;
    seen_[static_cast<std::size_t>(std::stoull(op.key.substr(op.key.find('/') + 1)))] = op.version;
  }
  finish(slot);
}

void workload::write_done(std::size_t slot, std::error_code error, const replication::write_result& result) {
  history_operation& op = history_[slot];
  if (error) return fail(slot, error);
  op.came_to = history_operation::outcome::done;
  op.applied = result.applied;
  op.version = result.version;
  finish(slot);
}

void workload::fail(std::size_t slot, std::error_code error) {
  history_operation& op = history_[slot];
  const bool is_unknown = error == artillery::errc::outcome_unknown;
  op.came_to = is_unknown ? history_operation::outcome::pending : history_operation::outcome::void_;
  // As long as its client lives, an operation is answered: anything else is a failure of the run, not a case of it.
  const bool is_abandoned = replaced_ > 0 && (is_unknown || error == asio::error::operation_aborted);
  ++(is_abandoned ? abandoned_ : failed_);
  finish(slot);
}

void workload::finish(std::size_t slot) {
  history_operation& op = history_[slot];
  if (op.came_to != history_operation::outcome::pending) {
    op.completed_at = artillery::clock::now();
    op.completed = ++order_;
  }
  ++completed_;
  next(op.client);
}

}  // namespace endurance

#include "workload.hpp"

#include <algorithm>
#include <asio/error.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <utility>

#include "values.hpp"

namespace endurance {
namespace {

using namespace std::chrono_literals;
using artillery::bytes;
using artillery::sim::history_operation;
namespace replication = artillery::replication;

}  // namespace

workload::workload(const asio::any_io_executor& executor, const std::string& cluster, const replication::view& chain,
                   const workload_options& options)
    : executor_{executor}, options_{options}, chain_{chain}, random_{options.seed}, seen_(options.keys) {
  constexpr std::uint64_t reserved_max = 1'000'000;
  history_.reserve(std::min(options.operations, reserved_max));
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

void workload::stop(std::function<void()> when_over) {
  options_.operations = history_.size();
  if (finished()) return when_over();
  when_over_ = std::move(when_over);
}

std::string workload::new_name(std::size_t client) {
  return std::to_string(client) + "-" + std::to_string(++names_);
}

void workload::next(std::size_t client) {
  if (history_.size() >= options_.operations) return;
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
    case 2: op.level = options_.reads_eventually ? replication::eventual : replication::strong; break;
    default: op.level = replication::strong; break;
  }
  replication::read_options options{30s};
  if (options_.names_replicas && random_.chance(1, 2)) {
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
  acknowledged_.push_back(artillery::clock::now());
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
  if (finished() && when_over_) return std::exchange(when_over_, {})();
  next_after_pause(op.client);
}

void workload::next_after_pause(std::size_t client) {
  if (options_.pause == artillery::duration{}) return next(client);
  const auto timer = std::make_shared<asio::steady_timer>(executor_, options_.pause);
  timer->async_wait([this, client, timer](std::error_code) { next(client); });
}

}  // namespace endurance

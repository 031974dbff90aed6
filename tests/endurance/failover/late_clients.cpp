#include "late_clients.hpp"

#include <chrono>
#include <utility>

namespace failover {
namespace {

namespace replication = artillery::replication;

constexpr std::size_t clients_max = 8;
constexpr artillery::duration late_patience = std::chrono::seconds{15};

}  // namespace

late_clients::late_clients(asio::any_io_executor executor, replication::client_config config,
                           std::uint32_t first_client, read_record& record)
    : executor_{std::move(executor)}, config_{std::move(config)}, next_client_{first_client}, record_{record} {}

void late_clients::turn_to(const replication::member& replica, std::size_t agent) {
  clients_.clear();
  replica_ = replica;
  agent_ = agent;
  config_.replicas = {replica.at};
  is_coming_ = true;
}

void late_clients::come() {
  if (!is_coming_ || clients_.size() >= clients_max) return;
  client& made = clients_.emplace_back();
  made.number = next_client_++;
  made.handle = std::make_unique<replication::client>(executor_, config_);
  made.handle->async_run([](std::error_code) {});
}

void late_clients::read(const std::string& key) {
  if (!is_coming_) return;
  for (const client& each : clients_) {
    const read_record::slot at = record_.begin(each.number, agent_, key, /*is_named=*/true);
    each.handle->async_read(key, replication::strong,
                            replication::read_options{late_patience}.where(replication::routing::to(replica_.id.node)),
                            [&record = record_, at](std::error_code error, const replication::read_result& result) {
                              if (error) return record.failed(at);
                              record.answered(at, result);
                            });
  }
}

}  // namespace failover

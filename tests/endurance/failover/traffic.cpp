#include "traffic.hpp"

#include <algorithm>
#include <chrono>

#include "longest_gap.hpp"
#include "values.hpp"

namespace failover {
namespace {

using namespace std::chrono_literals;
namespace replication = artillery::replication;

constexpr std::size_t objects = 48;
constexpr std::size_t connections = 4;  // to each agent
constexpr artillery::duration tick_length = 25ms;
constexpr std::uint64_t late_client_every = 10;  // ticks

// Numbers of clients in the history; those of the load are below.
constexpr std::uint32_t first_reader = 100;
constexpr std::uint32_t last_reader = 200;
constexpr std::uint32_t first_late_client = 1000;

endurance::workload_options options_with(std::uint64_t seed) {
  endurance::workload_options options;
  options.operations = 100'000'000;  // until it is stopped
  options.keys = objects;
  options.clients = 4;
  options.depth = 3;
  options.seed = seed;
  options.pause = 20ms;
  options.names_replicas = false;
  options.reads_eventually = false;
  return options;
}

replication::client_config client_config_of(const std::string& cluster, const replication::view& chain) {
  replication::client_config config;
  config.cluster = cluster;
  config.chain = chain.chain;
  for (const replication::member& each : chain.replicas) config.replicas.push_back(each.at);
  return config;
}

}  // namespace

traffic::traffic(const std::string& cluster, const replication::view& chain, std::vector<place> agents,
                 std::uint64_t seed)
    : agents_{std::move(agents)},
      config_{client_config_of(cluster, chain)},
      load_{context_.get_executor(), cluster, chain, options_with(seed)},
      readers_(agents_.size()),
      late_{context_.get_executor(), config_, first_late_client, reads_},
      random_{seed} {
  for (std::size_t agent = 0; agent < agents_.size(); ++agent) {
    for (std::size_t i = 0; i < connections; ++i) {
      const auto number = static_cast<std::uint32_t>(first_reader + agent * connections + i);
      readers_[agent].push_back(
          std::make_unique<agent_reader>(context_.get_executor(), agents_[agent].socket, number, agent, reads_));
    }
  }
  load_.start();
  tick();
  thread_ = std::thread{[this] { context_.run(); }};
}

traffic::~traffic() {
  context_.stop();
  if (thread_.joinable()) thread_.join();
}

template <class Question>
auto traffic::ask(Question question) {
  std::packaged_task<std::invoke_result_t<Question>()> task{std::move(question)};
  auto answer = task.get_future();
  asio::post(context_, std::move(task));
  return answer.get();
}

void traffic::tick() {
  if (is_stopping_) return;
  ++ticks_;
  for (auto& of_agent : readers_) {
    const std::uint64_t key = random_.below(objects);
    of_agent[ticks_ % connections]->read(endurance::key_of(key));
  }
  if (ticks_ % late_client_every == 0) late_.come();
  const std::uint64_t key = random_.below(objects);
  late_.read(endurance::key_of(key));
  timer_.expires_after(tick_length);
  timer_.async_wait([this](std::error_code error) {
    if (!error) tick();
  });
}

void traffic::fault_begins(std::size_t agent) {
  ask([this, agent] { late_.turn_to(agents_[agent].replica, agent); });
}

void traffic::fault_ends() {
  ask([this] { late_.stop(); });
}

artillery::duration traffic::longest_gap(artillery::time_point from, artillery::time_point to) {
  return ask([&] { return demo::longest_gap(load_.acknowledged(), from, to); });
}

bool traffic::goes_on_since(artillery::time_point moment, std::size_t agent) {
  // An acknowledgement may be of a write that began before; the second of one place in flight cannot.
  return ask([&] {
    const auto& all = load_.acknowledged();
    const auto first = std::upper_bound(all.begin(), all.end(), moment);
    const std::size_t in_flight = options_with(0).clients * options_with(0).depth;
    return static_cast<std::size_t>(all.end() - first) > in_flight && reads_.has_answer_since(agent, moment);
  });
}

std::size_t traffic::answers_after(std::size_t agent, artillery::time_point from, artillery::time_point to) {
  return ask([&] { return reads_.answers_after(agent, from, to); });
}

traffic::outcome traffic::finish() {
  const auto all_read = std::make_shared<std::promise<void>>();
  ask([this, all_read] {
    is_stopping_ = true;
    load_.stop([this, all_read] {
      last_client_ = std::make_unique<replication::client>(context_.get_executor(), config_);
      last_client_->async_run([](std::error_code) {});
      read_all(0, all_read);
    });
  });
  all_read->get_future().wait();
  context_.stop();
  thread_.join();
  outcome result;
  result.operations = load_.operations();
  for (const auto* each : {&reads_, &final_reads_})
    result.operations.insert(result.operations.end(), each->operations().begin(), each->operations().end());
  result.final_reads = final_reads_.operations();
  result.damaged = load_.damaged() + reads_.damaged() + final_reads_.damaged();
  result.failed = load_.failed();
  result.acknowledged = load_.acknowledged().size();
  return result;
}

void traffic::read_all(std::size_t agent, std::shared_ptr<std::promise<void>> done) {
  if (agent == agents_.size()) return done->set_value();
  const auto left = std::make_shared<std::size_t>(objects);
  for (std::size_t i = 0; i < objects; ++i) {
    std::string key = endurance::key_of(i);
    const auto at = final_reads_.begin(last_reader, agent, key, /*is_named=*/true);
    const auto& node = agents_[agent].replica.id.node;
    last_client_->async_read(std::move(key), replication::strong,
                             replication::read_options{30s}.where(replication::routing::to(node)),
                             [this, at, agent, left, done](std::error_code error, const auto& result) {
                               if (error) {
                                 final_reads_.failed(at);
                               } else {
                                 final_reads_.answered(at, result);
                               }
                               if (--*left == 0) read_all(agent + 1, done);
                             });
  }
}

}  // namespace failover

#include "node/node_impl.hpp"

#include <algorithm>
#include <asio/dispatch.hpp>
#include <asio/error.hpp>
#include <chrono>
#include <utility>

#include "net/driver.hpp"
#include "node/forwarding.hpp"
#include "node/part_configs.hpp"

namespace artillery::detail {

namespace {

/// How long a node that leaves waits for the chain to go on without its replica.
constexpr duration removal_wait_max = std::chrono::seconds{1};
/// And after that, for its replica to tell so.
constexpr duration telling_wait = std::chrono::milliseconds{100};

bool keeps_something(const node_config& config) noexcept {
  return !config.directory.empty() || (config.expect > 1 && config.expect <= node_config::expect_max);
}

}  // namespace

node_impl::node_impl(asio::any_io_executor executor, node_config config)
    : user_executor_{std::move(executor)},
      strand_{user_executor_},
      directory_{keeps_something(config) ? std::make_unique<node_directory>(config.directory, config.id) : nullptr},
      config_{completed(std::move(config), directory_ ? directory_->id() : node_id{})},
      problem_{directory_ && !directory_->problem().empty() ? directory_->problem() : config_.validate()},
      incarnation_{draw_incarnation()},
      calls_{std::make_shared<call_table>(strand_, config_.waiting_calls_max)},
      events_{config_.events_max, [](std::uint64_t lost) { return node_event{node_overflow{lost}}; }},
      timer_{strand_},
      leaving_timer_{strand_},
      force_timer_{strand_} {
  if (!problem_.empty()) return;
  own_tags_ = config_.tags;
  if (config_.discover) beacon_.emplace(user_executor_, discovery_config_of(config_));
  cluster_.emplace(user_executor_, membership_config_of(config_));
  if (config_.expect != 0) make_replica();
  for (const endpoint& seed : config_.seeds) static_cast<void>(cluster_->add_seed(seed));  // they are validated
}

void node_impl::make_replica() {
  const auto hosted = std::make_shared<hosted_replica>();
  if (config_.expect == 1) {
    hosted->here.emplace(user_executor_, replica_config_of(config_, incarnation_), replica_options_of(config_));
  } else {
    hosted->decides.emplace(user_executor_, quorum_config_of(config_, directory_->register_path()));
    decides_ = &*hosted->decides;
    hosted->here.emplace(user_executor_, replica_config_of(config_, incarnation_), replica_options_of(config_),
                         *decides_);
  }
  replica_ = std::shared_ptr<replication::replica>{hosted, &*hosted->here};
}

node_impl::~node_impl() {
  const std::error_code aborted = asio::error::operation_aborted;
  if (run_done_) run_done_(aborted);
  asio::dispatch(strand_, [calls = calls_, aborted] { calls->close(aborted); });
}

// ---- life -----------------------------------------------------------------------------------------------------------

void node_impl::run(done when_over) {
  // Only the run that was accepted may be cancelled by its own slot: the mark says which.
  const auto accepted = std::make_shared<bool>(false);
  on_cancel(when_over.slot(), shared_from_this(), [accepted](node_impl& self) {
    if (*accepted) self.stop(asio::error::operation_aborted);
  });
  net::submit(shared_from_this(), [accepted, when_over = std::move(when_over)](node_impl& self) mutable {
    if (self.phase_ == phase::running) return when_over(errc::already_running);
    if (self.phase_ == phase::stopped) return when_over(errc::not_running);
    *accepted = true;
    self.run_done_ = std::move(when_over);
    self.start();
  });
}

void node_impl::start() {
  phase_ = phase::running;
  if (!problem_.empty()) {
    log(log_level::error, "invalid configuration: " + problem_);
    return stop(errc::invalid_configuration);
  }
  publish();
  pull_membership();
  run_part(*cluster_, stop_membership_);
  cluster_->async_ready(on_strand([](node_impl& self, std::error_code error, const endpoint&) {
    if (error) return;  // its run says why
    self.membership_up_ = true;
    self.part_is_up();
  }));
  replication_up_ = replica_ == nullptr;
  register_up_ = decides_ == nullptr;
  if (decides_ != nullptr) {
    run_part(*decides_, stop_register_);
    decides_->async_ready(on_strand([](node_impl& self, std::error_code error, const endpoint&) {
      if (error) return;  // its run says why
      self.register_up_ = true;
      self.part_is_up();
    }));
  }
  if (replica_ == nullptr) return;
  pull_replication();
  run_part(*replica_, stop_replication_);
}

void node_impl::part_is_up() {
  if (phase_ == phase::running && membership_up_ && replication_up_ && register_up_ && !bootstrap_) up();
}

void node_impl::up() {
  const endpoint membership_at = cluster_->local_endpoint();
  const endpoint replication_at = replica_ == nullptr ? endpoint{} : replica_->local_endpoint();

  bootstrap_config of_chain;
  of_chain.self = {{config_.id, incarnation_}, cluster_->self().at.with_port(replication_at.port())};
  if (decides_ != nullptr) of_chain.voter_port = decides_->local_endpoint().port();
  of_chain.expect = config_.expect;
  of_chain.settle = 2 * membership_config_of(config_).gossip_interval;
  bootstrap_.emplace(of_chain);
  {
    const std::lock_guard lock{mutex_};
    seen_.membership = membership_at;
    seen_.replication = replication_at;
  }
  events_.push(node_started{config_.id, membership_at, replication_at});
  log(log_level::info, "up: membership at " + to_string(membership_at) +
                           (replica_ == nullptr ? "" : ", replication at " + to_string(replication_at)));
  if (beacon_) {
    const bool told = config_.advertise != endpoint{};
    beacon_->announce(service_of(config_, told ? cluster_->self().at : membership_at));
    beacon_->browse(node_service_type);
    pull_discovery();
    run_part(*beacon_, stop_discovery_);
  }
  bootstrap_->observe(cluster_->members(), clock::now());
  go_on_with_chain();
}

void node_impl::stop(std::error_code why) {
  if (phase_ == phase::stopped) return;
  phase_ = phase::stopped;
  if (why && why != asio::error::operation_aborted) log(log_level::error, "stopped: " + why.message());
  timer_.cancel();
  calls_->close(errc::not_running);
  for (asio::cancellation_signal* part :
       {&stop_discovery_, &stop_membership_, &stop_client_, &stop_replication_, &stop_register_})
    part->emit(asio::cancellation_type::all);
  const std::error_code end = why ? why : make_error_code(asio::error::operation_aborted);
  events_.close(end);
  leaving_.close(end);
  end_force(errc::not_running, {});
  publish();
  run_done_(why);
}

// ---- the user's calls -----------------------------------------------------------------------------------------------

void node_impl::next_event(completion<event_signature> waiting) {
  const auto number = events_.reserve();
  on_cancel(waiting.slot(), shared_from_this(), [number](node_impl& self) { self.events_.cancel(number); });
  net::submit(shared_from_this(), [number, waiting = std::move(waiting)](node_impl& self) mutable {
    self.events_.next(number, std::move(waiting));
  });
}

void node_impl::leave(std::string reason, done when_over) {
  const auto number = leaving_.reserve();
  on_cancel(when_over.slot(), shared_from_this(), [number](node_impl& self) { self.leaving_.cancel(number); });
  net::submit(shared_from_this(),
              [number, reason = std::move(reason), when_over = std::move(when_over)](node_impl& self) mutable {
                self.begin_leave(number, std::move(reason), std::move(when_over));
              });
}

void node_impl::begin_leave(std::uint64_t number, std::string reason, done when_over) {
  if (phase_ != phase::running || !bootstrap_) return when_over(errc::not_running);
  if (reason.size() > membership::leave_reason_size_max) return when_over(errc::too_large);
  leaving_.add(number, std::move(when_over));
  if (std::exchange(leaving_begun_, true)) return;
  const auto left = [](node_impl& self, std::error_code) { self.half_left(); };
  parts_leaving_ = beacon_ ? 2 : 1;
  if (beacon_) beacon_->async_withdraw(config_.id, on_strand(left));
  // The others drop its replica when they hear that it leaves; that it knows so itself spares them a wait.
  if (hosts_replica_of_several()) {
    ++parts_leaving_;
    replica_->retire();
    leaving_timer_.expires_after(removal_wait_max);
    leaving_timer_.async_wait(on_strand([](node_impl& self, std::error_code error) {
      if (!error) self.half_left();
    }));
  }
  cluster_->async_leave(std::move(reason), on_strand(left));
}

/// The chain goes on without the replica here, which tells the tail that it knows.
void node_impl::leave_soon() {
  if (!leaving_begun_ || leaving_timer_.expires_after(telling_wait) == 0) return;
  leaving_timer_.async_wait(on_strand([](node_impl& self, std::error_code error) {
    if (!error) self.half_left();
  }));
}

bool node_impl::hosts_replica_of_several() const {
  if (decides_ == nullptr) return false;
  const replication::replica_status here = replica_->status();
  return here.role != replication::role::none && here.view.replicas.size() > 1;
}

void node_impl::half_left() {
  if (--parts_leaving_ > 0 || phase_ != phase::running) return;
  leaving_.complete_all({});
  stop({});
}

std::error_code node_impl::problem_of_key(const bytes& key) const noexcept {
  if (key.empty() || key.size() > replication::key_size_max) return errc::invalid_argument;
  return {};
}

void node_impl::start_call(std::uint64_t number, std::shared_ptr<call> what) {
  net::submit(calls_,
              [number, what = std::move(what)](call_table& calls) mutable { calls.start(number, std::move(what)); });
}

void node_impl::read(bytes key, replication::consistency level, call_options options,
                     completion<read_signature> when_over) {
  if (const auto error = problem_of_key(key)) return when_over(error, {});
  if (options.timeout() <= duration{0}) return when_over(errc::invalid_argument, {});
  if (config_.reads == read_routing::own_replica && level == replication::strong && options.after().none()) {
    // Most reads of most nodes end here, on the caller's thread.
    const replication::local_read here = try_read(key.text());
    if (here.what != replication::local_read::outcome::ask) {
      replication::read_result result;
      if (here.found()) result.value = here.value;
      result.version = here.version;
      result.as_of = here.version;
      result.local = true;
      return when_over({}, std::move(result));
    }
  }
  const auto number = calls_->reserve();
  on_cancel(when_over.slot(), calls_, [number](call_table& calls) { calls.cancel(number); });
  start_call(number, make_read(std::move(key), level, options, std::move(when_over)));
}

void node_impl::write(replication::write what, call_options options, completion<write_signature> when_over) {
  if (const auto error = problem_of_key(what.key)) return when_over(error, {});
  if (options.timeout() <= duration{0}) return when_over(errc::invalid_argument, {});
  if (what.value.size() > config_.value_size_max) return when_over(errc::too_large, {});
  const auto number = calls_->reserve();
  on_cancel(when_over.slot(), calls_, [number](call_table& calls) { calls.cancel(number); });
  start_call(number, make_write(std::move(what), options.timeout(), std::move(when_over)));
}

void node_impl::change_chain(replication::view_change what, call_options options, done when_over) {
  if (replica_ == nullptr) return when_over(errc::not_serving);
  replica_->async_change(what, options.timeout(), forwarding(std::move(when_over)));
}

// ---- how things stand -----------------------------------------------------------------------------------------------

std::vector<membership::member> node_impl::members() const {
  if (!cluster_) return {};
  auto all = cluster_->members();
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return all;
}

membership::member node_impl::self() const {
  if (cluster_) return cluster_->self();
  membership::member nobody;
  nobody.id = config_.id;
  nobody.name = config_.name;
  return nobody;
}

std::error_code node_impl::add_seed(const endpoint& seed) {
  return cluster_ ? cluster_->add_seed(seed) : make_error_code(errc::not_running);
}

std::error_code node_impl::add_seed(std::string_view name) {
  return cluster_ ? cluster_->add_seed(name) : make_error_code(errc::not_running);
}

std::error_code node_impl::set_tags(membership::tag_map tags) {
  if (!cluster_) return errc::not_running;
  if (tags.contains(std::string{node_config::replica_tag}) || tags.contains(std::string{node_config::chain_tag})) {
    return errc::invalid_argument;
  }
  if (membership::size_of(tags) > node_config::tags_size_max(config_.expect)) return errc::too_large;
  net::submit(shared_from_this(), [tags = std::move(tags)](node_impl& self) mutable {
    self.own_tags_ = std::move(tags);
    if (self.bootstrap_) {
      self.publish_tags();
    } else {
      static_cast<void>(self.cluster_->set_tags(self.own_tags_));  // it is small enough
    }
  });
  return {};
}

replication::local_read node_impl::try_read(std::string_view key) const {
  return replica_ == nullptr ? replication::local_read{} : replica_->try_read(key);
}

std::optional<replication::view> node_impl::chain() const {
  std::shared_ptr<replication::client> client;
  {
    const std::lock_guard lock{mutex_};
    client = seen_.client;
  }
  if (client == nullptr) return std::nullopt;
  replication::view known = client->view();
  if (replica_ != nullptr) {
    replication::view here = replica_->status().view;
    if (here.epoch > known.epoch) known = std::move(here);
  }
  return known.epoch == 0 ? std::nullopt : std::optional{std::move(known)};
}

node_status node_impl::status() const {
  node_status status;
  status.id = config_.id;
  status.name = config_.name;
  status.cluster = config_.cluster;
  status.expect = config_.expect;
  {
    const std::lock_guard lock{mutex_};
    status.running = seen_.running;
    status.membership = seen_.membership;
    status.replication = seen_.replication;
    status.chain = seen_.chain;
    status.chain_remark = seen_.remark;
  }
  if (replica_ != nullptr) status.replica = replica_->status();
  if (!cluster_ || status.membership.none()) return status;
  const auto all = cluster_->members();
  status.members = static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](const membership::member& one) {
    return one.state == membership::member_state::alive || one.state == membership::member_state::suspect;
  }));
  return status;
}

void node_impl::metrics(const metric_visitor& visit) const {
  snapshot seen;
  {
    const std::lock_guard lock{mutex_};
    seen = seen_;
  }
  visit("node.running", seen.running ? 1 : 0);
  visit("node.chain_formed", seen.chain == chain_state::formed ? 1 : 0);
  visit("node.malformed_tags", seen.malformed_tags);
  if (beacon_) beacon_->metrics(visit);
  if (cluster_) cluster_->metrics(visit);
  if (replica_ != nullptr) replica_->metrics(visit);
  if (decides_ != nullptr) decides_->metrics(visit);
  if (seen.client != nullptr) seen.client->metrics(visit);
}

void node_impl::log(log_level level, std::string_view message) const {
  if (!config_.log) return;
  try {
    config_.log(level, "node", message);
  } catch (...) {  // the user's sink must not end the node
  }
}

}  // namespace artillery::detail

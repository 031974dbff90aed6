#include "artillery/discovery.hpp"

#include <chrono>
#include <random>

#include "discovery/beacon_state_binding.hpp"

namespace artillery::discovery {
namespace {

std::uint64_t entropy() {
  std::random_device device;
  const std::uint64_t upper = device();
  const std::uint64_t lower = device();
  return (upper << 32U) | lower;
}

std::uint64_t wall_clock_us() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(since_epoch).count());
}

void throw_if(std::error_code error, const char* what) {
  if (error) throw std::system_error{error, what};
}

}  // namespace

beacon::beacon(asio::any_io_executor executor, config options) : executor_{executor} {
  detail::random random{entropy()};
  core_config of_core;
  of_core.cluster = options.cluster;
  of_core.port = options.port;
  of_core.announce_interval = options.announce_interval;
  of_core.node = options.node.none() ? random.identity() : options.node;
  of_core.epoch_us = wall_clock_us();
  of_core.started = clock::now();
  state_ = std::make_shared<state>(std::move(executor), std::move(options), std::move(of_core), random.next());
}

beacon::~beacon() {
  if (state_ != nullptr) state_->shut_down();
}

beacon::beacon(beacon&& other) noexcept = default;

beacon& beacon::operator=(beacon&& other) noexcept {
  beacon moved{std::move(other)};
  std::swap(executor_, moved.executor_);
  std::swap(state_, moved.state_);
  return *this;
}

void beacon::start_run(const std::shared_ptr<state>& self, detail::completion<void(std::error_code)> done) {
  self->run(std::move(done));
}

node_id beacon::announce(service what, std::error_code& error) {
  error = what.validate().empty() ? state_->sound.announce(what) : make_error_code(errc::invalid_argument);
  if (error) return {};
  const node_id instance = what.instance;
  net::submit(state_, [what = std::move(what)](state& self) { self.announce(what); });
  return instance;
}

node_id beacon::announce(service what) {
  if (const std::string problem = what.validate(); !problem.empty())
    throw std::system_error{errc::invalid_argument, "announce: " + problem};
  std::error_code error;
  const node_id instance = announce(std::move(what), error);
  throw_if(error, "announce");
  return instance;
}

void beacon::start_withdraw(const std::shared_ptr<state>& self, const node_id& instance,
                            detail::completion<void(std::error_code)> done) {
  if (const auto error = self->sound.withdraw(instance)) return done(error);
  const auto number = self->withdrawing.reserve();
  detail::on_cancel(done.slot(), self, [number](state& of) { of.withdrawing.cancel(number); });
  net::submit(self, [instance, number, done = std::move(done)](state& of) mutable {
    of.withdraw(instance, number, std::move(done));
  });
}

void beacon::browse(std::string_view type, std::error_code& error) {
  const bool is_sound = type.empty() || validate_type(type).empty();
  error = is_sound ? state_->sound.browse(type) : make_error_code(errc::invalid_argument);
  if (!error) net::submit(state_, [type = std::string{type}](state& self) { self.browse(type); });
}

void beacon::browse(std::string_view type) {
  std::error_code error;
  browse(type, error);
  throw_if(error, "browse");
}

void beacon::stop_browse(std::string_view type) {
  state_->sound.stop_browse(type);
  net::submit(state_, [type = std::string{type}](state& self) {
    self.call([&](core_type& c, time_point, core_effects&) { c.stop_browse(type); });
  });
}

void beacon::start_next_event(const std::shared_ptr<state>& self,
                              detail::completion<void(std::error_code, event)> done) {
  const auto number = self->events.reserve();
  detail::on_cancel(done.slot(), self, [number](state& of) { of.events.cancel(number); });
  net::submit(self, [number, done = std::move(done)](state& of) mutable { of.events.next(number, std::move(done)); });
}

void beacon::start_seek(const std::shared_ptr<state>& self, std::string type, duration timeout,
                        detail::completion<void(std::error_code, service)> done) {
  constexpr duration timeout_max = std::chrono::hours{1};
  if (!validate_type(type).empty() || timeout <= duration::zero() || timeout > timeout_max)
    return done(errc::invalid_argument, {});
  const auto number = self->seeking.reserve();
  detail::on_cancel(done.slot(), self, [number](state& of) { of.cancel_seek(number); });
  net::submit(self, [type = std::move(type), timeout, number, done = std::move(done)](state& of) mutable {
    of.seek(type, timeout, number, std::move(done));
  });
}

node_id beacon::id() const noexcept {
  return state_->node;
}

void beacon::metrics(const metric_visitor& visit) const {
  state_->visit_figures(visit);
}

}  // namespace artillery::discovery

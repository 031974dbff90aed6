#include <chrono>
#include <random>

#include "artillery/membership.hpp"
#include "membership/cluster_state_binding.hpp"

namespace artillery::membership {
namespace {

std::uint64_t entropy() {
  std::random_device device;
  const std::uint64_t upper = device();
  const std::uint64_t lower = device();
  return (upper << 32U) | lower;
}

/// Grows from start to start as long as the machine's clock does.
std::uint64_t boot_now() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(since_epoch).count());
}

}  // namespace

cluster::cluster(asio::any_io_executor executor, config options) : executor_{executor} {
  detail::random random{entropy()};
  const identity who{.id = options.id.none() ? random.identity() : options.id, .boot = boot_now()};
  state_ = std::make_shared<state>(std::move(executor), std::move(options), who, random);
}

cluster::~cluster() {
  if (state_ != nullptr) state_->shut_down();
}

cluster::cluster(cluster&& other) noexcept = default;

cluster& cluster::operator=(cluster&& other) noexcept {
  cluster moved{std::move(other)};
  std::swap(executor_, moved.executor_);
  std::swap(state_, moved.state_);
  return *this;
}

void cluster::start_run(const std::shared_ptr<state>& self, detail::completion<void(std::error_code)> done) {
  self->run(std::move(done));
}

void cluster::start_next_event(const std::shared_ptr<state>& self,
                               detail::completion<void(std::error_code, event)> done) {
  const auto number = self->events.reserve();
  detail::on_cancel(done.slot(), self, [number](state& of) { of.events.cancel(number); });
  net::submit(self, [number, done = std::move(done)](state& of) mutable { of.events.next(number, std::move(done)); });
}

void cluster::start_ready(const std::shared_ptr<state>& self,
                          detail::completion<void(std::error_code, endpoint)> done) {
  const auto number = self->starting.reserve();
  detail::on_cancel(done.slot(), self, [number](state& of) { of.starting.cancel(number); });
  net::submit(self, [number, done = std::move(done)](state& of) mutable { of.ready(number, std::move(done)); });
}

void cluster::start_join(const std::shared_ptr<state>& self, detail::completion<void(std::error_code)> done) {
  const auto number = self->joining.reserve();
  detail::on_cancel(done.slot(), self, [number](state& of) { of.joining.cancel(number); });
  net::submit(self, [number, done = std::move(done)](state& of) mutable { of.join(number, std::move(done)); });
}

void cluster::start_leave(const std::shared_ptr<state>& self, std::string reason,
                          detail::completion<void(std::error_code)> done) {
  const auto number = self->leaving.reserve();
  detail::on_cancel(done.slot(), self, [number](state& of) { of.leaving.cancel(number); });
  net::submit(self, [number, reason = std::move(reason), done = std::move(done)](state& of) mutable {
    of.leave(number, std::move(reason), std::move(done));
  });
}

void cluster::start_broadcast(const std::shared_ptr<state>& self, std::string topic, bytes payload,
                              detail::completion<void(std::error_code)> done) {
  const auto number = self->sending.reserve();
  detail::on_cancel(done.slot(), self, [number](state& of) { of.cancel_broadcast(number); });
  net::submit(
      self, [number, topic = std::move(topic), payload = std::move(payload), done = std::move(done)](
                state& of) mutable { of.broadcast({number, std::move(topic), std::move(payload), std::move(done)}); });
}

void cluster::start_send(const std::shared_ptr<state>& self, const node_id& to, std::string topic, bytes payload,
                         const send_options& how, detail::completion<void(std::error_code)> done) {
  const auto number = self->sending.reserve();
  detail::on_cancel(done.slot(), self, [number](state& of) { of.sending.cancel(number); });
  net::submit(self, [number, to, topic = std::move(topic), payload = std::move(payload), how,
                     done = std::move(done)](state& of) mutable {
    of.send(number, to, std::move(topic), std::move(payload), how, std::move(done));
  });
}

void cluster::start_query(const std::shared_ptr<state>& self, std::string topic, bytes payload, query_options options,
                          detail::completion<void(std::error_code, std::uint64_t)> done) {
  const auto number = self->answers.reserve();
  net::submit(self, [number, topic = std::move(topic), payload = std::move(payload), options = std::move(options),
                     done = std::move(done)](state& of) mutable {
    const auto error = of.query(number, std::move(topic), std::move(payload), options);
    done(error, error ? 0 : number);
  });
}

void cluster::start_next_answer(const std::shared_ptr<state>& self, std::uint64_t query,
                                detail::completion<void(std::error_code, query_progress)> done) {
  const auto number = self->answers.reserve();
  detail::on_cancel(done.slot(), self, [number](state& of) { of.answers.cancel(number); });
  net::submit(self, [query, number, done = std::move(done)](state& of) mutable {
    of.answers.next(query, number, std::move(done));
  });
}

void cluster::drop_query(std::uint64_t query) {
  net::submit(state_, [query](state& self) { self.drop_query(query); });
}

void cluster::start_answer(const std::shared_ptr<state>& self, const node_id& asker, std::uint64_t number,
                           bytes payload, detail::completion<void(std::error_code)> done) {
  net::submit(self, [asker, number, payload = std::move(payload), done = std::move(done)](state& of) mutable {
    done(of.answer(asker, number, std::move(payload)));
  });
}

std::error_code cluster::add_seed(const endpoint& at) {
  if (at.none()) return errc::invalid_argument;
  net::submit(state_, [at](state& self) { self.add_seed(at); });
  return {};
}

std::error_code cluster::add_seed(std::string_view name) {
  if (const auto at = parse_endpoint(name)) return add_seed(at->none() ? at->with_port(config::default_port) : *at);
  auto parsed = parse_seed_name(name);
  if (!parsed) return errc::invalid_argument;
  net::submit(state_, [seed = std::move(*parsed)](state& self) mutable { self.add_seed(std::move(seed)); });
  return {};
}

std::error_code cluster::set_tags(tag_map tags) {
  if (size_of(tags) > tags_size_max) return errc::too_large;
  net::submit(state_, [tags = std::move(tags)](state& self) mutable { self.set_tags(std::move(tags)); });
  return {};
}

std::vector<member> cluster::members() const {
  return state_->seen.members();
}

member cluster::self() const {
  return state_->seen.self();
}

node_id cluster::id() const noexcept {
  return state_->who.id;
}

endpoint cluster::local_endpoint() const {
  return state_->seen.bound();
}

endpoint cluster::observed_endpoint() const {
  return state_->seen.observed();
}

void cluster::metrics(const metric_visitor& visit) const {
  visit("membership.members_present", state_->seen.present() + 1);
  state_->seen.counted().visit(visit);
}

}  // namespace artillery::membership

#include <utility>

#include "artillery/replication.hpp"
#include "replication/replica_binding.hpp"

namespace artillery::replication {

replica::replica(asio::any_io_executor executor, replica_config config, replica_options options)
    : binding_{std::make_shared<replica_binding>(std::move(executor), std::move(config), std::move(options), nullptr,
                                                 nullptr)} {}

replica::replica(asio::any_io_executor executor, replica_config config, replica_options options, authority& decides)
    : binding_{std::make_shared<replica_binding>(std::move(executor), std::move(config), std::move(options), &decides,
                                                 nullptr)} {}

replica::replica(asio::any_io_executor executor, replica_config config, replica_options options, store& objects)
    : binding_{std::make_shared<replica_binding>(std::move(executor), std::move(config), std::move(options), nullptr,
                                                 &objects)} {}

replica::replica(asio::any_io_executor executor, replica_config config, replica_options options, authority& decides,
                 store& objects)
    : binding_{std::make_shared<replica_binding>(std::move(executor), std::move(config), std::move(options), &decides,
                                                 &objects)} {}

replica::replica(replica&& other) noexcept = default;

replica& replica::operator=(replica&& other) noexcept {
  replica moved{std::move(other)};
  std::swap(binding_, moved.binding_);
  return *this;
}

replica::~replica() {
  if (binding_) binding_->let_go();  // a handle that was moved from has none
}

const asio::any_io_executor& replica::get_executor() const noexcept {
  return binding_->user_executor();
}

void replica::start_run(const std::shared_ptr<replica_binding>& self, detail::completion<run_signature> done) {
  self->run(std::move(done));
}

void replica::start_adopt(const std::shared_ptr<replica_binding>& self, view chosen,
                          detail::completion<run_signature> done) {
  self->adopt(std::move(chosen), std::move(done));
}

void replica::start_next_event(const std::shared_ptr<replica_binding>& self, detail::completion<event_signature> done) {
  self->next_event(std::move(done));
}

void replica::start_read(const std::shared_ptr<replica_binding>& self, bytes key, consistency level,
                         const session_token& after, duration timeout, detail::completion<read_signature> done) {
  self->read(std::move(key), level, after, timeout, std::move(done));
}

void replica::start_change(const std::shared_ptr<replica_binding>& self, view_change what, duration timeout,
                           detail::completion<change_signature> done) {
  self->change(what, timeout, std::move(done));
}

void replica::retire() {
  binding_->retire();
}

void replica::hint(const node_id& about, peer_hint what) {
  binding_->hint(about, what);
}

local_read replica::try_read(std::string_view key) const {
  return binding_->try_read(key);
}

void replica::try_read(std::span<const std::string_view> keys, std::span<local_read> into) const {
  binding_->try_read(keys, into);
}

endpoint replica::local_endpoint() const {
  return binding_->local_endpoint();
}

replica_status replica::status() const {
  return binding_->status();
}

replica_counters replica::counters() const {
  return binding_->counters();
}

void replica::metrics(const metric_visitor& visit) const {
  binding_->metrics(visit);
}

}  // namespace artillery::replication

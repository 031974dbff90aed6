#include <utility>

#include "artillery/replication.hpp"
#include "replication/client_binding.hpp"

namespace artillery::replication {

client::client(asio::any_io_executor executor, client_config config, client_options options)
    : binding_{std::make_shared<client_binding>(std::move(executor), std::move(config), options)} {}

client::client(client&& other) noexcept = default;

client& client::operator=(client&& other) noexcept {
  client moved{std::move(other)};
  std::swap(binding_, moved.binding_);
  return *this;
}

client::~client() {
  if (binding_) binding_->shut_down();  // a handle that was moved from has none
}

const asio::any_io_executor& client::get_executor() const noexcept {
  return binding_->user_executor();
}

void client::start_run(const std::shared_ptr<client_binding>& self, detail::completion<run_signature> done) {
  self->run(std::move(done));
}

void client::start_read(const std::shared_ptr<client_binding>& self, bytes key, consistency level,
                        const read_options& options, detail::completion<read_signature> done) {
  self->read(std::move(key), level, options, std::move(done));
}

void client::start_write(const std::shared_ptr<client_binding>& self, write what, const write_options& options,
                         detail::completion<write_signature> done) {
  self->write(std::move(what), options, std::move(done));
}

replication::view client::view() const {
  return binding_->view();
}

client_counters client::counters() const {
  return binding_->counters();
}

void client::metrics(const metric_visitor& visit) const {
  binding_->metrics(visit);
}

}  // namespace artillery::replication

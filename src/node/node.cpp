#include "artillery/node.hpp"

#include <utility>

#include "node/node_impl.hpp"

namespace artillery {

namespace detail {

const asio::any_io_executor& executor_of(const node_impl& node) noexcept {
  return node.user_executor();
}

void start_run(const std::shared_ptr<node_impl>& node, completion<done_signature> done) {
  node->run(std::move(done));
}

void start_next_event(const std::shared_ptr<node_impl>& node, completion<event_signature> done) {
  node->next_event(std::move(done));
}

void start_leave(const std::shared_ptr<node_impl>& node, std::string reason, completion<done_signature> done) {
  node->leave(std::move(reason), std::move(done));
}

void start_broadcast(const std::shared_ptr<node_impl>& node, std::string topic, bytes payload,
                     completion<done_signature> done) {
  node->broadcast(std::move(topic), std::move(payload), std::move(done));
}

void start_send(const std::shared_ptr<node_impl>& node, const node_id& to, std::string topic, bytes payload,
                const membership::send_options& how, completion<done_signature> done) {
  node->send(to, std::move(topic), std::move(payload), how, std::move(done));
}

void start_query(const std::shared_ptr<node_impl>& node, std::string topic, bytes payload,
                 membership::query_options options, completion<query_signature> done) {
  node->query(std::move(topic), std::move(payload), std::move(options), std::move(done));
}

void start_next_answer(const std::shared_ptr<node_impl>& node, std::uint64_t query,
                       completion<progress_signature> done) {
  node->next_answer(query, std::move(done));
}

void start_answer(const std::shared_ptr<node_impl>& node, membership::query asked, bytes payload,
                  completion<done_signature> done) {
  node->answer(std::move(asked), std::move(payload), std::move(done));
}

void start_read(const std::shared_ptr<node_impl>& node, bytes key, replication::consistency level, call_options options,
                completion<read_signature> done) {
  node->read(std::move(key), level, options, std::move(done));
}

void start_write(const std::shared_ptr<node_impl>& node, replication::write what, call_options options,
                 completion<write_signature> done) {
  node->write(std::move(what), options, std::move(done));
}

void start_change_chain(const std::shared_ptr<node_impl>& node, replication::view_change what, call_options options,
                        completion<done_signature> done) {
  node->change_chain(what, options, std::move(done));
}

void start_force_chain(const std::shared_ptr<node_impl>& node, completion<force_signature> done) {
  node->force_chain(std::move(done));
}

}  // namespace detail

node::node(asio::any_io_executor executor, node_config config)
    : impl_{std::make_shared<detail::node_impl>(std::move(executor), std::move(config))} {}

node::node(node&& other) noexcept = default;
node& node::operator=(node&& other) noexcept = default;
node::~node() = default;

node::executor_type node::get_executor() const noexcept {
  return impl_->user_executor();
}

std::vector<membership::member> node::members() const {
  return impl_->members();
}

membership::member node::self() const {
  return impl_->self();
}

std::error_code node::add_seed(const endpoint& seed) {
  return impl_->add_seed(seed);
}

std::error_code node::add_seed(std::string_view name) {
  return impl_->add_seed(name);
}

std::error_code node::set_tags(membership::tag_map tags) {
  return impl_->set_tags(std::move(tags));
}

void node::drop_query(std::uint64_t query) {
  impl_->drop_query(query);
}

replication::local_read node::try_read(std::string_view key) const {
  return impl_->try_read(key);
}

std::optional<replication::view> node::chain() const {
  return impl_->chain();
}

node_status node::status() const {
  return impl_->status();
}

void node::metrics(const metric_visitor& visit) const {
  impl_->metrics(visit);
}

}  // namespace artillery

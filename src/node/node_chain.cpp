#include <algorithm>
#include <asio/post.hpp>
#include <utility>

#include "node/node_impl.hpp"
#include "node/part_configs.hpp"

// How a node gets to its chain: the rule is chain_bootstrap's; here it meets members, replica and client.

namespace artillery::detail {

/// Looks at all members once for all events that have come by then.
void node_impl::observe_soon() {
  if (!bootstrap_ || config_.expect == 1 || std::exchange(observing_, true)) return;
  asio::post(strand_, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    self->observing_ = false;
    if (self->phase_ != phase::running) return;
    self->bootstrap_->observe(self->cluster_->members(), clock::now());
    self->go_on_with_chain();
  });
}

void node_impl::go_on_with_chain() {
  publish_tags();
  adopt_view();
  report_conflict();
  publish();
  arm();
}

void node_impl::publish_tags() {
  membership::tag_map tags = config_.tags;
  tags.merge(bootstrap_->tags());
  if (tags == published_tags_) return;
  published_tags_ = tags;
  if (const auto error = cluster_->set_tags(std::move(tags)))
    log(log_level::error, "tags not published: " + error.message());
}

void node_impl::adopt_view() {
  if (!bootstrap_->view()) return drop_client();
  if (bootstrap_->reachable().empty()) return;
  // What is not known of a replica yet may come later; the chain is the same.
  const auto& replicas = bootstrap_->view()->replicas;
  const bool same = std::equal(replicas.begin(), replicas.end(), served_.begin(), served_.end(),
                               [](const auto& a, const auto& b) { return a.id.incarnation == b.id.incarnation; });
  if (same) return;
  drop_client();
  served_ = replicas;
  make_client();
  if (bootstrap_->here() == replication::role::none) return wait_for_answer();
  replica_->async_adopt(*bootstrap_->view(), on_strand([](node_impl& self, std::error_code error) {
    if (self.phase_ != phase::running) return;
    if (error) return self.stop(error);
    self.serve();
  }));
}

void node_impl::make_client() {
  client_ = std::make_shared<replication::client>(user_executor_, client_config_of(config_, bootstrap_->reachable()),
                                                  replication::client_options{config_.log});
  run_part(*client_, stop_client_);
  const std::lock_guard lock{mutex_};
  seen_.client = client_;
}

/// What was heard of a chain came to nothing, or another one takes its place.
void node_impl::drop_client() {
  if (client_ == nullptr) return;
  served_.clear();
  calls_->serve({});
  client_.reset();
  const std::lock_guard lock{mutex_};
  seen_.client.reset();
}

/// The chain of others counts when one of its replicas has answered: the question is of no matter.
void node_impl::wait_for_answer() {
  client_->async_read("?", replication::eventual, replication::read_options{std::chrono::hours{1}},
                      on_strand([asked = std::weak_ptr{client_}](node_impl& self, std::error_code error, const auto&) {
                        const auto client = asked.lock();
                        if (self.phase_ != phase::running || client == nullptr || client != self.client_) return;
                        if (error == errc::not_running) return;  // it ended, and with it the node
                        if (error) return self.wait_for_answer();
                        self.bootstrap_->reached(clock::now());
                        self.serve();
                        self.go_on_with_chain();
                      }));
}

/// A chain is in force: calls are carried out from now on.
void node_impl::serve() {
  const replication::role here = bootstrap_->here();
  const bool on_chain = here != replication::role::none;
  call_targets targets;
  if (on_chain && config_.reads == read_routing::own_replica) targets.own = replica_;
  if (config_.reads == read_routing::round_robin) targets.reads = replication::routing::round_robin();
  targets.client = client_;
  calls_->serve(std::move(targets));
  publish();
  events_.push(node_event{chain_formed{*bootstrap_->view(), here}});
  log(log_level::info, on_chain ? "the chain is in force" : "found the chain; this node is a client of it");
}

void node_impl::report_conflict() {
  const auto& conflict = bootstrap_->conflict();
  if (conflict == reported_conflict_) return;
  reported_conflict_ = conflict;
  if (!conflict) return calls_->wait_again();
  log(log_level::error, conflict->explanation);
  events_.push(node_event{*conflict});
  if (bootstrap_->state() == chain_state::conflict) calls_->refuse(errc::not_serving);
}

void node_impl::arm() {
  const auto deadline = bootstrap_->next_deadline();
  if (!deadline) {
    timer_.cancel();
    return;
  }
  timer_.expires_after(std::max<duration>(*deadline - clock::now(), duration{0}));
  timer_.async_wait(on_strand([](node_impl& self, std::error_code error) {
    if (error || self.phase_ != phase::running) return;
    self.bootstrap_->expire(clock::now());
    self.go_on_with_chain();
  }));
}

void node_impl::publish() {
  const std::lock_guard lock{mutex_};
  seen_.running = phase_ == phase::running;
  if (!seen_.running) {
    seen_.remark = "not running";
  } else if (!bootstrap_) {
    seen_.remark = "binding the sockets";
  } else {
    seen_.chain = bootstrap_->state();
    seen_.remark = bootstrap_->remark();
    seen_.malformed_tags = bootstrap_->malformed();
    seen_.view = bootstrap_->hearsay() ? std::nullopt : bootstrap_->view();
  }
}

}  // namespace artillery::detail

#include <algorithm>
#include <asio/post.hpp>
#include <utility>

#include "node/node_impl.hpp"
#include "node/part_configs.hpp"

// How a node gets to its chain: with whom it is founded, chain_bootstrap says; which nodes form it from then on, the
// register; here both meet members, replica and client.

namespace artillery::detail {

namespace {

replication::role role_in(const replication::view& view, const node_id& node) noexcept {
  using replication::role;
  const auto& all = view.replicas;
  const auto own = std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.id.node == node; });
  if (own == all.end()) {
    const bool learns =
        std::any_of(view.learners.begin(), view.learners.end(), [&](const auto& each) { return each.id.node == node; });
    return learns ? role::learner : role::none;
  }
  if (all.size() == 1) return role::single;
  if (own == all.begin()) return role::head;
  return own + 1 == all.end() ? role::tail : role::middle;
}

std::vector<endpoint> endpoints_of(const std::vector<replication::member>& all) {
  std::vector<endpoint> found;
  for (const replication::member& each : all) found.push_back(each.at);
  return found;
}

}  // namespace

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
  look_at_register();
  publish_tags();
  found_chain();
  use_chain();
  serve_if_due();
  report_conflict();
  publish();
  arm();
}

/// Whoever voted for a chain, or was made a replica of it, belongs to it.
void node_impl::look_at_register() {
  if (decides_ == nullptr || bootstrap_->belongs()) return;
  const replication::quorum_status votes = decides_->status();
  if (votes.genesis != 0 && (votes.epoch != 0 || is_chain_replica())) bootstrap_->belong(votes.genesis, clock::now());
}

void node_impl::publish_tags() {
  membership::tag_map tags = own_tags_;
  tags.merge(bootstrap_->tags());
  if (tags == published_tags_) return;
  published_tags_ = tags;
  if (const auto error = cluster_->set_tags(std::move(tags)))
    log(log_level::error, "tags not published: " + error.message());
}

void node_impl::found_chain() {
  const auto& with = bootstrap_->founders();
  if (with.empty() || std::exchange(founding_begun_, true)) return;
  std::vector<replication::voter_place> voters;
  std::vector<replication::member> replicas;
  for (const founder& each : with) {
    voters.push_back({each.replica.id.node, each.voter});
    replicas.push_back(each.replica);
  }
  if (const auto error = decides_->use_voters(std::move(voters))) return founded(error);
  decides_->async_found(replication::first_view(chain_of_nodes, std::move(replicas), lease_of(config_)),
                        on_strand([](node_impl& self, std::error_code error, const replication::view&) {
                          if (self.phase_ == phase::running) self.founded(error);
                        }));
}

void node_impl::founded(std::error_code error) {
  if (error == errc::other_genesis) {
    chain_conflict conflict{chain_conflict::reason::other_genesis, {}, {}};
    for (const founder& each : bootstrap_->founders()) conflict.nodes.push_back(each.replica.id.node);
    conflict.explanation =
        "the chain cannot be founded: a node that it needs keeps a vote for an earlier chain in its directory (the log "
        "names it); start the other nodes of that chain, or stop these and start them again with empty directories";
    register_conflict_ = std::move(conflict);
  } else if (error) {
    log(log_level::error, "the chain was not founded: " + error.message());
  }
  go_on_with_chain();
}

void node_impl::use_chain() {
  if (config_.expect == 1) return be_the_chain();
  const auto genesis = bootstrap_->chain();
  if (!genesis) return drop_client();
  std::vector<endpoint> reachable = endpoints_of(bootstrap_->reachable());
  if (reachable.empty()) return;
  // Once it has a view, the client finds the replicas by itself.
  if (served_ == genesis && (has_answer_ || reachable == asked_)) return;
  drop_client();
  served_ = genesis;
  make_client(std::move(reachable));
  wait_for_answer();
}

void node_impl::be_the_chain() {
  if (std::exchange(is_adopted_, true)) return;
  const endpoint at = cluster_->self().at.with_port(replica_->local_endpoint().port());
  replication::view alone;
  alone.chain = chain_of_nodes;
  alone.epoch = 1;
  alone.replicas = {{{config_.id, incarnation_}, at}};
  alone.readers = {alone.replicas.front().id};
  make_client({at});
  replica_->async_adopt(alone, on_strand([](node_impl& self, std::error_code error) {
                          if (self.phase_ != phase::running) return;
                          if (error) return self.stop(error);
                          self.serve();
                        }));
}

void node_impl::make_client(std::vector<endpoint> replicas) {
  asked_ = replicas;
  client_ = std::make_shared<replication::client>(user_executor_, client_config_of(config_, std::move(replicas)),
                                                  replication::client_options{config_.log});
  run_part(*client_, stop_client_);
}

/// What was heard of a chain came to nothing, or another one takes its place.
void node_impl::drop_client() {
  if (client_ == nullptr) return;
  served_.reset();
  has_answer_ = false;
  is_serving_ = false;
  calls_->serve({});
  client_.reset();
  const std::lock_guard lock{mutex_};
  seen_.client.reset();
}

/// A chain counts when one of its replicas has answered: the question is of no matter.
void node_impl::wait_for_answer() {
  client_->async_read("?", replication::eventual, replication::read_options{std::chrono::hours{1}},
                      on_strand([asked = std::weak_ptr{client_}](node_impl& self, std::error_code error, const auto&) {
                        const auto client = asked.lock();
                        if (self.phase_ != phase::running || client == nullptr || client != self.client_) return;
                        if (error == errc::not_running) return;  // it ended, and with it the node
                        if (error) return self.wait_for_answer();
                        self.answered();
                      }));
}

void node_impl::answered() {
  has_answer_ = true;
  bootstrap_->reached(clock::now());
  // Who was not there when the chain was founded learns from its view who votes, and its replica can ask to take part.
  if (decides_ != nullptr && !bootstrap_->belongs()) {
    std::vector<replication::voter_place> voters;
    for (const replication::member& each : client_->view().voters) voters.push_back({each.id.node, each.at});
    if (const auto error = decides_->change_voters(std::move(voters)))
      log(log_level::error, "the chain's voters cannot be used: " + error.message());
  }
  go_on_with_chain();
}

/// Of a chain that this node founded its own replica is to know, too.
void node_impl::serve_if_due() {
  const bool is_founding = founding_begun_ && replica_->status().view.epoch == 0;
  if (has_answer_ && !is_serving_ && !is_founding) serve();
}

/// A chain is in force: calls are carried out from now on.
void node_impl::serve() {
  is_serving_ = true;
  call_targets targets;
  if (config_.reads == read_routing::own_replica) targets.own = replica_;
  if (config_.reads == read_routing::round_robin) targets.reads = replication::routing::round_robin();
  targets.client = client_;
  calls_->serve(std::move(targets));
  {
    const std::lock_guard lock{mutex_};
    seen_.client = client_;
  }
  publish();
  told_ = client_->view();
  if (replica_ != nullptr && replica_->status().view.epoch >= told_.epoch) told_ = replica_->status().view;
  const replication::role here = role_in(told_, config_.id);
  events_.push(node_event{chain_formed{told_, here}});
  log(log_level::info,
      here == replication::role::none ? "found the chain; this node is a client of it" : "the chain is in force");
}

/// The replica here went over to another view, or fell out of it.
void node_impl::view_changed() {
  const replication::view now = replica_->status().view;
  force_if_due();
  if (bootstrap_ && (!is_serving_ || !bootstrap_->belongs())) go_on_with_chain();
  if (is_serving_ && now.epoch > told_.epoch) {
    told_ = now;
    events_.push(node_event{chain_changed{now, role_in(now, config_.id)}});
  }
}

void node_impl::report_conflict() {
  const auto& conflict = register_conflict_ ? register_conflict_ : bootstrap_->conflict();
  if (conflict == reported_conflict_) return;
  reported_conflict_ = conflict;
  if (!conflict) return calls_->wait_again();
  log(log_level::error, conflict->explanation);
  events_.push(node_event{*conflict});
  if (state() == chain_state::conflict) calls_->refuse(errc::not_serving);
}

chain_state node_impl::state() const {
  const chain_state said = bootstrap_->state();
  if (said == chain_state::formed) return is_serving_ || config_.expect == 1 ? said : chain_state::confirming;
  return register_conflict_ ? chain_state::conflict : said;
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
    seen_.chain = state();
    seen_.remark = seen_.chain == chain_state::conflict && register_conflict_ ? register_conflict_->explanation
                   : seen_.chain == chain_state::confirming && bootstrap_->belongs()
                       ? "waiting for a replica of the chain to answer"
                       : bootstrap_->remark();
    seen_.malformed_tags = bootstrap_->malformed();
  }
}

}  // namespace artillery::detail

#include <variant>

#include "node/node_impl.hpp"
#include "node/seeds.hpp"

// What the parts of a node tell it. Each has one consumer, this; it hands everything on to the node's user.

namespace artillery::detail {

void node_impl::pull_discovery() {
  beacon_->async_next_event(on_strand([](node_impl& self, std::error_code error, discovery::event what) {
    if (error || self.phase_ != phase::running) return;
    add_seeds(what, self.config_.id, *self.cluster_);
    self.events_.push(node_event{std::move(what)});
    self.pull_discovery();
  }));
}

void node_impl::pull_membership() {
  cluster_->async_next_event(on_strand([](node_impl& self, std::error_code error, membership::event what) {
    if (error || self.phase_ != phase::running) return;
    self.hear(what);
    if (!self.take_own(what)) self.events_.push(node_event{std::move(what)});
    self.pull_membership();
  }));
}

void node_impl::pull_replication() {
  replica_->async_next_event(on_strand([](node_impl& self, std::error_code error, replication::event what) {
    if (error || self.phase_ != phase::running) return;
    if (what.what == replication::event::kind::listening) {
      self.replication_up_ = true;
      self.part_is_up();
    } else {
      self.events_.push(node_event{what});
      self.view_changed();
      if (what.what == replication::event::kind::removed) self.leave_soon();
    }
    self.pull_replication();
  }));
}

/// Anything but an event of a user's may have changed who is there, and what they say of themselves.
void node_impl::hear(const membership::event& what) {
  if (replica_ != nullptr) give_hint(what, *replica_);
  const bool is_users =
      std::holds_alternative<membership::user_event>(what) || std::holds_alternative<membership::message>(what) ||
      std::holds_alternative<membership::query>(what) || std::holds_alternative<membership::gap>(what);
  if (!is_users) observe_soon();
}

}  // namespace artillery::detail

#include "sim/membership_world.hpp"

namespace artillery::sim {

membership_world::membership_world(std::uint64_t seed, membership::config settings, const link_faults& faults)
    : settings_{std::move(settings)}, world_{seed, faults}, random_{world_.seed_for("membership")} {}

endpoint membership_world::address_of(host which) {
  return endpoint::v4(10, 0, static_cast<std::uint8_t>(which / 250), static_cast<std::uint8_t>(which % 250 + 1), 7946);
}

std::unique_ptr<membership_host> membership_world::make(host which, const std::vector<host>& seeds) {
  node& n = nodes_[which];
  n.process = processes_++;
  checkers_.started(n.who.id, n.who.boot, settings_.datagram_max);
  membership::config config = settings_;
  config.name = "n" + std::to_string(which);
  std::vector<endpoint> at;
  for (host seed : seeds) at.push_back(address_of(seed));
  membership::core core{std::move(config), n.who, detail::random{random_.next()}};
  membership_observer& observer = *this;
  return std::make_unique<membership_host>(n.process, std::move(core), address_of(which), std::move(at), observer);
}

host membership_world::add(const std::vector<host>& seeds) {
  const host which = nodes_.size();
  nodes_.push_back({.who = {.id = random_.identity(), .boot = 1}});
  return world_.add(address_of(which), make(which, seeds));
}

void membership_world::restart(host which, const std::vector<host>& seeds, bool same_id) {
  membership::identity& who = nodes_[which].who;
  if (same_id) {
    ++who.boot;
  } else {
    who = {.id = random_.identity(), .boot = 1};
  }
  world_.restart(which, make(which, seeds));
}

void membership_world::call(host which, const membership_host::call& what) {
  world_.call(which, [what](program& p, time_point now, network_effects& out) {
    static_cast<membership_host&>(p).run(what, now, out);
  });
}

void membership_world::broadcast(host from, const std::string& topic) {
  if (!is_member(from) || world_.is_paused(from)) return;
  const std::size_t process = nodes_[from].process;
  call(from, [this, process, topic](membership::core& core, time_point now, membership::core::effects_type& out) {
    std::uint64_t& number = sent_[{process, topic}];
    const bytes payload = membership_checkers::payload(process, number + 1);
    if (!core.broadcast(topic, payload, now, out)) ++number;
  });
}

std::uint64_t membership_world::sent_on(std::size_t process, const std::string& topic) const {
  const auto found = sent_.find({process, topic});
  return found == sent_.end() ? 0 : found->second;
}

void membership_world::leave(host which) {
  call(which, [](membership::core& core, time_point now, membership::core::effects_type& out) {
    static_cast<void>(core.leave(now, out));
  });
}

void membership_world::delivered(std::size_t process, const membership::event& event, time_point now) {
  world_.note("delivered", (static_cast<std::uint64_t>(process) << 8U) | event.index());
  checkers_.saw(process, event, now);
}

const membership::core* membership_world::core(host which) {
  const program* running = world_.running(which);
  return running == nullptr ? nullptr : &static_cast<const membership_host*>(running)->core();
}

bool membership_world::is_member(host which) {
  const membership::core* c = core(which);
  return c != nullptr && c->self().state == membership::member_state::alive;
}

std::vector<host> membership_world::members() {
  std::vector<host> all;
  for (host h = 0; h < nodes_.size(); ++h) {
    if (is_member(h)) all.push_back(h);
  }
  return all;
}

bool membership_world::converged() {
  return difference().empty();
}

/// M3.
std::string membership_world::difference() {
  const std::vector<host> all = members();
  for (host observer : all) {
    const membership::core& c = *core(observer);
    const auto name = [](host h) { return "n" + std::to_string(h); };
    for (host other : all) {
      if (other == observer) continue;
      const auto* row = c.table().find(nodes_[other].who.id);
      if (row == nullptr) return name(observer) + " does not know " + name(other);
      if (row->standing.boot != core(other)->self().boot) {
        return name(observer) + " knows an earlier life of " + name(other);
      }
      if (row->standing.state != membership::member_state::alive) {
        return name(observer) + " holds " + name(other) + " for " +
               std::string{membership::to_string(row->standing.state)};
      }
      if (row->standing.incarnation != core(other)->self().incarnation) {
        return name(observer) + " knows an earlier incarnation of " + name(other);
      }
    }
    if (c.present() + 1 != all.size()) return name(observer) + " holds somebody for present who is gone";
  }
  return {};
}

bool membership_world::run_until_converged(duration limit) {
  // Looked at now and then only: the question costs more than an event.
  const time_point end = world_.now() + limit;
  while (world_.now() < end) {
    if (converged()) return true;
    world_.run_for(std::min<duration>(std::chrono::milliseconds{100}, end - world_.now()));
  }
  return converged();
}

}  // namespace artillery::sim

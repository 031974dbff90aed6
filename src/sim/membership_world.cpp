#include "sim/membership_world.hpp"

#include <algorithm>
#include <utility>

namespace artillery::sim {
namespace {

/// An answer that goes by a stream.
constexpr std::size_t long_answer = 5'000;

}  // namespace

membership_world::membership_world(std::uint64_t seed, membership::config settings, const link_faults& faults,
                                   bool is_ipv6)
    : settings_{std::move(settings)}, is_ipv6_{is_ipv6}, world_{seed, faults}, random_{world_.seed_for("membership")} {}

endpoint membership_world::address_of(host which, bool is_ipv6) {
  const auto high = static_cast<std::uint8_t>(which / 250);
  const auto low = static_cast<std::uint8_t>(which % 250 + 1);
  if (!is_ipv6) return endpoint::v4(10, 0, high, low, 7946);
  return endpoint::v6({0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, high, low}, 7946);
}

std::unique_ptr<membership_host> membership_world::make(host which, const std::vector<host>& seeds) {
  node& n = nodes_[which];
  n.process = host_of_process_.size();
  host_of_process_.push_back(which);
  n.leaves_by.reset();
  n.left_heard = false;
  n.disturbed_until = {};
  membership::config config = settings_;
  config.name = "n" + std::to_string(which);
  checkers_.started(n.who.id, n.who.boot, config);
  std::vector<endpoint> at;
  for (host seed : seeds) at.push_back(this->at(seed));
  membership::core core{std::move(config), n.who, detail::random{random_.next()}};
  membership_observer& observer = *this;
  return std::make_unique<membership_host>(n.process, std::move(core), this->at(which), std::move(at), observer);
}

host membership_world::add(const std::vector<host>& seeds) {
  const host which = nodes_.size();
  nodes_.push_back({.who = {.id = random_.identity(), .boot = 1}, .disturbed_until = {}, .leaves_by = {}});
  return world_.add(at(which), make(which, seeds));
}

void membership_world::restart(host which, const std::vector<host>& seeds, bool same_id) {
  membership::identity& who = nodes_[which].who;
  if (same_id) {
    ++who.boot;
  } else {
    who = {.id = random_.identity(), .boot = 1};
  }
  hear_again(which);
  world_.restart(which, make(which, seeds));
}

// ---- what is done to nodes ----

void membership_world::call(host which, const membership_host::call& what) {
  world_.call(which, [what](program& p, time_point now, network_effects& out) {
    static_cast<membership_host&>(p).run(what, now, out);
  });
}

void membership_world::broadcast(host from, const std::string& topic, std::size_t more) {
  if (!is_member(from) || world_.is_paused(from)) return;
  const std::size_t process = nodes_[from].process;
  call(from,
       [this, from, process, topic, more](membership::core& core, time_point now, membership::core::effects_type& out) {
         std::uint64_t& number = sent_[{process, topic}];
         const std::uint64_t number_of_all = core.events_base(id(from)) + 1;
         if (!core.broadcast(topic, membership_checkers::payload(process, number + 1, number_of_all, more), now, out))
           ++number;
       });
}

std::uint64_t membership_world::sent_on(std::size_t process, const std::string& topic) const {
  const auto found = sent_.find({process, topic});
  return found == sent_.end() ? 0 : found->second;
}

std::uint64_t membership_world::send(host from, host to, bool reliable, std::size_t more) {
  if (!is_member(from) || world_.is_paused(from)) return 0;
  const std::uint64_t number = ++calls_;
  const std::size_t process = nodes_[from].process;
  messages_.sent(number, process, id(from), id(to), reliable);
  const membership::send_options how{.delivery =
                                         reliable ? membership::delivery::reliable : membership::delivery::best_effort};
  call(from, [=, this](membership::core& core, time_point now, membership::core::effects_type& out) {
    const auto error = core.send(number, id(to), "to one", message_book::payload(number, more), how, now, out);
    if (error) complain(now, messages_.refused(number));
  });
  return number;
}

std::uint64_t membership_world::query(host from, const std::vector<host>& named, duration timeout) {
  if (!is_member(from) || world_.is_paused(from)) return 0;
  const std::uint64_t number = ++calls_;
  membership::query_options options{.tags = {}, .members = {}, .timeout = timeout};
  for (host h : named) options.members.push_back(id(h));
  const std::size_t process = nodes_[from].process;
  queries_.asked(number, process, id(from), options.members);
  call(from, [=, this](membership::core& core, time_point now, membership::core::effects_type& out) {
    const std::uint64_t number_of_all = core.events_base(id(from)) + 1;
    const auto error = core.query(number, "asked", query_book::payload(number), options, now, out);
    if (error) queries_.refused(number);
    if (!error) checkers_.asked(process, number_of_all);
  });
  return number;
}

/// Some at once, some later, some at more length than a datagram holds.
void membership_world::answer(host by, std::size_t process, const membership::query& asked) {
  const std::uint64_t kind = message_book::call_of(asked.payload.view()) + by;
  const auto wait = kind % 3 == 0 ? asked.timeout / 8 : duration::zero();
  const std::size_t more = kind % 5 == 0 ? long_answer : 0;
  world_.schedule(world_.now() + wait, [this, by, process, asked, more] {
    if (!world_.is_up(by) || nodes_[by].process != process || world_.is_paused(by)) return;
    call(by, [&](membership::core& core, time_point now, membership::core::effects_type& out) {
      static_cast<void>(core.answer(asked.origin, asked.number, query_book::answer_to(asked, id(by), more), now, out));
    });
  });
}

void membership_world::leave(host which) {
  nodes_[which].goings_before_leaving = goings();
  nodes_[which].leaves_by = world_.local_time(which) + settings_.leave_timeout;
  call(which, [](membership::core& core, time_point now, membership::core::effects_type& out) {
    static_cast<void>(core.leave(now, out));
  });
}

void membership_world::suspend(host which, duration length, bool deaf) {
  disturb_by_stop(which, length);
  world_.suspend(which, length);
  if (!deaf || nodes_[which].deaf) return;
  nodes_[which].deaf = true;
  for (host h = 0; h < nodes_.size(); ++h) {
    if (h != which) world_.cut(h, which);
  }
  world_.schedule(world_.now() + length, [this, which] { hear_again(which); });
}

/// Also a machine that was restarted before it woke.
void membership_world::hear_again(host which) {
  if (!std::exchange(nodes_[which].deaf, false)) return;
  for (host h = 0; h < nodes_.size(); ++h) world_.mend(h, which);
}

void membership_world::set_clock_drift(const std::vector<std::int32_t>& of_hosts) {
  for (host h = 0; h < of_hosts.size(); ++h) {
    world_.set_clock_drift(h, of_hosts[h]);
    drift_max_ = std::max(drift_max_, static_cast<std::uint32_t>(of_hosts[h] < 0 ? -of_hosts[h] : of_hosts[h]));
  }
}

/// The slowest clock measures it.
duration membership_world::stretched(duration bound) const noexcept {
  constexpr int million = 1'000'000;
  return bound + bound / (million - static_cast<int>(drift_max_)) * static_cast<int>(drift_max_);
}

void membership_world::inject(host at, const endpoint& from, const bytes& datagram) {
  world_.call(at, [from, datagram](program& p, time_point now, network_effects& out) {
    p.receive(connection::datagram(from), datagram, now, out);
  });
}

void membership_world::disturb(host which, time_point until) {
  nodes_[which].disturbed_until = std::max(nodes_[which].disturbed_until, until);
}

void membership_world::disturb_by_stop(host which, duration length) {
  disturb(which, world_.now() + length);
  longest_stop_ = std::max(longest_stop_, length);
}

void membership_world::disturb_network(time_point until) {
  network_disturbed_until_ = std::max(network_disturbed_until_, until);
}

// ---- what nodes say ----

/// A suspicion that began in a disturbance has run out, and the word is about: also at those who were stopped before
/// they heard it.
duration membership_world::doubt() {
  const cluster_size now{.members = nodes_.size(), .known = nodes_.size() + 1};
  return longest_stop_ + stretched(settings_.probe_interval * 2 +
                                   membership::suspicion_timeout_min(settings_.suspicion_mult, nodes_.size() + 1,
                                                                     settings_.probe_interval) *
                                       static_cast<int>(settings_.suspicion_max_mult) +
                                   dissemination_bound(settings_, now));
}

/// Where all who heard a farewell are gone, a datagram that comes late can introduce the one who said it to those who
/// came after: for them it fails.
bool membership_world::somebody_knows_that_left(const node& who) {
  for (host h = 0; h < nodes_.size(); ++h) {
    const membership::core* c = core(h);
    if (c == nullptr || c->has_left()) continue;
    const auto* row = c->table().find(who.who.id);
    const bool holds =
        row != nullptr && row->standing.boot == who.who.boot && row->standing.state == membership::member_state::left;
    if (holds || checkers_.reported_left(nodes_[h].process, who.who.id)) return true;
  }
  return false;
}

membership_truth membership_world::truth_of(const membership::event& event) {
  const auto* failed = std::get_if<membership::failed>(&event);
  const auto* suspected = std::get_if<membership::suspected>(&event);
  if (failed == nullptr && suspected == nullptr) return {};
  const membership::member& about = failed != nullptr ? failed->member : suspected->member;
  const time_point now = world_.now();
  for (host h = 0; h < nodes_.size(); ++h) {
    const node& n = nodes_[h];
    if (n.who.id != about.id || n.who.boot != about.boot) continue;
    return {.living = is_member(h) && !world_.is_paused(h),
            .left = n.left_heard && somebody_knows_that_left(n),
            .undisturbed = now > std::max(n.disturbed_until, network_disturbed_until_) + doubt()};
  }
  return {};
}

void membership_world::delivered(std::size_t process, const membership::event& event, time_point now) {
  world_.note("delivered", (static_cast<std::uint64_t>(process) << 8U) | event.index());
  checkers_.saw(process, event, truth_of(event), now);
  const auto* told = std::get_if<membership::message>(&event);
  if (told != nullptr) complain(now, messages_.given(id(host_of_process_[process]), *told));
  if (const auto* asked = std::get_if<membership::query>(&event)) {
    const host which = host_of_process_[process];
    complain(now, queries_.heard(process, id(which), *asked));
    answer(which, process, *asked);
  }
}

void membership_world::came(std::size_t process, const membership::query_news& what, time_point now) {
  complain(now, queries_.came(process, what));
}

void membership_world::ended(std::size_t process, const membership::finished_call& what, time_point now) {
  complain(now, messages_.ended(process, what));
}

void membership_world::complain(time_point now, const std::string& what) {
  if (!what.empty()) checkers_.violate(now, what);
}

void membership_world::gone(std::size_t process, time_point now) {
  const host which = host_of_process_[process];
  node& n = nodes_[which];
  n.left_heard = n.leaves_by && now < *n.leaves_by;
  if (n.left_heard && !somebody_heard_leaving(which)) {
    checkers_.violate(now, "n" + std::to_string(which) + " has left before its time was up, and nobody heard it");
  }
  ++left_;
}

/// Or there is none that it could have told, or one that it told may have died or left since.
bool membership_world::somebody_heard_leaving(host which) {
  const node& n = nodes_[which];
  const membership::core* leaver = core(which);
  if (leaver == nullptr || leaver->present() == 0) return true;
  return goings() != n.goings_before_leaving || somebody_knows_that_left(n);
}

// ---- what is so ----

const membership::core* membership_world::core(host which) {
  const program* running = world_.running(which);
  return running == nullptr ? nullptr : &static_cast<const membership_host*>(running)->core();
}

bool membership_world::is_member(host which) {
  const membership::core* c = core(which);
  return c != nullptr && c->own_standing().state == membership::member_state::alive && !given_up_.contains(which);
}

std::vector<host> membership_world::members() {
  std::vector<host> all;
  for (host h = 0; h < nodes_.size(); ++h) {
    if (is_member(h)) all.push_back(h);
  }
  return all;
}

cluster_size membership_world::size() {
  cluster_size now;
  for (host h : members()) {
    const membership::core& c = *core(h);
    ++now.members;
    now.known = std::max(now.known, c.table().size() + 1);
    now.health = std::max(now.health, c.health());
  }
  now.seeds_missing = nodes_.size() - now.members;
  return now;
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
      const membership::standing so = core(other)->own_standing();
      if (row->standing.boot != so.boot) {
        return name(observer) + " knows an earlier life of " + name(other);
      }
      if (row->standing.state != membership::member_state::alive) {
        return name(observer) + " holds " + name(other) + " for " +
               std::string{membership::to_string(row->standing.state)};
      }
      if (row->standing.incarnation != so.incarnation) {
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

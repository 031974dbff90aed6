#include "discovery/beacon_state_binding.hpp"

#include "base/state_hash.hpp"

namespace artillery::discovery {

// --- promises -------------------------------------------------------------------------------------------------------

std::error_code promises::announce(service& what) {
  const std::lock_guard lock{mutex_};
  if (stopped_) return errc::not_running;
  if (what.instance.none()) what.instance = random_.identity();
  const auto at = announced_.find(what.instance);
  if (at != announced_.end()) return at->second ? make_error_code(errc::already_running) : std::error_code{};
  if (announced_.size() >= announcer::services_max) return errc::would_overflow;
  announced_.emplace(what.instance, false);
  return {};
}

std::error_code promises::withdraw(const node_id& instance) {
  const std::lock_guard lock{mutex_};
  if (stopped_) return errc::not_running;
  const auto at = announced_.find(instance);
  if (at == announced_.end() || at->second) return errc::invalid_argument;
  at->second = true;
  return {};
}

void promises::withdrawn(const node_id& instance) {
  const std::lock_guard lock{mutex_};
  announced_.erase(instance);
}

std::error_code promises::browse(std::string_view type) {
  const std::lock_guard lock{mutex_};
  if (stopped_) return errc::not_running;
  if (browsed_.contains(type)) return {};
  if (browsed_.size() >= browser::browses_max) return errc::would_overflow;
  browsed_.emplace(type);
  return {};
}

void promises::stop_browse(std::string_view type) {
  const std::lock_guard lock{mutex_};
  if (const auto at = browsed_.find(type); at != browsed_.end()) browsed_.erase(at);
}

void promises::stop() {
  const std::lock_guard lock{mutex_};
  stopped_ = true;
}

// --- life -----------------------------------------------------------------------------------------------------------

beacon::state::state(asio::any_io_executor executor, config given, core_config of_core, std::uint64_t seed)
    : driver{std::move(executor),
             {"discovery", given.log, {}, nullptr},
             discovery::core{of_core, detail::random{seed}}},
      options{std::move(given)},
      node{of_core.node},
      sound{detail::mix64(seed)},
      events{options.event_queue_max, [this](std::uint64_t count) {
               events_lost_ += count;
               return event{overflow{count}};
             }} {}

std::error_code beacon::state::on_start() {
  if (const std::string problem = options.validate(); !problem.empty()) {
    log(log_level::error, problem);
    return errc::invalid_configuration;
  }
  const auto received = [this](std::uint64_t interface_index, const endpoint& from, const bytes& message) {
    receive_datagram(interface_index, from, message);
    publish();
  };
  const auto changed = [this](std::vector<interface> usable) {
    call([&](core_type& c, time_point now, core_effects& out) { c.interfaces_changed(std::move(usable), now, out); });
    publish();
  };
  sockets.emplace(*this, options, received, changed);
  if (const auto error = sockets->open()) return error;
  call([&](core_type& c, time_point, core_effects&) { c.answer_at(sockets->answer_port()); });
  sockets->look();
  return {};
}

void beacon::state::on_stop(std::error_code why) {
  publish();
  if (sockets) sockets->close();
  sound.stop();
  events.close(why);
  withdrawing.close(why);
  seeking.close(why);
}

void beacon::state::on_event(core_event what) {
  if (auto* fact = std::get_if<event>(&what)) {
    events.push(std::move(*fact));
  } else if (const auto* gone = std::get_if<withdrawn>(&what)) {
    sound.withdrawn(gone->instance);
    const auto waiting = withdraw_numbers.extract(gone->instance);
    if (!waiting.empty()) withdrawing.complete(waiting.mapped(), {});
  } else if (auto* answer = std::get_if<sought>(&what)) {
    if (answer->found)
      seeking.complete(answer->request, {}, std::move(*answer->found));
    else
      seeking.complete(answer->request, errc::timed_out, {});
  }
}

// --- the user's calls, on the strand --------------------------------------------------------------------------------

void beacon::state::announce(const service& what) {
  call([&](core_type& c, time_point now, core_effects& out) {
    // `sound` has seen to it that this is not refused.
    [[maybe_unused]] const auto error = c.announce(what, now, out);
  });
  publish();
}

void beacon::state::withdraw(const node_id& instance, std::uint64_t number, run_done done) {
  withdraw_numbers[instance] = number;
  withdrawing.add(number, std::move(done));
  std::error_code error;
  call([&](core_type& c, time_point now, core_effects& out) { error = c.withdraw(instance, now, out); });
  if (error) withdrawing.complete(number, error);
}

void beacon::state::browse(const std::string& type) {
  report_static_peers(type);
  call([&](core_type& c, time_point now, core_effects& out) {
    [[maybe_unused]] const auto error = c.browse(type, now, out);
  });
}

void beacon::state::seek(const std::string& type, duration timeout, std::uint64_t number, seek_done done) {
  seeking.add(number, std::move(done));
  std::error_code error;
  call([&](core_type& c, time_point now, core_effects& out) { error = c.seek(number, type, now + timeout, now, out); });
  if (error) seeking.complete(number, error, {});
}

void beacon::state::cancel_seek(std::uint64_t number) {
  call([&](core_type& c, time_point, core_effects&) { c.stop_seek(number); });
  seeking.cancel(number);
}

/// A static peer is a service of whatever type is asked for: nobody says which, and only trying tells.
void beacon::state::report_static_peers(std::string_view type) {
  for (const endpoint& peer : options.static_peers) {
    found fact;
    fact.what.type = type;
    fact.what.protocol = "static";
    fact.what.name = to_string(peer);
    fact.what.instance = {detail::hash_name("static peer"), detail::state_hash{}.add(peer).value() | 1U};
    fact.what.endpoints = {peer};
    events.push(std::move(fact));
  }
}

// --- figures --------------------------------------------------------------------------------------------------------

void beacon::state::publish() {
  figures now;
  now.core = core().counters();
  now.services_known = core().services_known();
  now.nodes_known = core().nodes_known();
  now.interfaces = core().interfaces_used();
  now.send_errors = sockets ? sockets->send_errors() : 0;
  now.truncated = sockets ? sockets->truncated() : 0;
  now.events_lost = events_lost_;
  const std::lock_guard lock{figures_mutex};
  published = now;
}

void beacon::state::visit_figures(const metric_visitor& visit) const {
  figures f;
  {
    const std::lock_guard lock{figures_mutex};
    f = published;
  }
  visit("discovery.services_known", f.services_known);
  visit("discovery.nodes_known", f.nodes_known);
  visit("discovery.interfaces", f.interfaces);
  visit("discovery.received", f.core.received);
  visit("discovery.echoes", f.core.echoes);
  visit("discovery.dropped.malformed", f.core.malformed + f.truncated);
  visit("discovery.dropped.foreign_cluster", f.core.foreign_cluster);
  visit("discovery.dropped.checksum", f.core.checksum_mismatches);
  visit("discovery.dropped.unsupported", f.core.unsupported);
  visit("discovery.dropped.off_link", f.core.off_link);
  visit("discovery.announcements_stale", f.core.stale);
  visit("discovery.announcements_refused", f.core.refused);
  visit("discovery.services_evicted", f.core.evicted);
  visit("discovery.questions_repeated", f.core.questions_repeated);
  visit("discovery.questions_limited", f.core.questions_limited);
  visit("discovery.sent.announcements", f.core.announcements_sent);
  visit("discovery.sent.goodbyes", f.core.goodbyes_sent);
  visit("discovery.sent.questions", f.core.questions_sent);
  visit("discovery.sent.offers", f.core.offers_sent);
  visit("discovery.send_errors", f.send_errors);
  visit("discovery.events_lost", f.events_lost);
}

}  // namespace artillery::discovery

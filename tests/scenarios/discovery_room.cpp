#include "scenarios/discovery_words.hpp"
#include "scenarios/room.hpp"
#include "sim/discovery_node.hpp"

namespace artillery::scenarios {

using namespace discovery;

namespace {

using namespace std::chrono_literals;

/// Nodes on one link. Commands: docs/scenarios.md.
class discovery_room final : public room, public sim::discovery_observer {
public:
  discovery_room() {
    stage_.play(*this);
    stage_.story.hide("link");
  }

  bool obey(const command& what) override;
  stage& on() override { return stage_; }
  [[nodiscard]] duration settling() const override { return 0ms; }

  described describe(const utterance& what) override { return words_.describe(what); }
  void after_input(const std::string&) override {}

  void happened(sim::host at, const core_event& what, time_point now) override;
  // What travels is told by the stage.
  void sending(sim::host, const endpoint&, bytes_view, time_point) override {}
  void hearing(sim::host, const endpoint&, bytes_view, time_point) override {}
  void heard(sim::host, time_point) override {}

private:
  struct resident {
    sim::host place = 0;
    core_config config;
    std::uint64_t lives = 0;
  };

  void add_node(const command& what);
  void restart(const command& what);
  void announce(const command& what);
  void withdraw(const command& what);
  void browse(const command& what);
  void seek(const command& what);
  void babble(const command& what);
  void tell_counters(const command& what);

  [[nodiscard]] std::unique_ptr<sim::discovery_node> make_node(resident& who);
  [[nodiscard]] resident& node_named(const command& what, std::size_t place);
  void ask(const command& what, const std::function<std::error_code(core&, time_point, core_effects&)>& call);
  [[nodiscard]] node_id instance_named(const std::string& name) { return {detail::hash_name(name), 1}; }

  stage stage_{1ms, true, "=>"};
  discovery_words words_;
  sim::discovery_link link_;
  std::map<std::string, resident> residents_;
  std::vector<std::string> names_;  // by place
  std::uint64_t last_request_ = 0;
};

bool discovery_room::obey(const command& what) {
  const std::string& name = what.name();
  if (name == "node") {
    add_node(what);
  } else if (name == "restart") {
    restart(what);
  } else if (name == "announce") {
    announce(what);
  } else if (name == "withdraw") {
    withdraw(what);
  } else if (name == "browse") {
    browse(what);
  } else if (name == "seek") {
    seek(what);
  } else if (name == "babble") {
    babble(what);
  } else if (name == "counted") {
    tell_counters(what);
  } else {
    return false;
  }
  return true;
}

// --- who takes part ---

/// `on=A`: another process on A's host, with a private port of its own.
void discovery_room::add_node(const command& what) {
  const std::string name = what.word(1);
  if (residents_.contains(name)) what.fail(name + " is there already");
  if (residents_.empty()) stage_.story.start_clock(stage_.now());
  endpoint at = sim::discovery_link::place(names_.size());
  if (const auto neighbour = what.option("on")) {
    if (!residents_.contains(*neighbour)) what.fail("there is no node " + *neighbour);
    at = stage_.at(*neighbour).with_port(static_cast<std::uint16_t>(at.port() + names_.size()));
  }
  resident added{.place = names_.size(), .config = {}};
  added.config.cluster = what.option("cluster", "default");
  added.config.announce_interval = what.duration_option("interval").value_or(added.config.announce_interval);
  added.config.node = {detail::hash_name(name), 7};
  words_.name_realm(name, realm::of(added.config.cluster));
  link_.hosts.push_back(at);
  names_.push_back(name);
  resident& kept = residents_[name] = added;
  stage_.add(name, at, make_node(kept));
}

void discovery_room::restart(const command& what) {
  resident& who = node_named(what, 1);
  if (stage_.is_up(what.word(1))) what.fail(what.word(1) + " is up");
  stage_.restart(what.word(1), make_node(who));
}

std::unique_ptr<sim::discovery_node> discovery_room::make_node(resident& who) {
  core_config config = who.config;
  config.epoch_us = ++who.lives * discovery_words::epochs_per_life;
  config.started = stage_.now();
  sim::discovery_observer& listener = *this;
  return std::make_unique<sim::discovery_node>(who.place, link_.hosts[who.place], config, config.node.high + who.lives,
                                               link_, listener);
}

discovery_room::resident& discovery_room::node_named(const command& what, std::size_t place) {
  const auto found = residents_.find(what.word(place));
  if (found == residents_.end()) what.fail("there is no node " + what.word(place));
  return found->second;
}

// --- what its user does ---

void discovery_room::ask(const command& what,
                         const std::function<std::error_code(core&, time_point, core_effects&)>& call) {
  const resident& who = node_named(what, 1);
  const std::string name = names_[who.place];
  const bool up = stage_.call(name, [this, name, call](sim::program& p, time_point now, network_effects& out) {
    static_cast<sim::discovery_node&>(p).call(
        [&](core& c, time_point at, core_effects& effects) {
          if (const auto error = call(c, at, effects)) stage_.tell("answer", name + ": " + error.message());
        },
        now, out);
  });
  if (!up) what.fail(name + " is down");
}

/// `announce A kv/disk`: type and name. A service listens at its host's own address unless `at=` says where.
void discovery_room::announce(const command& what) {
  const std::string title = what.word(2);
  const auto slash = title.find('/');
  if (slash == std::string::npos) what.fail("a service is written type/name, not " + title);
  service offered;
  offered.type = title.substr(0, slash);
  offered.protocol = "udp";
  offered.name = title.substr(slash + 1);
  offered.instance = instance_named(offered.name);
  const auto at = parse_endpoint(what.option("at", "0.0.0.0:9000"));
  if (!at) what.fail("at is an endpoint such as 10.0.0.1:9000");
  offered.endpoints = {*at};
  offered.load = static_cast<std::uint8_t>(what.number_option("load").value_or(0));
  offered.ttl = what.duration_option("ttl").value_or(duration{0});
  if (!offered.validate().empty()) what.fail(offered.validate());
  words_.name_service(offered.instance, offered.name);
  ask(what, [offered](core& c, time_point now, core_effects& out) { return c.announce(offered, now, out); });
}

void discovery_room::withdraw(const command& what) {
  const node_id instance = instance_named(what.word(2));
  ask(what, [instance](core& c, time_point now, core_effects& out) { return c.withdraw(instance, now, out); });
}

void discovery_room::browse(const command& what) {
  const std::string type = what.word(2);
  ask(what, [type](core& c, time_point now, core_effects& out) { return c.browse(type, now, out); });
}

void discovery_room::seek(const command& what) {
  constexpr duration patience = 1s;
  const std::string type = what.word(2);
  const duration within = what.duration_option("within").value_or(patience);
  const std::uint64_t request = ++last_request_;
  ask(what, [=](core& c, time_point now, core_effects& out) { return c.seek(request, type, now + within, now, out); });
}

/// Bytes that no node would send.
void discovery_room::babble(const command& what) {
  const std::string from = names_[node_named(what, 1).place];
  const endpoint to = link_.hosts[node_named(what, 2).place];
  std::string text;
  for (const std::string& word : what.words_from(3)) text += (text.empty() ? "" : " ") + word;
  stage_.call(from, [=](sim::program&, time_point, network_effects& out) {
    out.send(connection::datagram(to), as_bytes(text));
  });
}

// --- what is told ---

void discovery_room::happened(sim::host at, const core_event& what, time_point) {
  const auto* told = std::get_if<event>(&what);
  const bool of_link =
      told != nullptr && (std::holds_alternative<connected>(*told) || std::holds_alternative<isolated>(*told));
  stage_.tell(of_link ? "link" : "event", words_.event_text(names_[at], what));
}

void discovery_room::tell_counters(const command& what) {
  const std::string name = names_[node_named(what, 1).place];
  const auto* here = static_cast<const sim::discovery_node*>(stage_.actor(name));
  if (here == nullptr) what.fail(name + " is down");
  stage_.tell("status", name + " counted: " + discovery_words::counters_text(here->core().counters()));
}

}  // namespace

std::unique_ptr<room> make_discovery_room() {
  return std::make_unique<discovery_room>();
}

}  // namespace artillery::scenarios

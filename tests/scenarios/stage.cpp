#include "scenarios/stage.hpp"

#include <algorithm>
#include <iterator>

namespace artillery::scenarios {
namespace {

const std::string anybody = "*";

bytes gather(bytes_view header, std::span<const bytes> body) {
  std::string message{as_text(header)};
  for (const bytes& slice : body) message.append(slice.text());
  return bytes{message};
}

/// Whose disk is filled before somebody starts with it.
class nobody final : public sim::program {
public:
  void start(time_point, network_effects&) override {}
  void receive(const connection&, const bytes&, time_point, network_effects&) override {}
};

}  // namespace

/// A host's program, and an ear at all that it sends.
class stage::tapped final : public sim::program {
public:
  tapped(stage& on, std::string name, std::unique_ptr<sim::program> actor)
      : stage_{on}, name_{std::move(name)}, actor_{std::move(actor)} {}

  std::size_t recover(const std::vector<bytes>& records) override { return actor_->recover(records); }
  void start(time_point now, network_effects& out) override;
  void receive(const connection& from, const bytes& message, time_point now, network_effects& out) override;
  void link(const connection& which, link_state state, time_point now, network_effects& out) override;
  void completed(operation op, std::error_code error, time_point now, network_effects& out) override;
  void expire(time_point now, network_effects& out) override;
  [[nodiscard]] std::optional<time_point> next_deadline() const override { return actor_->next_deadline(); }

  void call(const std::function<void(sim::program&, time_point, network_effects&)>& input, time_point now,
            network_effects& out);
  [[nodiscard]] sim::program& actor() noexcept { return *actor_; }

private:
  friend class tap;

  stage& stage_;
  std::string name_;
  std::unique_ptr<sim::program> actor_;
  std::map<std::uint64_t, std::string> peers_;  // by stream
  std::set<std::uint64_t> spoken_;              // streams on which something was sent
};

class stage::tap final : public network_effects {
public:
  tap(tapped& from, network_effects& out) : from_{from}, out_{out} {}

  using network_effects::send;
  void send(const connection& to, bytes_view header, std::span<const bytes> body) override {
    const auto peer = from_.peers_.find(to.number);
    utterance said{
        .from = from_.name_,
        .to = to.is_stream ? (peer == from_.peers_.end() ? "?" : peer->second) : from_.stage_.name_at(to.peer),
        .message = gather(header, body),
        .on_stream = to.is_stream};
    if (to.is_stream) {
      said.first = from_.spoken_.insert(to.number).second;
      said.opened_here = to.outgoing();
    }
    from_.stage_.pass_on(said, to, out_);
  }
  void open(std::uint64_t number, const endpoint& to) override {
    from_.peers_[number] = from_.stage_.name_at(to);
    out_.open(number, to);
  }
  void close(std::uint64_t number) override { out_.close(number); }
  void persist(operation op, std::span<const bytes> slices) override { out_.persist(op, slices); }

private:
  tapped& from_;
  network_effects& out_;
};

void stage::tapped::start(time_point now, network_effects& out) {
  tap ear{*this, out};
  stage_.handle(name_, [&] { actor_->start(now, ear); });
}
void stage::tapped::receive(const connection& from, const bytes& message, time_point now, network_effects& out) {
  tap ear{*this, out};
  stage_.handle(name_, [&] { actor_->receive(from, message, now, ear); });
}
void stage::tapped::link(const connection& which, link_state state, time_point now, network_effects& out) {
  tap ear{*this, out};
  if (state == link_state::up && !which.outgoing()) peers_[which.number] = stage_.name_at(which.peer);
  if (state == link_state::up || state == link_state::down) {
    stage_.tell("link", name_ + ": the stream " + (which.outgoing() ? "to " : "from ") + peers_[which.number] +
                            (state == link_state::up ? " opens" : " is down"));
  }
  stage_.handle(name_, [&] { actor_->link(which, state, now, ear); });
}
void stage::tapped::completed(operation op, std::error_code error, time_point now, network_effects& out) {
  tap ear{*this, out};
  stage_.handle(name_, [&] { actor_->completed(op, error, now, ear); });
}
void stage::tapped::expire(time_point now, network_effects& out) {
  tap ear{*this, out};
  stage_.handle(name_, [&] { actor_->expire(now, ear); });
}
void stage::tapped::call(const std::function<void(sim::program&, time_point, network_effects&)>& input, time_point now,
                         network_effects& out) {
  tap ear{*this, out};
  stage_.handle(name_, [&] { input(*actor_, now, ear); });
}

void stage::handle(const std::string& host, const std::function<void()>& input) {
  in_input_ = true;
  input();
  in_input_ = false;
  narrator_->after_input(host);
  for (const auto& tell : std::exchange(unsaid_, {})) tell();
}

// --- hosts ---

void stage::add(const std::string& name, const endpoint& at, std::unique_ptr<sim::program> actor) {
  // The name first: what the program says while it starts is told under it.
  hosts_[name] = world_.hosts();
  world_.add(at, std::make_unique<tapped>(*this, name, std::move(actor)));
}

void stage::restart(const std::string& name, std::unique_ptr<sim::program> actor) {
  world_.restart(hosts_.at(name), std::make_unique<tapped>(*this, name, std::move(actor)));
}

void stage::add_with_disk(const std::string& name, const endpoint& at, std::unique_ptr<sim::program> actor,
                          const std::vector<bytes>& records) {
  const sim::host added = world_.add(at, std::make_unique<nobody>());
  world_.crash(added);
  world_.set_disk(added, records);
  world_.set_disk_faults(added, {.delay_mean = std::chrono::milliseconds{2}});
  hosts_[name] = added;
  restart(name, std::move(actor));
}

sim::program* stage::actor(const std::string& name) {
  sim::program* found = world_.running(hosts_.at(name));
  return found == nullptr ? nullptr : &static_cast<tapped*>(found)->actor();
}

bool stage::call(const std::string& name, std::function<void(sim::program&, time_point, network_effects&)> input) {
  return world_.call(hosts_.at(name),
                     [input = std::move(input)](sim::program& p, time_point now, network_effects& out) {
                       static_cast<tapped&>(p).call(input, now, out);
                     });
}

std::string stage::name_at(const endpoint& at) const {
  std::string same_address = to_string(at);
  for (const auto& [name, host] : hosts_) {
    if (host >= world_.hosts()) continue;  // it is just being added
    if (world_.at(host) == at) return name;
    // A stream that somebody else opened comes from a port of its own.
    if (world_.at(host).with_port(0) == at.with_port(0)) same_address = name;
  }
  return same_address;
}

// --- messages ---

stage::rule* stage::rule_for(const utterance& said, const std::string& kind) {
  const auto found = std::find_if(rules_.begin(), rules_.end(), [&](const rule& r) {
    return (r.from == anybody || r.from == said.from) && (r.to == anybody || r.to == said.to) &&
           (r.kinds.empty() || r.kinds.contains(kind) || (!said.on_stream && r.kinds.contains("datagrams"))) &&
           r.times_left > 0;
  });
  return found == rules_.end() ? nullptr : &*found;
}

/// What was sent on a stream does not overtake what is held on it.
bool stage::is_behind_held(const utterance& said, const connection& to) const {
  return said.on_stream && std::any_of(held_.begin(), held_.end(),
                                       [&](const held_message& h) { return h.from == said.from && h.on == to; });
}

std::string stage::remark_of(const utterance& said, const connection& to) const {
  if (said.on_stream && broken_.contains({said.from, to.number})) return "lost with the stream";
  const auto receiver = hosts_.find(said.to);
  if (receiver == hosts_.end() || !world_.is_up(receiver->second)) return "nobody is there";
  if (!cuts_.contains({said.from, said.to})) return {};
  return said.on_stream ? "stuck: the way is cut" : "lost: the way is cut";
}

void stage::tell_message(const utterance& said, const described& what, const std::string& remark) {
  if (said.from == said.to) return;  // an echo of a broadcast
  const std::string arrow = said.on_stream ? stream_arrow_ : "->";
  const auto tell = [=, this] {
    story.message(what.kind, said.from + " " + arrow, said.to, what.text, remark, world_.now());
  };
  if (in_input_) {
    unsaid_.emplace_back(tell);
  } else {
    tell();
  }
}

void stage::pass_on(const utterance& said, const connection& to, network_effects& out) {
  const described what = narrator_->describe(said);
  rule* const found = rule_for(said, what.kind);
  if (found != nullptr && found->times_left != ~std::uint64_t{0}) --found->times_left;
  if ((found != nullptr && found->what == fate::held) || is_behind_held(said, to)) {
    held_.push_back({said.from, said.to, to, said.message, what, said.on_stream});
    return tell_message(said, what, "held");
  }
  if (found == nullptr) {
    tell_message(said, what, remark_of(said, to));
    return out.send(to, said.message);
  }
  if (found->what == fate::lost) return tell_message(said, what, "lost");
  tell_message(said, what, "lost: the stream breaks");
  broken_.insert({said.from, to.number});
  const sim::host from = hosts_.at(said.from);
  const sim::host receiver = hosts_.at(said.to);
  constexpr std::uint32_t surely = 1000;
  world_.set_faults(from, receiver, fixed(delay_, surely));
  out.send(to, said.message);
  world_.set_faults(from, receiver, fixed(delay_));
}

// --- commands ---

const std::string& stage::known(const command& what, std::size_t place, bool or_any) const {
  const std::string& name = what.word(place);
  if (!hosts_.contains(name) && !(or_any && name == anybody)) what.fail("there is no " + name);
  return name;
}

bool stage::obey(const command& what) {
  const std::string& name = what.name();
  if (name == "run") {
    world_.run_for(what.duration_word(1));
  } else if (name == "show" || name == "hide") {
    for (const std::string& kind : what.words_from(1)) name == "show" ? story.show(kind) : story.hide(kind);
  } else if (name == "crash") {
    world_.crash(hosts_.at(known(what, 1)));
  } else if (name == "unplug") {
    world_.power_off(hosts_.at(known(what, 1)));
  } else if (name == "pause") {
    world_.pause(hosts_.at(known(what, 1)));
  } else if (name == "resume") {
    world_.resume(hosts_.at(known(what, 1)));
  } else {
    return obey_faults(what);
  }
  return true;
}

bool stage::obey_faults(const command& what) {
  const std::string& name = what.name();
  if (name == "lose") {
    make_rule(what, fate::lost);
  } else if (name == "hold") {
    make_rule(what, fate::held);
  } else if (name == "break") {
    make_rule(what, fate::breaks);
  } else if (name == "release") {
    release(what);
  } else if (name == "cut") {
    cuts_.insert({known(what, 1), known(what, 2)});
    world_.cut(hosts_.at(what.word(1)), hosts_.at(what.word(2)));
  } else if (name == "split") {
    split(what);
  } else if (name == "heal") {
    cuts_.clear();
    std::erase_if(rules_, [](const rule& r) { return r.what == fate::lost; });
    world_.heal();
  } else {
    return false;
  }
  return true;
}

void stage::make_rule(const command& what, fate outcome) {
  const std::uint64_t always = ~std::uint64_t{0};
  const bool or_any = outcome != fate::held;  // what is held is released by name
  const std::string& from = known(what, 1, or_any);
  const std::string& to = known(what, 2, or_any);
  const auto kinds = what.words_from(3);
  const std::uint64_t times = what.number_option("times").value_or(outcome == fate::breaks ? 1 : always);
  rules_.push_back({outcome, from, to, {kinds.begin(), kinds.end()}, times});
}

/// Hands over what was held between two hosts, all or some kinds, in the order in which it was sent or the other way
/// round.
void stage::release(const command& what) {
  const std::string& from = known(what, 1);
  const std::string& to = known(what, 2);
  auto kinds = what.words_from(3);
  const bool reversed = std::erase(kinds, "reversed") > 0;
  const std::set<std::string> wanted{kinds.begin(), kinds.end()};
  for (rule& r : rules_) {
    if (r.what != fate::held || r.from != from || r.to != to) continue;
    for (const std::string& kind : wanted) r.kinds.erase(kind);
    if (wanted.empty() || r.kinds.empty()) r.times_left = 0;
  }
  std::erase_if(rules_, [](const rule& r) { return r.times_left == 0; });
  std::vector<held_message> going;
  const auto goes = [&](const held_message& h) {
    return h.from == from && h.to == to && (wanted.empty() || wanted.contains(h.what.kind));
  };
  std::copy_if(held_.begin(), held_.end(), std::back_inserter(going), goes);
  std::erase_if(held_, goes);
  if (going.empty()) what.fail("nothing of that is held between " + from + " and " + to);
  if (reversed) std::reverse(going.begin(), going.end());
  for (const held_message& h : going) {
    tell_message({.from = h.from, .to = h.to, .message = h.message, .on_stream = h.on_stream}, h.what, "released");
    const bool sent = world_.call(hosts_.at(from),
                                  [h](sim::program&, time_point, network_effects& out) { out.send(h.on, h.message); });
    if (!sent) what.fail(from + " is down");
  }
}

/// Those named on one side, everybody else on the other.
void stage::split(const command& what) {
  std::vector<sim::host> side;
  const auto names = what.words_from(1);
  for (std::size_t i = 0; i < names.size(); ++i) side.push_back(hosts_.at(known(what, i + 1)));
  for (const auto& [a, host_a] : hosts_) {
    for (const auto& [b, host_b] : hosts_) {
      const bool a_inside = std::find(names.begin(), names.end(), a) != names.end();
      const bool b_inside = std::find(names.begin(), names.end(), b) != names.end();
      if (a_inside != b_inside) cuts_.insert({a, b});
    }
  }
  world_.partition(side);
}

}  // namespace artillery::scenarios

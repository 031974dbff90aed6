#include <algorithm>

#include "scenarios/membership_words.hpp"
#include "scenarios/room.hpp"
#include "sim/membership_host.hpp"

namespace artillery::scenarios {

using namespace membership;

namespace {

using namespace std::chrono_literals;

/// Members of one cluster. Commands: docs/scenarios.md.
class membership_room final : public room, private sim::membership_observer {
public:
  membership_room() {
    stage_.play(*this);
    for (const char* kind : {"ping", "ack", "ping_with_news", "ack_with_news", "gossip", "push_pull", "link"})
      stage_.story.hide(kind);
  }

  bool obey(const command& what) override;
  stage& on() override { return stage_; }
  [[nodiscard]] duration settling() const override { return 0ms; }

  described describe(const utterance& what) override { return words_.describe(what); }
  void after_input(const std::string& host) override;

private:
  /// One process after the other on a host.
  struct resident {
    endpoint at;
    std::uint64_t boots = 0;
    std::vector<endpoint> seeds;
    tag_map tags;
    std::string called;  // as its host, unless told
  };
  struct told_of_process {
    std::uint64_t refutations = 0;
    std::uint64_t pauses = 0;
    bool left = false;
  };

  void delivered(std::size_t process, const event& what, time_point now) override;
  void sent_datagram(std::size_t, std::size_t, time_point) override {}
  void ended(std::size_t process, const finished_call& what, time_point now) override;
  void came(std::size_t process, const query_news& what, time_point now) override;

  void form_cluster(const command& what);
  void start(const command& what);
  void restart(const command& what);
  void set_tags(const command& what);
  void tell_members(const command& what);
  bool obey_talk(const command& what);
  void send(const command& what);
  void query(const command& what);
  void answer(const command& what);
  void ask(const command& what, const std::function<std::error_code(core&, time_point, core::effects_type&)>& call);
  [[nodiscard]] std::unique_ptr<sim::membership_host> make_process(const std::string& name);
  [[nodiscard]] bool all_see_all();
  [[nodiscard]] const core* core_of(const std::string& name);
  [[nodiscard]] const std::string& member_named(const command& what, std::size_t place) const;
  resident& settle(const std::string& name);

  stage stage_{1ms, true, "=>"};
  membership_words words_;
  config config_;
  std::uint64_t seed_ = 1;
  std::map<std::string, resident> residents_;
  std::vector<std::string> processes_;  // by number: whose it is
  std::vector<told_of_process> told_;
  std::map<std::string, membership::query> asked_;  // the last question that a member was told
  std::map<std::uint64_t, std::string> calls_;      // what was to be done by each
};

/// `role:db`, `zone:a` … as tags.
tag_map tags_of(const command& what, const std::vector<std::string>& words) {
  tag_map tags;
  for (const std::string& word : words) {
    const auto colon = word.find(':');
    if (colon == std::string::npos) what.fail("a tag is written key:value, not " + word);
    tags[word.substr(0, colon)] = word.substr(colon + 1);
  }
  return tags;
}

/// A word, and dots up to the size that is wanted.
std::string payload_of(const command& what, std::size_t place) {
  std::string payload = what.word(place);
  payload.resize(std::max<std::size_t>(payload.size(), what.number_option("size").value_or(0)), '.');
  return payload;
}

bool membership_room::obey(const command& what) {
  const std::string& name = what.name();
  if (name == "cluster") {
    form_cluster(what);
  } else if (name == "start") {
    start(what);
  } else if (name == "restart") {
    restart(what);
  } else if (name == "members") {
    tell_members(what);
  } else if (name == "tags") {
    set_tags(what);
  } else if (name == "leave") {
    ask(what, [](core& c, time_point now, auto& out) { return c.leave(now, out); });
  } else {
    return obey_talk(what);
  }
  return true;
}

bool membership_room::obey_talk(const command& what) {
  const std::string& name = what.name();
  if (name == "broadcast") {
    const std::string topic = what.word(2);
    const std::string payload = payload_of(what, 3);
    ask(what, [=](core& c, time_point now, auto& out) { return c.broadcast(topic, payload, now, out); });
  } else if (name == "send") {
    send(what);
  } else if (name == "query") {
    query(what);
  } else if (name == "answer") {
    answer(what);
  } else {
    return false;
  }
  return true;
}

// --- who takes part ---

/// All start at once, and the story begins when everybody knows everybody and has nothing more to tell.
void membership_room::form_cluster(const command& what) {
  constexpr duration patience = 30s;
  constexpr duration all_is_told = 5s;
  const auto names = what.words_from(1);
  seed_ = what.number_option("seed").value_or(seed_);
  config_.probe_interval = what.duration_option("probe_interval").value_or(config_.probe_interval);
  config_.probe_timeout = what.duration_option("probe_timeout").value_or(config_.probe_timeout);
  config_.push_pull_interval = what.duration_option("push_pull_interval").value_or(config_.push_pull_interval);
  config_.gossip_to_failed = what.duration_option("gossip_to_failed").value_or(config_.gossip_to_failed);
  config_.reconnect_interval = what.duration_option("reconnect_interval").value_or(config_.reconnect_interval);
  config_.gap_wait = what.duration_option("gap_wait").value_or(config_.gap_wait);
  config_.datagram_max = what.number_option("datagram_max").value_or(config_.datagram_max);
  config_.events_replayed = what.number_option("events_replayed").value_or(config_.events_replayed);
  if (!config_.validate().empty()) what.fail(config_.validate());
  stage_.story.mute(true);
  for (const std::string& name : names) {
    resident& added = settle(name);
    if (name != names.front()) added.seeds.push_back(stage_.at(names.front()));
    stage_.add(name, added.at, make_process(name));
  }
  if (!stage_.run_until([this] { return all_see_all(); }, patience)) what.fail("the cluster did not form");
  stage_.run_for(all_is_told);
  stage_.story.mute(false);
  stage_.story.start_clock(stage_.now());
}

membership_room::resident& membership_room::settle(const std::string& name) {
  const auto number = static_cast<std::uint8_t>(residents_.size() + 1);
  resident& added = residents_[name];
  added.at = endpoint::v4(10, 0, 0, number, 7946);
  return added;
}

bool membership_room::all_see_all() {
  return std::all_of(residents_.begin(), residents_.end(), [this](const auto& each) {
    return stage_.has(each.first) && core_of(each.first)->present() + 1 == residents_.size();
  });
}

void membership_room::start(const command& what) {
  const std::string& name = what.word(1);
  if (residents_.contains(name)) what.fail(name + " is there already: restart it");
  const auto seed = what.option("seed");
  if (seed && !stage_.has(*seed)) what.fail("there is no " + *seed);
  const auto tags = what.option("tags");
  if (residents_.empty()) stage_.story.start_clock(stage_.now());
  resident& added = settle(name);
  if (seed) added.seeds.push_back(stage_.at(*seed));
  if (tags) added.tags = tags_of(what, {*tags});
  added.called = what.option("called").value_or("");
  stage_.add(name, added.at, make_process(name));
}

void membership_room::restart(const command& what) {
  const std::string& name = member_named(what, 1);
  if (stage_.is_up(name)) what.fail(name + " is up");
  if (const auto seed = what.option("seed")) residents_[name].seeds = {stage_.at(*seed)};
  stage_.restart(name, make_process(name));
}

std::unique_ptr<sim::membership_host> membership_room::make_process(const std::string& name) {
  resident& here = residents_[name];
  const std::uint64_t number = detail::hash_name(name);
  const identity who{.id = {number, seed_}, .boot = ++here.boots};
  words_.name_node(who.id, name);
  config own = config_;
  own.name = here.called.empty() ? name : here.called;
  own.tags = here.tags;
  const std::size_t process = processes_.size();
  processes_.push_back(name);
  told_.emplace_back();
  const detail::random random = detail::random{seed_}.fork(name + std::to_string(here.boots));
  sim::membership_observer& listener = *this;
  return std::make_unique<sim::membership_host>(process, core{std::move(own), who, random}, here.at, here.seeds,
                                                listener);
}

const std::string& membership_room::member_named(const command& what, std::size_t place) const {
  const std::string& name = what.word(place);
  if (!residents_.contains(name)) what.fail("there is no member " + name);
  return name;
}

// --- what its user does ---

void membership_room::ask(const command& what,
                          const std::function<std::error_code(core&, time_point, core::effects_type&)>& call) {
  const std::string name = member_named(what, 1);
  const bool up = stage_.call(name, [this, name, call](sim::program& p, time_point now, network_effects& out) {
    static_cast<sim::membership_host&>(p).run(
        [&](core& c, time_point at, core::effects_type& effects) {
          if (const auto error = call(c, at, effects)) stage_.tell("answer", name + ": " + error.message());
        },
        now, out);
  });
  if (!up) what.fail(name + " is down");
}

void membership_room::set_tags(const command& what) {
  const tag_map tags = tags_of(what, what.words_from(2));
  ask(what, [tags](core& c, time_point now, auto& out) { return c.set_tags(tags, now, out); });
}

void membership_room::send(const command& what) {
  const node_id to{detail::hash_name(member_named(what, 2)), seed_};
  const std::string topic = what.word(3);
  const std::string payload = payload_of(what, 4);
  const std::uint64_t call = calls_.size() + 1;
  calls_[call] = "the message to " + what.word(2);
  const send_options how{.delivery = delivery::reliable,
                         .timeout = what.duration_option("within").value_or(send_options{}.timeout)};
  ask(what, [=](core& c, time_point now, auto& out) { return c.send(call, to, topic, payload, how, now, out); });
}

void membership_room::query(const command& what) {
  query_options options;
  options.timeout = what.duration_option("within").value_or(options.timeout);
  if (const auto tags = what.option("tags")) options.tags = tags_of(what, {*tags});
  const std::string topic = what.word(2);
  const std::string payload = payload_of(what, 3);
  const std::uint64_t call = calls_.size() + 1;
  calls_[call] = "the question";
  ask(what, [=](core& c, time_point now, auto& out) { return c.query(call, topic, payload, options, now, out); });
}

/// The last question that this member was told.
void membership_room::answer(const command& what) {
  const auto found = asked_.find(member_named(what, 1));
  if (found == asked_.end()) what.fail(what.word(1) + " was asked nothing");
  const membership::query asked = found->second;
  const std::string payload = payload_of(what, 2);
  ask(what,
      [=](core& c, time_point now, auto& out) { return c.answer(asked.origin, asked.number, payload, now, out); });
}

// --- what is told ---

const core* membership_room::core_of(const std::string& name) {
  const auto* found = static_cast<const sim::membership_host*>(stage_.actor(name));
  return found == nullptr ? nullptr : &found->core();
}

void membership_room::delivered(std::size_t process, const event& what, time_point) {
  if (const auto* asked = std::get_if<membership::query>(&what)) asked_[processes_[process]] = *asked;
  stage_.tell("event", words_.event_text(processes_[process], what));
}

void membership_room::ended(std::size_t process, const finished_call& what, time_point) {
  const std::string end = what.error ? "ends: " + what.error.message() : "is there";
  stage_.tell("answer", processes_[process] + ": " + calls_[what.call] + " " + end);
}

void membership_room::came(std::size_t process, const query_news& what, time_point) {
  const std::string& asker = processes_[process];
  if (const auto* one = std::get_if<membership::answer>(&what.what)) {
    stage_.tell("answer", asker + " is answered " + membership_words::payload_text(one->payload) + " by " +
                              words_.name_of(one->from));
  } else {
    const auto& end = std::get<query_end>(what.what);
    stage_.tell("answer", asker + ": " + calls_[what.call] + " ends: of " + std::to_string(end.asked) + " asked, " +
                              std::to_string(end.heard) + " heard it and " + std::to_string(end.answered) +
                              " answered");
  }
}

void membership_room::after_input(const std::string& host) {
  const auto* found = static_cast<const sim::membership_host*>(stage_.actor(host));
  if (found == nullptr) return;
  const core& here = found->core();
  told_of_process& told = told_[found->process()];
  if (here.counted().pauses_noticed > told.pauses) stage_.tell("state", host + " notices that it was stopped");
  if (here.counted().refutations > told.refutations) {
    stage_.tell("state", host + " refutes that (incarnation " + std::to_string(here.self().incarnation) + ")");
  }
  if (here.has_left() && !told.left) stage_.tell("state", host + " has left");
  told = {here.counted().refutations, here.counted().pauses_noticed, here.has_left()};
}

void membership_room::tell_members(const command& what) {
  const std::string& name = member_named(what, 1);
  const core* const here = core_of(name);
  if (here == nullptr) what.fail(name + " is down");
  std::string text;
  for (const member& each : here->members()) text += (text.empty() ? "" : ", ") + words_.member_text(each);
  stage_.tell("status", name + " knows: " + text);
}

}  // namespace

std::unique_ptr<room> make_membership_room() {
  return std::make_unique<membership_room>();
}

}  // namespace artillery::scenarios

#include <algorithm>

#include "scenarios/replication_words.hpp"
#include "scenarios/room.hpp"
#include "scenarios/view_register.hpp"
#include "sim/chain_client.hpp"
#include "sim/chain_replica.hpp"

namespace artillery::scenarios {

using namespace replication;

namespace {

using namespace std::chrono_literals;

/// A chain, its clients, and what they say. Commands: docs/scenarios.md.
class replication_room final : public room {
public:
  replication_room() {
    stage_.play(*this);
    // What all links say all the time.
    for (const char* kind : {"hello", "welcome", "view", "ping", "position", "committed", "link", "read", "read_reply",
                             "write", "write_reply", "serving"})
      stage_.story.hide(kind);
  }

  bool obey(const command& what) override;
  stage& on() override { return stage_; }
  [[nodiscard]] duration settling() const override { return 20ms; }

  described describe(const utterance& what) override { return words_.describe(what); }
  void after_input(const std::string& host) override;

private:
  /// What was last told of a replica.
  struct told_of_replica {
    std::size_t events = 0;
    std::uint64_t commit = 0;
    tail_state tail = tail_state::none;
    std::map<std::string, std::uint64_t> pending;  // by key: the newest version, where it is dirty
  };

  void build_chain(const command& what);
  void add_spare(const command& what);
  bool obey_views(const command& what);
  void change(const command& what);
  void hint(const command& what);
  void put_question(const std::string& name, std::uint64_t life, const authority_question& question);
  void answer_question(const std::string& name, std::uint64_t life, const authority_question& question);
  void tell_tail(const std::string& host, const core& here, told_of_replica& told);
  void add_client(const command& what);
  void restart(const command& what);
  void put(const command& what);
  void erase(const command& what);
  void write(const command& what, const replication::write& asked, const std::string& text);
  void read(const command& what);
  void tell_status();
  void tell_objects(const std::string& host, const sim::replica_program& replica, told_of_replica& told);

  [[nodiscard]] std::unique_ptr<sim::replica_program> make_replica(std::size_t place, std::uint64_t incarnation);
  [[nodiscard]] std::size_t place_of(const std::string& name) const;
  [[nodiscard]] const sim::replica_program* replica(const std::string& name);
  [[nodiscard]] std::string client_of(const command& what) const;
  [[nodiscard]] static condition condition_of(const command& what);
  [[nodiscard]] static consistency level_of(const command& what);
  [[nodiscard]] std::string text_of(const event& what) const;
  [[nodiscard]] request_id remember(const std::string& text);
  [[nodiscard]] static node_id node(std::size_t place) { return {7, place + 1}; }
  [[nodiscard]] static endpoint place_at(std::uint8_t network, std::size_t place) {
    return endpoint::v4(10, 0, network, static_cast<std::uint8_t>(place + 1), 7000);
  }

  stage stage_{100us, false, "->"};
  replication_words words_;
  replica_config config_;
  view chain_;
  view_register register_;
  std::map<std::string, std::uint64_t> lives_;         // of a replica's process, where views change
  std::map<std::string, std::uint64_t> incarnations_;  // the latest
  std::vector<std::string> replicas_;
  std::vector<std::string> clients_;
  std::map<std::string, told_of_replica> told_;
  std::set<std::string> keys_;
  std::map<request_id, std::string> asked_;  // who asked for what
};

std::string answer_text(const read_result& result) {
  const std::string value = result.found() ? value_text(result.value->text()) : "absent";
  const std::string version = result.found() ? "version " + std::to_string(result.version.seq) + ", " : "";
  return value + " (" + version + (result.local ? "from its own memory)" : "after asking the tail)");
}

bool replication_room::obey(const command& what) {
  const std::string& name = what.name();
  if (name == "chain") {
    build_chain(what);
  } else if (name == "client") {
    add_client(what);
  } else if (name == "restart") {
    restart(what);
  } else if (name == "put") {
    put(what);
  } else if (name == "erase") {
    erase(what);
  } else if (name == "read") {
    read(what);
  } else if (name == "status") {
    tell_status();
  } else {
    return obey_views(what);
  }
  return true;
}

bool replication_room::obey_views(const command& what) {
  const std::string& name = what.name();
  if (name == "spare") {
    add_spare(what);
  } else if (name == "cut_off") {
    register_.cut_off(what.word(1));
  } else if (name == "mend") {
    register_.mend(what.word(1));
  } else if (name == "change") {
    change(what);
  } else if (name == "hint") {
    hint(what);
  } else {
    return false;
  }
  return true;
}

// --- who takes part ---

void replication_room::build_chain(const command& what) {
  replicas_ = what.words_from(1);
  if (replicas_.empty()) what.fail("a chain has at least one replica");
  const std::string mode = what.option("mode", "craq");
  if (mode != "craq" && mode != "cr") what.fail("the mode is craq or cr");
  config_.window_bytes_max = what.number_option("window").value_or(config_.window_bytes_max);
  config_.sessions_max = what.number_option("sessions").value_or(config_.sessions_max);
  config_.waiting_reads_max = what.number_option("waiting_reads").value_or(config_.waiting_reads_max);
  chain_.chain = config_.chain;
  chain_.epoch = 1;
  chain_.reads = mode == "cr" ? read_mode::tail_only : read_mode::apportioned;
  for (std::size_t i = 0; i < replicas_.size(); ++i) {
    chain_.replicas.push_back({{node(i), 1}, place_at(0, i)});
    words_.name_node(node(i), replicas_[i]);
  }
  if (const auto lease = what.duration_option("lease")) {
    chain_.leases = *lease == duration{0} ? lease_mode::none : lease_mode::timed;
    chain_.lease = *lease;
    for (const member& each : chain_.replicas) chain_.readers.push_back(each.id);
    config_.failed_after = what.duration_option("failed_after").value_or(50ms);
    config_.silence_max = 100ms;
    config_.authority_timeout = 20ms;
    config_.freeze_max = 20ms;
    config_.value_size_max = std::size_t{64} << 10U;
    config_.replicas_wanted = replicas_.size();
    config_.replicas_min = what.number_option("min").value_or(config_.replicas_min);
    config_.backlog_bytes_max = what.number_option("backlog").value_or(config_.backlog_bytes_max);
    register_.begin(chain_);
  }
  for (std::size_t i = 0; i < replicas_.size(); ++i) stage_.add(replicas_[i], place_at(0, i), make_replica(i, 1));
}

/// A node that is in no view at first.
void replication_room::add_spare(const command& what) {
  if (register_.newest().epoch == 0) what.fail("views change only in a chain with a lease");
  const std::size_t place = replicas_.size();
  replicas_.push_back(what.word(1));
  words_.name_node(node(place), replicas_.back());
  stage_.add(replicas_.back(), place_at(0, place), make_replica(place, 1));
}

std::unique_ptr<sim::replica_program> replication_room::make_replica(std::size_t place, std::uint64_t incarnation) {
  replica_config config = config_;
  config.self = {node(place), incarnation};
  sim::replica_callers callers;
  if (register_.newest().epoch != 0) {
    const std::string name = replicas_[place];
    const std::uint64_t life = ++lives_[name];
    incarnations_[name] = incarnation;
    callers.seat = sim::authority_seat{
        .listens_at = place_at(0, place),
        .ask = [this, name, life](const authority_question& question) { put_question(name, life, question); },
        .next_incarnation = [this, name] { return ++incarnations_[name]; }};
    callers.on_change = [this, name](request_id request, std::error_code error) {
      stage_.tell("answer", asked_.at(request) + ": " + (error ? error.message() : "done"));
    };
  }
  return std::make_unique<sim::replica_program>(config, chain_, place + 1, sim::replica_driving{}, std::move(callers));
}

// --- views that change ---

void replication_room::put_question(const std::string& name, std::uint64_t life, const authority_question& question) {
  if (!register_.reaches(name)) return;
  stage_.later(100us, [this, name, life, question] { answer_question(name, life, question); });
}

void replication_room::answer_question(const std::string& name, std::uint64_t life,
                                       const authority_question& question) {
  if (lives_.at(name) != life || !stage_.is_up(name)) return;
  const std::uint64_t before = register_.newest().epoch;
  const authority_answer answer = register_.answer(replica(name)->core().self(), question);
  const view& newest = register_.newest();
  if (newest.epoch != before) stage_.tell("register", "chosen, proposed by " + name + ": " + words_.text_of(newest));
  stage_.later(100us, [this, name, life, answer] {
    if (lives_.at(name) != life || !register_.reaches(name)) return;
    stage_.call(name, [answer](sim::program& p, time_point now, network_effects& out) {
      static_cast<sim::replica_program&>(p).answered(answer, now, out);
    });
  });
}

void replication_room::change(const command& what) {
  const std::string& at = what.word(1);
  const std::string& wanted = what.word(2);
  const std::size_t place = place_of(what.optional_word(3).value_or(at));
  if (place_of(at) == replicas_.size() || place == replicas_.size()) what.fail("there is no such replica");
  view_change asked;
  if (wanted == "add") {
    asked = view_change::add(node(place));
  } else if (wanted == "remove") {
    asked = view_change::remove(node(place));
  } else if (wanted == "promote") {
    asked = view_change::promote(node(place));
  } else if (wanted != "repair") {
    what.fail("a change is add, remove, promote or repair");
  }
  const request_id request = remember(at + ": " + wanted + " " + what.optional_word(3).value_or(""));
  stage_.call(at, [=](sim::program& p, time_point now, network_effects& out) {
    static_cast<sim::replica_program&>(p).change(request, asked, now + 1s, now, out);
  });
}

void replication_room::hint(const command& what) {
  const std::string& at = what.word(1);
  const std::size_t about = place_of(what.word(2));
  if (place_of(at) == replicas_.size() || about == replicas_.size()) what.fail("there is no such replica");
  stage_.call(at, [about](sim::program& p, time_point now, network_effects& out) {
    static_cast<sim::replica_program&>(p).hint(node(about), peer_hint::failed, now, out);
  });
}

void replication_room::add_client(const command& what) {
  const std::string& name = what.word(1);
  client_config config;
  config.attempt_timeout = what.duration_option("attempt").value_or(config.attempt_timeout);
  for (const member& replica : chain_.replicas) config.replicas.push_back(replica.at);
  if (config.replicas.empty()) what.fail("a client needs a chain");
  clients_.push_back(name);
  auto on_read = [this](request_id request, std::error_code error, const read_result& result) {
    stage_.tell("answer", asked_.at(request) + ": " + (error ? error.message() : answer_text(result)));
  };
  auto on_write = [this](request_id request, std::error_code error, const write_result& result) {
    stage_.tell("answer", asked_.at(request) + ": " + (error ? error.message() : result_text(result)));
  };
  stage_.add(name, place_at(1, clients_.size()),
             std::make_unique<sim::client_program>(config, 100 + clients_.size(), on_read, on_write));
}

void replication_room::restart(const command& what) {
  const std::string& name = what.word(1);
  const std::size_t place = place_of(name);
  if (place == replicas_.size()) what.fail("there is no replica " + name);
  if (stage_.is_up(name)) what.fail(name + " is up");
  told_.erase(name);
  stage_.restart(name, make_replica(place, what.number_option("incarnation").value_or(2)));
}

std::size_t replication_room::place_of(const std::string& name) const {
  return static_cast<std::size_t>(std::find(replicas_.begin(), replicas_.end(), name) - replicas_.begin());
}

// --- operations ---

std::string replication_room::client_of(const command& what) const {
  if (clients_.empty()) what.fail(what.name() + " needs a client");
  const std::string name = what.option("by", clients_.front());
  if (std::find(clients_.begin(), clients_.end(), name) == clients_.end()) what.fail("there is no client " + name);
  return name;
}

condition replication_room::condition_of(const command& what) {
  const auto wanted = what.option("if");
  if (!wanted) return {};
  if (*wanted == "absent") return condition::absent();
  return condition::is({1, what.number_option("if").value_or(0)});
}

consistency replication_room::level_of(const command& what) {
  const auto bound = what.option("bounded");
  if (bound && parse_duration(*bound)) return bounded(*what.duration_option("bounded"));
  if (bound) return bounded(static_cast<std::uint32_t>(what.number_option("bounded").value_or(0)));
  const std::string level = what.optional_word(3).value_or("strong");
  if (level == "eventual") return eventual;
  if (level != "strong") what.fail("a read is strong, eventual, or bounded=<time or records>");
  return strong;
}

request_id replication_room::remember(const std::string& text) {
  const request_id request = asked_.size() + 1;
  asked_[request] = text;
  return request;
}

void replication_room::put(const command& what) {
  const std::string& key = what.word(1);
  std::string value = what.word(2);
  value.resize(what.number_option("size").value_or(value.size()), '.');
  write(what, replication::write::put(key, value, condition_of(what)), "put " + key + "=" + value_text(value));
}

void replication_room::erase(const command& what) {
  write(what, replication::write::erase(what.word(1), condition_of(what)), "erase " + what.word(1));
}

void replication_room::write(const command& what, const replication::write& asked, const std::string& text) {
  keys_.insert(std::string{asked.key.text()});
  const std::string client = client_of(what);
  const request_id request = remember(client + ": " + text);
  const auto within = what.duration_option("within");
  stage_.call(client, [=](sim::program& p, time_point now, network_effects& out) {
    const auto deadline = within ? std::optional{now + *within} : std::nullopt;
    static_cast<sim::client_program&>(p).write(request, asked, deadline, now, out);
  });
}

void replication_room::read(const command& what) {
  const std::string& at = what.word(1);
  const std::string& key = what.word(2);
  const std::size_t place = place_of(at);
  if (place == replicas_.size() && at != "anywhere") what.fail("there is no replica " + at);
  const routing where = at == "anywhere" ? routing::any() : routing::to(node(place));
  const std::string client = client_of(what);
  const request_id request = remember(client + ": read " + key + (at == "anywhere" ? "" : " at " + at));
  const consistency level = level_of(what);
  const auto within = what.duration_option("within");
  stage_.call(client, [=](sim::program& p, time_point now, network_effects& out) {
    const auto deadline = within ? std::optional{now + *within} : std::nullopt;
    static_cast<sim::client_program&>(p).read(request, key, level, where, {}, deadline, now, out);
  });
}

// --- what is told ---

const sim::replica_program* replication_room::replica(const std::string& name) {
  if (place_of(name) == replicas_.size() || !stage_.has(name)) return nullptr;
  return static_cast<const sim::replica_program*>(stage_.actor(name));
}

void replication_room::after_input(const std::string& host) {
  const sim::replica_program* const here = replica(host);
  if (here == nullptr) return;
  told_of_replica& told = told_[host];
  for (; told.events < here->events().size(); ++told.events) {
    const event& what = here->events()[told.events];
    stage_.tell(what.what == event::kind::serving ? "serving" : "event", host + ": " + text_of(what));
  }
  const replica_status status = here->core().status();
  const bool commits = status.role == role::tail || status.role == role::single;
  if (commits && status.commit > told.commit) stage_.tell("state", host + ": commits " + std::to_string(status.commit));
  told.commit = status.commit;
  tell_tail(host, here->core(), told);
  tell_objects(host, *here, told);
}

void replication_room::tell_tail(const std::string& host, const core& here, told_of_replica& told) {
  const tail_state now = register_.newest().epoch == 0 ? tail_state::none : here.status().tail;
  if (now == told.tail) return;
  const tail_state before = std::exchange(told.tail, now);
  if (now == tail_state::none) return;
  const std::string epoch = " in epoch " + std::to_string(here.in_force().epoch);
  if (now == tail_state::gated) stage_.tell("tail", host + ": is the tail, behind a gate" + epoch);
  if (now == tail_state::open)
    stage_.tell("tail", host + ": " + (before == tail_state::frozen ? "thaws" : "opens") + epoch);
  if (now == tail_state::frozen) stage_.tell("tail", host + ": freezes" + epoch);
}

void replication_room::tell_objects(const std::string& host, const sim::replica_program& replica,
                                    told_of_replica& told) {
  const std::uint64_t commit = replica.core().status().commit;
  for (const std::string& key : keys_) {
    const std::uint64_t newest = replica.objects().fetch(key).version.seq;
    const auto known = told.pending.find(key);
    if (newest > commit) {
      if (known != told.pending.end() && known->second == newest) continue;
      told.pending[key] = newest;
      const std::uint64_t committed = replica.objects().fetch_at(key, commit).version.seq;
      stage_.tell("state", host + ": " + key + " is dirty (committed " + std::to_string(committed) + ", pending " +
                               std::to_string(newest) + ")");
    } else if (known != told.pending.end()) {
      told.pending.erase(known);
      stage_.tell("state", host + ": " + key + " is clean (committed " + std::to_string(newest) + ")");
    }
  }
}

std::string replication_room::text_of(const event& what) const {
  switch (what.what) {
    case event::kind::listening: return "listens";
    case event::kind::serving: return "serves in epoch " + std::to_string(what.epoch);
    case event::kind::learning: return "learns in epoch " + std::to_string(what.epoch);
    case event::kind::removed: return "is not in the view of epoch " + std::to_string(what.epoch) + " any more";
    case event::kind::displaced:
      return "is displaced: the view of epoch " + std::to_string(what.epoch) +
             " has its node under a later incarnation";
    case event::kind::not_serving:
      return "does not serve: the view of epoch " + std::to_string(what.epoch) + " does not list this incarnation";
    case event::kind::chain_stopped: return "the chain has stopped at " + words_.name_of(what.other);
    case event::kind::chain_resumed: return "the chain goes on";
    case event::kind::fenced:
      return "fenced: " + words_.name_of(what.other) + " holds another log, nothing is overwritten";
    case event::kind::overflow: return "some events were lost";
  }
  return "?";
}

void replication_room::tell_status() {
  for (const std::string& name : replicas_) {
    const sim::replica_program* const here = replica(name);
    if (here == nullptr) {
      stage_.tell("status", name + ": down");
      continue;
    }
    const replica_status status = here->core().status();
    const replica_counters& counted = here->core().counters();
    stage_.tell("status", name + ": last " + std::to_string(status.last) + ", commit " + std::to_string(status.commit) +
                              ", dirty objects " + std::to_string(status.dirty_objects) + ", questions to the tail " +
                              std::to_string(counted.watermark_queries));
  }
}

}  // namespace

std::unique_ptr<room> make_replication_room() {
  return std::make_unique<replication_room>();
}

}  // namespace artillery::scenarios

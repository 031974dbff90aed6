#include <algorithm>
#include <array>
#include <chrono>

#include "base/wire.hpp"
#include "replication/acceptor.hpp"
#include "replication/next_view.hpp"
#include "replication/proposer.hpp"
#include "scenarios/register_words.hpp"
#include "scenarios/room.hpp"

namespace artillery::scenarios {

namespace {

using namespace std::chrono_literals;

constexpr const char* cluster = "default";
constexpr std::uint64_t the_chain = 1;

/// A voter, and what its disk does.
class voter_actor final : public sim::program {
public:
  using told = std::function<void(const std::string&)>;
  voter_actor(replication::replica_id fresh, told tell) : fresh_{fresh}, tell_{std::move(tell)} {}

  std::size_t recover(const std::vector<bytes>& records) override {
    if (!records.empty()) found_ = replication::decode_voter(records.back()).state;
    return records.size();
  }
  void start(time_point now, network_effects& out) override {
    if (found_) {
      acceptor_.emplace(detail::cluster_tag(cluster), *found_, now);
      return tell_("votes on, as its disk says: " + text_of(*found_));
    }
    replication::voter_state fresh;
    fresh.chain = the_chain;
    fresh.self = fresh_;
    found_ = fresh;
    tell_("finds an empty disk, and is another voter");
    const std::array file{bytes::copy(replication::encode_voter(fresh))};
    out.persist(0, file);
  }
  void receive(const connection& from, const bytes& message, time_point now, network_effects& out) override {
    if (!acceptor_) return;
    sink watched{*this, out};
    acceptor_->receive(from, message, now, watched);
  }
  void completed(operation op, std::error_code error, time_point now, network_effects& out) override {
    if (op == 0) return void(acceptor_.emplace(detail::cluster_tag(cluster), *found_, now));
    tell_(error ? "its disk refused" : "is on disk");
    acceptor_->completed(op, error, now, out);
  }

private:
  class sink final : public network_effects {
  public:
    sink(voter_actor& self, network_effects& out) : self_{self}, out_{out} {}
    using network_effects::send;
    void send(const connection& to, bytes_view header, std::span<const bytes> body) override {
      out_.send(to, header, body);
    }
    void open(std::uint64_t, const endpoint&) override {}
    void close(std::uint64_t) override {}
    void persist(operation op, std::span<const bytes> slices) override {
      self_.tell_("writes " + text_of(replication::decode_voter(slices.front()).state));
      out_.persist(op, slices);
    }

  private:
    voter_actor& self_;
    network_effects& out_;
  };

  static std::string text_of(const replication::voter_state& state) {
    return "promised " + ballot_text(state.promised) + ", accepted epoch " + std::to_string(state.value.epoch);
  }

  replication::replica_id fresh_;
  told tell_;
  std::optional<replication::voter_state> found_;
  std::optional<replication::acceptor> acceptor_;
};

/// Who asks: a replica's process.
class asking_actor final : public sim::program {
public:
  using told = std::function<void(const replication::register_event&)>;
  asking_actor(const replication::proposer_config& config, std::uint64_t seed, told tell)
      : proposer_{config, detail::random{seed}}, tell_{std::move(tell)} {}

  void start(time_point, network_effects&) override {}
  void receive(const connection& from, const bytes& message, time_point now, network_effects& out) override {
    sink heard{*this, out};
    proposer_.receive(from, message, now, heard);
  }
  void expire(time_point now, network_effects& out) override {
    sink heard{*this, out};
    proposer_.expire(now, heard);
  }
  [[nodiscard]] std::optional<time_point> next_deadline() const override { return proposer_.next_deadline(); }
  void ask(const replication::replica_id& who, const replication::authority_question& question, time_point now,
           network_effects& out) {
    sink heard{*this, out};
    proposer_.ask(who, question, now, heard);
  }

private:
  class sink final : public effects<replication::register_event> {
  public:
    sink(asking_actor& self, network_effects& out) : self_{self}, out_{out} {}
    using network_effects::send;
    void send(const connection& to, bytes_view header, std::span<const bytes> body) override {
      out_.send(to, header, body);
    }
    void open(std::uint64_t, const endpoint&) override {}
    void close(std::uint64_t) override {}
    void persist(operation, std::span<const bytes>) override {}
    void deliver(replication::register_event event) override { self_.tell_(event); }

  private:
    asking_actor& self_;
    network_effects& out_;
  };

  replication::proposer proposer_;
  told tell_;
};

/// Voters that were founded with, and the processes that ask them. Commands: docs/scenarios.md.
class register_room final : public room {
public:
  register_room() { stage_.play(*this); }

  bool obey(const command& what) override;
  stage& on() override { return stage_; }
  [[nodiscard]] duration settling() const override { return 20ms; }
  described describe(const utterance& what) override {
    return describe_register(what, cluster, [this](const replication::replica_id& who) { return name_of(who); });
  }
  void after_input(const std::string&) override {}

private:
  void build(const command& what);
  void add_process(const std::string& name);
  void restart(const command& what);
  void ask(const std::string& name, const replication::authority_question& question);
  void drop(const command& what);
  void heard(const std::string& name, const replication::register_event& event);
  [[nodiscard]] std::unique_ptr<sim::program> voter(std::size_t i);
  [[nodiscard]] std::size_t place_of(const command& what, const std::vector<std::string>& in, std::size_t word) const;
  [[nodiscard]] std::string name_of(const replication::replica_id& who) const {
    return who.node.low <= processes_.size() ? processes_[who.node.low - 1] : "?";
  }
  [[nodiscard]] std::string text_of(const replication::view& seen) const {
    std::string text = "epoch " + std::to_string(seen.epoch) + " of";
    for (const replication::member& one : seen.replicas) text += " " + name_of(one.id);
    return text;
  }

  stage stage_{100us, false, "=>"};
  std::vector<std::string> voters_;
  std::vector<std::uint64_t> disks_;  // how many each voter has had
  std::vector<std::string> processes_;
  replication::view known_;  // the newest that anybody was told of
  replication::question_id asked_ = 0;
};

bool register_room::obey(const command& what) {
  const std::string& name = what.name();
  if (name == "voters") {
    build(what);
  } else if (name == "restart") {
    restart(what);
  } else if (name == "read") {
    (void)place_of(what, processes_, 1);
    ask(what.word(1), replication::authority_read{.id = ++asked_});
  } else if (name == "renew") {
    (void)place_of(what, processes_, 1);
    ask(what.word(1), replication::authority_renew{.id = ++asked_, .epoch = known_.epoch});
  } else if (name == "drop") {
    drop(what);
  } else {
    return false;
  }
  return true;
}

/// `voters A B C processes=2`: the processes are p1, p2 …, and the chain's replicas in the first view.
void register_room::build(const command& what) {
  voters_ = what.words_from(1);
  if (voters_.empty()) what.fail("a register has at least one voter");
  disks_.assign(voters_.size(), 1);
  const std::uint64_t count = what.number_option("processes").value_or(2);
  known_.chain = the_chain;
  known_.epoch = 1;
  known_.leases = replication::lease_mode::timed;
  known_.lease = 100ms;
  for (std::uint64_t i = 0; i < count; ++i) {
    processes_.push_back("p" + std::to_string(i + 1));
    known_.replicas.push_back({{{1, i + 1}, 1}, endpoint::v4(10, 0, 0, static_cast<std::uint8_t>(i + 1), 7000)});
    known_.readers.push_back(known_.replicas.back().id);
  }
  replication::proposer_config config;
  config.cluster = cluster;
  config.chain = the_chain;
  for (std::size_t v = 0; v < voters_.size(); ++v) {
    known_.voters.push_back({{{3, v + 1}, 1}, endpoint::v4(10, 0, 4, static_cast<std::uint8_t>(v + 1), 7400)});
  }
  config.voters = known_.voters;
  for (std::size_t v = 0; v < voters_.size(); ++v) {
    replication::voter_state founded;
    founded.chain = the_chain;
    founded.self = known_.voters[v].id;
    founded.genesis = replication::genesis_of(known_);
    founded.value = known_;
    stage_.add_with_disk(voters_[v], known_.voters[v].at, voter(v), {bytes::copy(replication::encode_voter(founded))});
  }
  config.genesis = replication::genesis_of(known_);
  for (std::size_t i = 0; i < processes_.size(); ++i) {
    config.node = {1, i + 1};
    const std::string name = processes_[i];
    stage_.add(name, endpoint::v4(10, 0, 5, static_cast<std::uint8_t>(i + 1), 7400),
               std::make_unique<asking_actor>(config, 40 + i, [this, name](const auto& event) { heard(name, event); }));
  }
}

std::unique_ptr<sim::program> register_room::voter(std::size_t i) {
  return std::make_unique<voter_actor>(replication::replica_id{{3, i + 1}, disks_[i]},
                                       [this, i](const auto& text) { stage_.tell("disk", voters_[i] + ": " + text); });
}

std::size_t register_room::place_of(const command& what, const std::vector<std::string>& in, std::size_t word) const {
  const auto found = std::find(in.begin(), in.end(), what.word(word));
  if (found == in.end()) what.fail("there is no " + what.word(word));
  return static_cast<std::size_t>(found - in.begin());
}

/// `restart A`, or `restart A disk=lost`.
void register_room::restart(const command& what) {
  const std::size_t which = place_of(what, voters_, 1);
  if (stage_.is_up(what.word(1))) what.fail(what.word(1) + " is up");
  const std::string disk = what.option("disk", "kept");
  if (disk != "kept" && disk != "lost") what.fail("a disk is kept or lost");
  if (disk == "lost") {
    ++disks_[which];
    stage_.lose_disk(what.word(1));
  }
  stage_.restart(what.word(1), voter(which));
}

void register_room::ask(const std::string& name, const replication::authority_question& question) {
  const std::size_t which =
      static_cast<std::size_t>(std::find(processes_.begin(), processes_.end(), name) - processes_.begin());
  const replication::replica_id who{{1, which + 1}, 1};
  stage_.call(name, [who, question](sim::program& p, time_point now, network_effects& out) {
    static_cast<asking_actor&>(p).ask(who, question, now, out);
  });
}

/// `drop p1 p2`: p1 proposes the next view without p2.
void register_room::drop(const command& what) {
  (void)place_of(what, processes_, 1);
  const std::size_t whom = place_of(what, processes_, 2);
  const std::array gone{replication::replica_id{{1, whom + 1}, 1}};
  const auto next = replication::without(known_, gone, true);
  if (!next) what.fail("there is no such view");
  ask(what.word(1), replication::authority_cas{.id = ++asked_, .expected = known_.epoch, .next = *next});
}

void register_room::heard(const std::string& name, const replication::register_event& event) {
  if (std::holds_alternative<replication::given_up>(event))
    return stage_.tell("answer", name + ": no majority answers");
  if (const auto* alarm = std::get_if<replication::voter_alarm>(&event)) {
    const std::string voter = voters_.at(alarm->configured.id.node.low - 1);
    const bool is_lost = alarm->what == replication::voter_alarm::kind::lost;
    return stage_.tell("answer", name + ": " + voter + (is_lost ? " is not the voter that it was" : " is of no use"));
  }
  const auto* answer = std::get_if<replication::authority_answer>(&event);
  if (answer == nullptr) return;
  if (const auto* view = std::get_if<replication::authority_view>(answer)) {
    known_ = view->newest.view;
    return stage_.tell("answer", name + ": in force is " + text_of(known_));
  }
  if (const auto* renewed = std::get_if<replication::authority_renewed>(answer)) {
    return stage_.tell("answer", name + (renewed->yes ? ": its epoch is still in force" : ": its epoch is over"));
  }
  const auto* done = std::get_if<replication::authority_cas_done>(answer);
  if (done == nullptr) return;
  using outcome = replication::authority_cas_done::outcome;
  if (done->now) known_ = done->now->view;
  const std::string fate = done->what == outcome::chosen    ? "chosen"
                           : done->what == outcome::refused ? "refused"
                                                            : "of unknown outcome";
  stage_.tell("answer", name + ": its view is " + fate + (done->now ? "; in force is " + text_of(known_) : ""));
}

}  // namespace

std::unique_ptr<room> make_register_room() {
  return std::make_unique<register_room>();
}

}  // namespace artillery::scenarios

#include "replication/quorum_binding.hpp"

#include <asio/error.hpp>
#include <utility>

#include "artillery/error.hpp"

namespace artillery::replication {
namespace {

net::driver_options quorum_driver_options(const quorum_config& given, std::shared_ptr<net::persister> writer) {
  net::driver_options options;
  options.component = "quorum";
  options.log = given.log;
  options.persister = std::move(writer);
  return options;
}

std::string explanation_of(const voter_alarm& alarm) {
  const std::string voter =
      "the voter " + to_string(alarm.configured.id.node) + " at " + to_string(alarm.configured.at);
  switch (alarm.what) {
    case voter_alarm::kind::other_genesis:
      return voter +
             " holds another first view: this chain was founded twice. Nothing was changed. Decide which view is "
             "meant, "
             "stop the nodes of the other one, and remove the directories of the voters that took it";
    case voter_alarm::kind::lost:
      return voter +
             " is not the one that this chain was founded with: its directory was lost or exchanged. It never votes "
             "again, the others go on while they are a majority. Put back the directory that it had, as it was last, "
             "or "
             "found a new chain before another voter is lost";
    case voter_alarm::kind::voters_disagree:
      return voter +
             " was founded with other voters than are configured here, and is not counted. Nothing was changed. The "
             "voters of a chain are fixed when it is founded: correct the list here, or the directory there";
    case voter_alarm::kind::wrong_node:
      return voter + " says that it is node " + to_string(alarm.voter.node) +
             ", and is not counted. Two nodes go by one id, or the list of voters names the wrong places: give each "
             "process a node id of its own, and correct the list";
  }
  return voter;
}

quorum_alarm::reason reason_of(voter_alarm::kind what) noexcept {
  switch (what) {
    case voter_alarm::kind::other_genesis: return quorum_alarm::reason::other_genesis;
    case voter_alarm::kind::lost: return quorum_alarm::reason::voter_lost;
    case voter_alarm::kind::voters_disagree: return quorum_alarm::reason::voters_disagree;
    case voter_alarm::kind::wrong_node: return quorum_alarm::reason::wrong_node;
  }
  return quorum_alarm::reason::wrong_node;
}

}  // namespace

std::vector<member> as_members(const std::vector<voter_place>& voters) {
  std::vector<member> all;
  for (const voter_place& one : voters) all.push_back({{one.node, 0}, one.at});
  return all;
}

proposer_config proposer_config_of(const quorum_config& given) {
  proposer_config config;
  config.cluster = given.cluster;
  config.chain = given.chain;
  config.node = given.node;
  config.voters = as_members(given.voters);
  config.resend = {given.resend, given.resend_max};
  config.contention = {given.contention, given.contention_max};
  config.patience = given.patience;
  return config;
}

void refuse(const quorum_binding::asker& waiting, std::error_code why) {
  std::visit(
      [&why](const auto& done) {
        using handler = std::decay_t<decltype(done)>;
        if constexpr (std::is_same_v<handler, authority::read_handler>) {
          done(why, {}, false);
        } else if constexpr (std::is_same_v<handler, authority::view_handler>) {
          done(why, {});
        } else if constexpr (std::is_same_v<handler, authority::quiet_handler>) {
          done(why, false);
        } else {
          done(why);
        }
      },
      waiting);
}

// --- the board ---

void quorum_board::post(const register_core& from) {
  const acceptor* voter = from.voter();
  std::vector<node_id> missing;
  for (const member& one : from.proposer().missing()) missing.push_back(one.id.node);
  const std::lock_guard lock{mutex_};
  status_.votes = voter != nullptr && !voter->is_silent();
  status_.epoch = voter == nullptr ? 0 : voter->state().value.epoch;
  status_.genesis = from.proposer().genesis();
  status_.missing.swap(missing);
  asked_ = from.proposer().counters();
  if (voter != nullptr) voted_ = voter->counters();
  misdirected_ = from.misdirected();
}

void quorum_board::bound_to(const endpoint& at) {
  const std::lock_guard lock{mutex_};
  bound_ = at;
  status_.is_running = true;
}

void quorum_board::stopped() {
  const std::lock_guard lock{mutex_};
  status_.is_running = false;
  status_.votes = false;
}

quorum_status quorum_board::status() const {
  const std::lock_guard lock{mutex_};
  return status_;
}

endpoint quorum_board::bound() const {
  const std::lock_guard lock{mutex_};
  return bound_;
}

void quorum_board::visit(const metric_visitor& visit) const {
  proposer_counters asked;
  acceptor_counters voted;
  std::uint64_t misdirected = 0;
  {
    const std::lock_guard lock{mutex_};
    asked = asked_;
    voted = voted_;
    misdirected = misdirected_;
  }
  visit("quorum.ballots", asked.ballots);
  visit("quorum.contentions", asked.contentions);
  visit("quorum.short_reads", asked.short_reads);
  visit("quorum.questions_given_up", asked.given_up);
  visit("quorum.questions_dropped", asked.dropped);
  visit("quorum.answers_malformed", asked.malformed);
  visit("quorum.voter.promises", voted.promises);
  visit("quorum.voter.accepts", voted.accepts);
  visit("quorum.voter.refusals", voted.refusals);
  visit("quorum.voter.renewals", voted.renewals);
  visit("quorum.voter.renewals_refused", voted.renewals_refused);
  visit("quorum.voter.reports", voted.reports);
  visit("quorum.voter.strangers", voted.strangers);
  visit("quorum.voter.other_chain", voted.other_chain);
  visit("quorum.voter.overflows", voted.overflows);
  visit("quorum.voter.malformed", voted.malformed);
  visit("quorum.misdirected", misdirected);
}

// --- the binding ---

quorum_binding::quorum_binding(asio::any_io_executor executor, quorum_config given, std::unique_ptr<quorum_board> board,
                               std::shared_ptr<voter_writer> writer, detail::random random)
    : driver{std::move(executor), quorum_driver_options(given, writer),
             watched_register{register_core{proposer_config_of(given), random.fork("proposer")}, *board}},
      options{std::move(given)},
      events{options.events_max, [](std::uint64_t lost) { return quorum_event{quorum_overflow{lost}}; }},
      board_{std::move(board)},
      writer_{std::move(writer)},
      fresh_{random.fork("voter").next()},
      later_{random.fork("later")},
      voters_{options.voters} {}

std::error_code quorum_binding::on_start() {
  if (const std::string fault = options.validate(); !fault.empty()) {
    log(log_level::error, "invalid configuration: " + fault);
    return errc::invalid_configuration;
  }
  if (!options.directory.empty()) {
    if (const auto error = take_directory()) return error;
  }
  net::datagram_options socket;
  socket.bind = where_to_bind();
  if (const auto error = open_datagrams(0, socket)) {
    log(log_level::error, "cannot listen at " + to_string(socket.bind) + ": " + error.message());
    return error;
  }
  board_->bound_to(datagrams_bound());
  log(log_level::info, (writer_->has_directory() ? "votes at " : "asks from ") + to_string(datagrams_bound()));
  starting.complete_all({}, datagrams_bound());
  return {};
}

/// A voter that comes back is looked for where it was when the chain was founded.
endpoint quorum_binding::where_to_bind() const {
  if (options.bind.port() != 0) return options.bind;
  for (const member& one : founded_with_) {
    if (one.id.node == options.node) return options.bind.with_port(one.at.port());
  }
  return options.bind;
}

std::error_code quorum_binding::take_directory() {
  voter_directory directory;
  const voter_problem problem =
      directory.open(options.directory, {options.chain, options.node, as_members(voters_), fresh_});
  if (problem) {
    log(log_level::error, problem.explanation);
    return problem.code;
  }
  call([&](watched_register& core, time_point now, effects<register_event>&) {
    core.use([&](register_core& c) { c.vote(directory.found(), now); });
  });
  founded_with_ = directory.found().value.voters;
  if (voters_.empty() && !founded_with_.empty()) {
    std::vector<voter_place> places;
    for (const member& one : founded_with_) places.push_back({one.id.node, one.at});
    use_voters(std::move(places));
  }
  writer_->use(std::move(directory), [weak = std::weak_ptr{weak_from_this()}](std::error_code error) {
    const auto self = std::static_pointer_cast<quorum_binding>(weak.lock());
    if (self != nullptr) net::submit(self, [error](quorum_binding& of) { of.disk_failed(error); });
  });
  return {};
}

void quorum_binding::disk_failed(std::error_code error) {
  if (!running()) return;
  raise(quorum_alarm::reason::disk_failed, options.node,
        "the voter of this node cannot write to " + options.directory + ": " + error.message() +
            ". It is silent from now on, since nobody knows what the disk holds. Mend the disk and start this process "
            "again with the same directory");
}

void quorum_binding::on_stop(std::error_code why) {
  writer_->release();
  board_->stopped();
  events.close(why);
  starting.close(why);
  founding_calls.close(why);
  for (const auto& [id, waiting] : std::exchange(asked_, {})) refuse(waiting, errc::not_running);
}

void quorum_binding::ready(std::uint64_t number, detail::completion<void(std::error_code, endpoint)> waiting) {
  if (running()) return waiting({}, datagrams_bound());
  starting.add(number, std::move(waiting));
}

void quorum_binding::use_voters(std::vector<voter_place> voters) {
  if (!voters_.empty()) {
    if (voters != voters_) log(log_level::warning, "another list of voters was dropped: they are known already");
    return;
  }
  voters_ = std::move(voters);
  call([this](watched_register& core, time_point now, effects<register_event>& out) {
    core.use([&](register_core& c) { c.use_voters(as_members(voters_), now, out); });
  });
}

void quorum_binding::found(std::uint64_t number, view first, founded waiting) {
  if (stopped()) return waiting(stopped(), view{});
  const bool is_first = first.chain == options.chain && first.epoch == 1 && first.voters.empty() && !check_view(first);
  if (!is_first) return waiting(errc::invalid_argument, view{});
  if (founding_ && *founding_ != first) return waiting(errc::already_running, view{});
  founding_calls.add(number, std::move(waiting));
  if (std::exchange(founding_, first)) return;
  call([&first](watched_register& core, time_point now, effects<register_event>& out) {
    core.use([&](register_core& c) { c.found(std::move(first), now, out); });
  });
}

void quorum_binding::ask(const replica_id& who, authority_question question, asker waiting) {
  const question_id id = ++last_id_;
  std::visit([id](auto& one) { one.id = id; }, question);
  asked_.emplace(id, std::move(waiting));
  const bool ran = call([&](watched_register& core, time_point now, effects<register_event>& out) {
    core.use([&](register_core& c) { c.ask(who, question, now, out); });
  });
  if (ran) return;
  if (const auto unheard = take(id)) refuse(*unheard, errc::not_running);
}

std::optional<quorum_binding::asker> quorum_binding::take(question_id id) {
  auto found = asked_.extract(id);
  if (found.empty()) return std::nullopt;
  return std::move(found.mapped());
}

// --- what the core tells ---

void quorum_binding::on_event(register_event what) {
  std::visit([this](const auto& one) { told(one); }, what);
}

void quorum_binding::told(const authority_answer& answer) {
  const auto waiting = take(std::visit([](const auto& one) { return one.id; }, answer));
  if (!waiting) return;
  if (const auto* newest = std::get_if<authority_view>(&answer)) {
    std::get<authority::read_handler> (*waiting)({}, newest->newest, newest->fences);
  } else if (const auto* done = std::get_if<authority_cas_done>(&answer)) {
    using outcome = authority_cas_done::outcome;
    if (done->what == outcome::unknown || !done->now) return refuse(*waiting, errc::outcome_unknown);
    const std::error_code error = done->what == outcome::chosen ? std::error_code{} : errc::stale_epoch;
    std::get<authority::view_handler> (*waiting)(error, *done->now);
  } else if (const auto* renewed = std::get_if<authority_renewed>(&answer)) {
    std::get<authority::done_handler> (*waiting)(renewed->yes ? std::error_code{} : errc::stale_epoch);
  } else if (const auto* quiet = std::get_if<authority_quieted>(&answer)) {
    std::get<authority::quiet_handler> (*waiting)({}, quiet->yes);
  }
}

void quorum_binding::told(const given_up& what) {
  if (const auto waiting = take(what.id)) refuse(*waiting, what.is_late ? errc::timed_out : errc::would_overflow);
}

void quorum_binding::told(const founding& result) {
  founding_.reset();
  switch (result.what) {
    case founding::outcome::founded:
      log(log_level::info, "the chain is founded");
      return founding_calls.complete_all({}, result.first);
    case founding::outcome::unfit: return founding_calls.complete_all(errc::invalid_argument, view{});
    case founding::outcome::other_genesis:
      log(log_level::error,
          "chain " + std::to_string(options.chain) +
              " was founded with another first view than the one given here; nothing was changed. Two lists of "
              "replicas, or two sets of nodes that were started apart, want to be the same chain: give this node the "
              "other's list, or another chain number; if the other is the mistake, stop its nodes and remove the "
              "directories of the voters that took it");
      return founding_calls.complete_all(errc::other_genesis, view{});
  }
}

void quorum_binding::told(const voter_alarm& what) {
  raise(reason_of(what.what), what.configured.id.node, explanation_of(what));
}

void quorum_binding::raise(quorum_alarm::reason why, const node_id& voter, std::string explanation) {
  log(log_level::error, explanation);
  events.push(quorum_alarm{why, voter, std::move(explanation)});
}

}  // namespace artillery::replication

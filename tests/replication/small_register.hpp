#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "base/wire.hpp"
#include "replication/acceptor.hpp"
#include "replication/proposer.hpp"

/// Voters and proposers of one register on a table: what they send lies in a queue until it is delivered, disks write
/// at once unless they are held, and time stands still until it is moved.
class small_register {
public:
  using register_event = artillery::replication::register_event;
  using replica_id = artillery::replication::replica_id;
  using view = artillery::replication::view;
  static constexpr std::uint64_t chain = 7;
  static constexpr artillery::duration lease = std::chrono::seconds{2};

  explicit small_register(std::size_t voters = 3, std::size_t proposers = 2) {
    for (std::size_t i = 0; i < voters; ++i) disks_.push_back(empty_disk(i, 1));
    for (std::size_t i = 0; i < voters; ++i) start_voter(i);
    told_.resize(proposers);
    for (std::size_t i = 0; i < proposers; ++i) start_proposer(i, i);
  }

  // --- who takes part ---
  static artillery::node_id voter_node(std::size_t i) { return {1, i + 1}; }
  static replica_id replica(std::size_t i) { return {{2, i + 1}, 1}; }
  static artillery::endpoint voter_place(std::size_t i) {
    return artillery::endpoint::v4(10, 0, 1, static_cast<std::uint8_t>(i), 7400);
  }
  static artillery::endpoint proposer_place(std::size_t i) {
    return artillery::endpoint::v4(10, 0, 2, static_cast<std::uint8_t>(i), 7400);
  }
  static std::uint32_t cluster() { return artillery::detail::cluster_tag("default"); }
  std::vector<artillery::replication::member> voters(std::uint64_t incarnation = 0) const {
    std::vector<artillery::replication::member> all;
    for (std::size_t i = 0; i < disks_.size(); ++i) all.push_back({{voter_node(i), incarnation}, voter_place(i)});
    return all;
  }

  /// A view of replicas `of`; its voters are those of the table in their first lives.
  view view_of(std::uint64_t epoch, const std::vector<std::size_t>& of) const {
    view v;
    v.chain = chain;
    v.epoch = epoch;
    for (const std::size_t i : of) v.replicas.push_back({replica(i), proposer_place(i)});
    v.voters = voters(1);
    v.leases = artillery::replication::lease_mode::timed;
    v.lease = lease;
    return v;
  }

  artillery::replication::acceptor& voter(std::size_t i) { return voters_.at(i).at(0); }
  artillery::replication::proposer& proposer(std::size_t i) { return proposers_.at(i).at(0); }
  void restart_voter(std::size_t i) { start_voter(i); }
  void lose_disk(std::size_t i, std::uint64_t incarnation) {
    disks_[i] = empty_disk(i, incarnation);
    start_voter(i);
  }
  /// Another process at the same place, which knows nothing of the one before.
  void restart_proposer(std::size_t i, std::uint64_t seed) { start_proposer(i, seed); }
  const artillery::replication::voter_state& disk(std::size_t i) const { return disks_[i]; }

  // --- what goes wrong ---
  void cut(std::size_t voter) { unreachable_.insert(voter); }
  void mend(std::size_t voter) { unreachable_.erase(voter); }
  /// Stops a proposer's process; what comes for it waits until `resume`.
  void pause(std::size_t proposer) { paused_.insert(proposer); }
  void resume(std::size_t proposer) {
    paused_.erase(proposer);
    std::deque<letter> held = std::exchange(held_, {});
    for (const letter& each : held) arrive(each);
    deliver();
  }
  void hold_disks() { disks_held_ = true; }
  void release_disks() {
    disks_held_ = false;
    while (!writes_.empty()) finish_write({});
  }
  void fail_write() { finish_write(std::make_error_code(std::errc::io_error)); }
  std::size_t writes_under_way() const { return writes_.size(); }

  // --- what happens ---
  void ask(std::size_t of, const artillery::replication::authority_question& question) {
    sink out{*this, proposer_place(of), of};
    proposer(of).ask(replica(of), question, now, out);
  }
  void found(std::size_t of, const view& first) {
    sink out{*this, proposer_place(of), of};
    proposer(of).found(first, now, out);
  }
  /// A datagram straight to a voter; its answers, if it has any now.
  std::vector<artillery::replication::register_reply> say(std::size_t to,
                                                          const artillery::replication::register_request& question) {
    std::vector<std::byte> datagram;
    encode(datagram, cluster(), question);
    sink out{*this, voter_place(to), to};
    replies_.clear();
    voter(to).receive(artillery::connection::datagram(by_hand()), datagram, now, out);
    while (!disks_held_ && !writes_.empty()) finish_write({});
    return replies_;
  }
  /// What voters answered by hand since the last `say`.
  const std::vector<artillery::replication::register_reply>& replies() const { return replies_; }

  /// All that is under way, and all that it causes.
  void deliver() {
    while (deliver_one()) {
    }
  }
  bool deliver_one() {
    if (mail_.empty()) return false;
    const letter next = std::move(mail_.front());
    mail_.pop_front();
    arrive(next);
    return true;
  }
  std::size_t under_way() const { return mail_.size(); }
  /// Keeps what is under way for `deliver_late`, as a slow network does.
  void delay() { late_.swap(mail_); }
  void deliver_late() {
    for (letter& each : late_) mail_.push_back(std::move(each));
    late_.clear();
    deliver();
  }

  /// Lets time pass, from one deadline to the next; everything arrives at once.
  void pass(artillery::duration length) {
    const artillery::time_point end = now + length;
    deliver();
    while (true) {
      std::optional<std::size_t> who;
      artillery::time_point when = end;
      for (std::size_t i = 0; i < proposers_.size(); ++i) {
        const auto due = proposer(i).next_deadline();
        if (due && *due <= when && !paused_.contains(i)) {
          who = i;
          when = *due;
        }
      }
      if (!who) break;
      now = std::max(now, when);
      sink out{*this, proposer_place(*who), *who};
      proposer(*who).expire(now, out);
      deliver();
    }
    now = end;
  }

  // --- what proposers were told ---
  const std::vector<register_event>& told(std::size_t of) const { return told_[of]; }
  /// The newest answer of this kind.
  template <class Answer>
  std::optional<Answer> answer(std::size_t of) const {
    for (auto each = told_[of].rbegin(); each != told_[of].rend(); ++each) {
      const auto* said = std::get_if<artillery::replication::authority_answer>(&*each);
      if (said != nullptr && std::holds_alternative<Answer>(*said)) return std::get<Answer>(*said);
    }
    return std::nullopt;
  }
  template <class Event>
  std::vector<Event> events(std::size_t of) const {
    std::vector<Event> all;
    for (const register_event& each : told_[of]) {
      if (const auto* event = std::get_if<Event>(&each)) all.push_back(*event);
    }
    return all;
  }

  artillery::time_point now{std::chrono::seconds{100}};

private:
  struct letter {
    artillery::endpoint from;
    artillery::endpoint to;
    artillery::bytes datagram;
  };
  struct write {
    std::size_t voter;
    artillery::operation op;
    artillery::replication::voter_state contents;
  };

  class sink final : public artillery::effects<register_event> {
  public:
    sink(small_register& table, const artillery::endpoint& self, std::size_t index)
        : table_{table}, self_{self}, index_{index} {}
    using network_effects::send;
    void send(const artillery::connection& to, artillery::bytes_view header,
              std::span<const artillery::bytes>) override {
      table_.mail_.push_back({self_, to.peer, artillery::bytes::copy(header)});
      if (to.peer != by_hand()) return;
      std::error_code error;
      table_.replies_.push_back(artillery::replication::decode_register_reply(header, cluster(), error).value());
      table_.mail_.pop_back();
    }
    void open(std::uint64_t, const artillery::endpoint&) override {}
    void close(std::uint64_t) override {}
    void persist(artillery::operation op, std::span<const artillery::bytes> slices) override {
      table_.writes_.push_back({index_, op, artillery::replication::decode_voter(slices.front()).state});
    }
    void deliver(register_event event) override { table_.told_[index_].push_back(std::move(event)); }

  private:
    small_register& table_;
    artillery::endpoint self_;
    std::size_t index_;
  };

  static artillery::endpoint by_hand() { return artillery::endpoint::v4(10, 0, 3, 0, 1); }
  static artillery::replication::voter_state empty_disk(std::size_t i, std::uint64_t incarnation) {
    artillery::replication::voter_state state;
    state.chain = chain;
    state.self = {voter_node(i), incarnation};
    return state;
  }
  void start_voter(std::size_t i) {
    std::erase_if(writes_, [i](const write& one) { return one.voter == i; });
    if (voters_.size() <= i) voters_.resize(i + 1);
    voters_[i] = {artillery::replication::acceptor{cluster(), disks_[i], now}};
  }
  void start_proposer(std::size_t i, std::uint64_t seed) {
    artillery::replication::proposer_config config;
    config.chain = chain;
    config.node = replica(i).node;
    config.voters = voters();
    if (proposers_.size() <= i) proposers_.resize(i + 1);
    proposers_[i] = {artillery::replication::proposer{config, artillery::detail::random{1000 + seed}}};
  }
  void arrive(const letter& what) {
    for (std::size_t i = 0; i < voters_.size(); ++i) {
      const bool is_lost = unreachable_.contains(i) && (what.to == voter_place(i) || what.from == voter_place(i));
      if (is_lost) return;
    }
    const auto from = artillery::connection::datagram(what.from);
    for (std::size_t i = 0; i < voters_.size(); ++i) {
      if (what.to != voter_place(i)) continue;
      sink out{*this, what.to, i};
      voter(i).receive(from, what.datagram, now, out);
      while (!disks_held_ && !writes_.empty()) finish_write({});
    }
    for (std::size_t i = 0; i < proposers_.size(); ++i) {
      if (what.to != proposer_place(i)) continue;
      if (paused_.contains(i)) {
        held_.push_back(what);
        continue;
      }
      sink out{*this, what.to, i};
      proposer(i).receive(from, what.datagram, now, out);
    }
  }
  void finish_write(std::error_code error) {
    const write done = writes_.front();
    writes_.pop_front();
    if (!error) disks_[done.voter] = done.contents;
    sink out{*this, voter_place(done.voter), done.voter};
    voter(done.voter).completed(done.op, error, now, out);
  }

  std::vector<artillery::replication::voter_state> disks_;
  std::vector<std::vector<artillery::replication::acceptor>> voters_;  // one in each: it is replaced as a whole
  std::vector<std::vector<artillery::replication::proposer>> proposers_;
  std::deque<letter> mail_;
  std::deque<letter> late_;
  std::deque<write> writes_;
  std::set<std::size_t> unreachable_;
  std::set<std::size_t> paused_;
  std::deque<letter> held_;  // for those that are paused
  std::vector<std::vector<register_event>> told_;
  std::vector<artillery::replication::register_reply> replies_;
  bool disks_held_ = false;
};

#pragma once

#include <map>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "artillery/error.hpp"
#include "sim/voted_authority.hpp"

namespace artillery::sim {

/// The part of one process that asks the voters.
class voted_authority::asking_program final : public program {
public:
  using told = std::function<void(const asker&, const replication::authority_answer&)>;
  asking_program(const replication::proposer_config& config, std::uint64_t seed, register_checks& checks, told tell)
      : proposer_{config, detail::random{seed}}, node_{config.node}, checks_{checks}, tell_{std::move(tell)} {}

  void start(time_point /*now*/, network_effects& /*out*/) override {}
  void receive(const connection& from, const bytes& message, time_point now, network_effects& out) override {
    with_sink(out, [&](auto& collected) { proposer_.receive(from, message, now, collected); });
  }
  void expire(time_point now, network_effects& out) override {
    with_sink(out, [&](auto& collected) { proposer_.expire(now, collected); });
  }
  [[nodiscard]] std::optional<time_point> next_deadline() const override { return proposer_.next_deadline(); }

  void ask(const asker& who, const replication::authority_question& question, time_point now, network_effects& out) {
    const replication::question_id id = std::visit([](const auto& one) { return one.id; }, question);
    asked_[id] = who;
    const member_life life{who.at, who.process};
    if (std::holds_alternative<replication::authority_read>(question)) checks_.asked_read(life, id);
    if (const auto* cas = std::get_if<replication::authority_cas>(&question)) checks_.asked_cas(life, *cas);
    with_sink(out, [&](auto& collected) { proposer_.ask(who.who, question, now, collected); });
  }

  /// A read that no replica asks for.
  void read(voted_authority::read_over done, time_point now, network_effects& out) {
    on_read_ = std::move(done);
    with_sink(out, [&](auto& collected) {
      proposer_.ask({node_, 0}, replication::authority_read{.id = own_read}, now, collected);
    });
  }
  [[nodiscard]] const replication::proposer& proposer() const noexcept { return proposer_; }

private:
  static constexpr replication::question_id own_read = ~replication::question_id{0};  // replicas count from 1

  class sink final : public effects<replication::register_event> {
  public:
    sink(network_effects& out, std::vector<replication::register_event>& events) : out_{out}, events_{events} {}
    using network_effects::send;
    void send(const connection& to, bytes_view header, std::span<const bytes> body) override {
      out_.send(to, header, body);
    }
    void open(std::uint64_t, const endpoint&) override {}
    void close(std::uint64_t) override {}
    void persist(artillery::operation, std::span<const bytes>) override {}
    void deliver(replication::register_event event) override { events_.push_back(std::move(event)); }

  private:
    network_effects& out_;
    std::vector<replication::register_event>& events_;
  };

  template <class Call>
  void with_sink(network_effects& out, Call call) {
    std::vector<replication::register_event> events;
    sink collected{out, events};
    call(collected);
    for (const replication::register_event& event : events) {
      if (const auto* late = std::get_if<replication::given_up>(&event)) {
        if (late->id == own_read) end_read(late->is_late ? errc::timed_out : errc::would_overflow);
      }
      const auto* answer = std::get_if<replication::authority_answer>(&event);
      if (answer == nullptr) continue;
      const replication::question_id id = std::visit([](const auto& one) { return one.id; }, *answer);
      if (id == own_read) end_read({});
      if (const auto asked = asked_.find(id); asked != asked_.end()) tell_(asked->second, *answer);
    }
  }
  void end_read(std::error_code error) {
    if (on_read_) std::exchange(on_read_, {})(error);
  }

  replication::proposer proposer_;
  node_id node_;
  register_checks& checks_;
  told tell_;
  voted_authority::read_over on_read_;
  std::map<replication::question_id, asker> asked_;
};

}  // namespace artillery::sim

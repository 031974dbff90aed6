#include "sim/register_voter.hpp"

#include <array>

namespace artillery::sim {

using replication::register_question;
using replication::voter_verdict;

namespace {

/// Of the write that makes an empty disk a voter's; the acceptor's own count from 1.
constexpr artillery::operation first_write = 0;

}  // namespace

/// Sees what the acceptor says, and what it writes.
class voter_program::sink final : public network_effects {
public:
  sink(voter_program& self, network_effects& out) : self_{self}, out_{out} {}
  using network_effects::send;
  void send(const connection& to, bytes_view header, std::span<const bytes> body) override {
    self_.answered(to, header);
    out_.send(to, header, body);
  }
  void open(std::uint64_t, const endpoint&) override {}
  void close(std::uint64_t) override {}
  void persist(artillery::operation op, std::span<const bytes> slices) override {
    self_.writes_[op] = replication::decode_voter(slices.front()).state;
    out_.persist(op, slices);
  }

private:
  voter_program& self_;
  network_effects& out_;
};

std::size_t voter_program::recover(const std::vector<bytes>& records) {
  const std::size_t oldest = disk_.completed == 0 ? 0 : disk_.completed - 1;
  for (std::size_t i = records.size(); i > oldest; --i) {
    auto read = replication::decode_voter(records[i - 1]);
    if (read.fault != replication::voter_fault::none) continue;
    found_ = std::move(read.state);
    disk_.durable = *found_;
    disk_.completed = i;
    return i;
  }
  disk_.is_damaged = disk_.completed != 0;
  return disk_.completed;
}

void voter_program::start(time_point now, network_effects& out) {
  if (disk_.is_damaged) return;
  if (found_) {
    checks_.came_back(self_.index, *found_, world_.now());
    acceptor_.emplace(self_.cluster, *found_, now);
    return;
  }
  replication::voter_state fresh;
  fresh.chain = self_.chain;
  fresh.self = self_.fresh;
  writes_[first_write] = fresh;
  const std::array file{bytes::copy(replication::encode_voter(fresh))};
  out.persist(first_write, file);
}

void voter_program::completed(artillery::operation op, std::error_code error, time_point now, network_effects& out) {
  if (!error) {
    disk_.durable = writes_[op];
    ++disk_.completed;
  }
  writes_.erase(op);
  if (op == first_write) {
    if (!error) acceptor_.emplace(self_.cluster, disk_.durable, now);
    return;
  }
  sink watched{*this, out};
  acceptor_->completed(op, error, now, watched);
}

void voter_program::receive(const connection& from, const bytes& message, time_point now, network_effects& out) {
  if (!acceptor_) return;
  std::error_code fault;
  if (auto question = replication::decode_register_request(message, self_.cluster, fault)) {
    asked_[{from.peer, question->number}] = std::move(*question);
  }
  sink watched{*this, out};
  acceptor_->receive(from, message, now, watched);
}

void voter_program::answered(const connection& to, bytes_view datagram) {
  std::error_code fault;
  const auto reply = replication::decode_register_reply(datagram, self_.cluster, fault);
  if (!reply) return checks_.fail("answers_are_sound", world_.now(), "voter " + std::to_string(self_.index));
  const auto asked = asked_.find({to.peer, reply->number});
  if (asked == asked_.end() || reply->verdict != voter_verdict::yes) return;
  const replication::register_request& question = asked->second;
  const time_point now = world_.now();
  switch (reply->what) {
    case register_question::identify:
    case register_question::report: return;
    case register_question::found: return checks_.founded(self_.index, question.value, disk_.durable, now);
    case register_question::prepare:
      return checks_.promised(self_.index, question.at, {reply->value, reply->at}, disk_.durable, now);
    case register_question::accept:
      return checks_.accepted(self_.index, question.at, question.value, disk_.durable, now);
    case register_question::renew: return checks_.said_yes(self_.index, question.asker, question.epoch, now);
  }
}

}  // namespace artillery::sim

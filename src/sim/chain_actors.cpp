#include "sim/chain_actors.hpp"

#include <algorithm>
#include <utility>

namespace artillery::sim {

using namespace replication;

// --- replica ---

/// The world's effects as the core's.
class replica_program::sink final : public core_effects {
public:
  sink(network_effects& out, time_point now, std::vector<event>& events) : out_{out}, now_{now}, events_{events} {}

  using network_effects::send;
  void send(const connection& to, bytes_view header, std::span<const bytes> body) override {
    out_.send(to, header, body);
  }
  void open(std::uint64_t number, const endpoint& to) override { out_.open(number, to); }
  void close(std::uint64_t number) override { out_.close(number); }
  void persist(operation op, std::span<const bytes> slices) override { out_.persist(op, slices); }
  void deliver(event event) override { events_.push_back(event); }
  void answer(request_id, std::error_code, const read_result&) override {}  // no calls of the own process here
  time_point sample_clock() override { return now_; }

private:
  network_effects& out_;
  time_point now_;
  std::vector<event>& events_;
};

replica_program::replica_program(const replica_config& config, const view& chain, std::uint64_t seed,
                                 const replica_driving& driving)
    : core_{config, detail::random{seed}.fork("core")},
      chain_{chain},
      random_{detail::random{seed}.fork("driving")},
      driving_{driving} {}

void replica_program::start(time_point now, network_effects& out) {
  sink effects{out, now, events_};
  core_.adopt(chain_, duration::max(), now, {now, *objects_, effects});
  after_input(now, out);
}

duration replica_program::pause() {
  return duration{
      static_cast<duration::rep>(random_.below(static_cast<std::uint64_t>(driving_.step_pause_max.count()) + 1))};
}

void replica_program::receive(const connection& from, const bytes& message, time_point now, network_effects& out) {
  const auto direct = note_direct_read(message, *published_);
  if (direct && random_.chance(driving_.direct_reads, 1000)) {
    const duration wait = pause();
    stepping_.push_back({now + wait, from, message, *direct, false, {}});
    return step_reads(now, out);
  }
  into_core(from, message, now, out);
}

void replica_program::into_core(const connection& from, const bytes& message, time_point now, network_effects& out) {
  const auto header = decode_header(message);
  bool of_clean_object = false;
  if (header && header->kind == frame_kind::read) {
    const auto request = decode_read_request(message);
    of_clean_object = request && request->level == strong &&
                      objects_->fetch(as_text(request->key)).version.seq <= core_.status().commit;
  }
  const std::uint64_t asked_before = core_.counters().dirty_reads;
  sink effects{out, now, events_};
  core_.receive(from, message, {now, *objects_, effects});
  if (of_clean_object) needless_questions_ += core_.counters().dirty_reads - asked_before;
  after_input(now, out);
}

void replica_program::step_reads(time_point now, network_effects& out) {
  for (std::size_t i = 0; i < stepping_.size();) {
    stepping_read& read = stepping_[i];
    if (read.next > now) {
      ++i;
      continue;
    }
    if (!read.fetched) {
      read.found = objects_->fetch(as_text(read.read.key));
      read.fetched = true;
      const duration wait = pause();
      read.next = now + wait;
      continue;
    }
    const stepping_read done = std::move(read);
    stepping_.erase(stepping_.begin() + static_cast<std::ptrdiff_t>(i));
    std::vector<std::byte> header;
    if (check_direct_read(done.read, *published_, done.found, now, header)) {
      core_.count_local_read(done.read.level);
      std::vector<bytes> body;
      if (done.found.value) body.push_back(*done.found.value);
      out.send(done.from, header, body);
    } else {
      ++broken_direct_reads_;
      into_core(done.from, done.frame, now, out);
    }
  }
}

void replica_program::link(const connection& which, link_state state, time_point now, network_effects& out) {
  sink effects{out, now, events_};
  core_.link(which, state, {now, *objects_, effects});
  if (state == link_state::down) {
    std::erase_if(stepping_, [&](const stepping_read& read) { return read.from.number == which.number; });
  }
  after_input(now, out);
}

void replica_program::expire(time_point now, network_effects& out) {
  step_reads(now, out);
  sink effects{out, now, events_};
  if (flush_at_ && *flush_at_ <= now) {
    flush_at_.reset();
    core_.flush({now, *objects_, effects});
    published_->publish(core_.serving());
  }
  const auto due = core_.next_deadline();
  if (due && *due <= now) {
    core_.expire({now, *objects_, effects});
    after_input(now, out);
  }
}

void replica_program::hint(const node_id& about, peer_hint what, time_point now, network_effects& out) {
  sink effects{out, now, events_};
  core_.hint(about, what, {now, *objects_, effects});
  after_input(now, out);
}

void replica_program::after_input(time_point now, network_effects& out) {
  if (driving_.flush_delay > duration{0}) {
    if (!flush_at_) flush_at_ = now + driving_.flush_delay;
    return;
  }
  sink effects{out, now, events_};
  core_.flush({now, *objects_, effects});
  published_->publish(core_.serving());
}

std::optional<time_point> replica_program::next_deadline() const {
  std::optional<time_point> next = core_.next_deadline();
  const auto consider = [&next](time_point when) { next = next ? std::min(*next, when) : when; };
  if (flush_at_) consider(*flush_at_);
  for (const stepping_read& read : stepping_) consider(read.next);
  return next;
}

// --- client ---

class client_program::sink final : public client_effects {
public:
  sink(network_effects& out, client_program& client) : out_{out}, client_{client} {}

  using network_effects::send;
  void send(const connection& to, bytes_view header, std::span<const bytes> body) override {
    out_.send(to, header, body);
  }
  void open(std::uint64_t number, const endpoint& to) override { out_.open(number, to); }
  void close(std::uint64_t number) override { out_.close(number); }
  void persist(operation op, std::span<const bytes> slices) override { out_.persist(op, slices); }
  void answer(request_id request, std::error_code error, const read_result& result) override {
    client_.on_read_(request, error, result);
  }
  void answer(request_id request, std::error_code error, const write_result& result) override {
    client_.on_write_(request, error, result);
  }

private:
  network_effects& out_;
  client_program& client_;
};

client_program::client_program(const client_config& config, std::uint64_t seed, read_answered on_read,
                               write_answered on_write)
    : core_{config, detail::random{seed}}, on_read_{std::move(on_read)}, on_write_{std::move(on_write)} {}

void client_program::start(time_point now, network_effects& out) {
  sink effects{out, *this};
  core_.start(now, effects);
}
void client_program::receive(const connection& from, const bytes& message, time_point now, network_effects& out) {
  sink effects{out, *this};
  core_.receive(from, message, now, effects);
}
void client_program::link(const connection& which, link_state state, time_point now, network_effects& out) {
  sink effects{out, *this};
  core_.link(which, state, now, effects);
}
void client_program::expire(time_point now, network_effects& out) {
  sink effects{out, *this};
  core_.expire(now, effects);
}
std::optional<time_point> client_program::next_deadline() const {
  return core_.next_deadline();
}
void client_program::read(request_id request, const bytes& key, const consistency& level, const routing& where,
                          std::optional<time_point> deadline, time_point now, network_effects& out) {
  sink effects{out, *this};
  core_.read(request, key, level, where, deadline, now, effects);
}
void client_program::write(request_id request, const replication::write& what, std::optional<time_point> deadline,
                           time_point now, network_effects& out) {
  sink effects{out, *this};
  core_.write(request, what, deadline, now, effects);
}

}  // namespace artillery::sim

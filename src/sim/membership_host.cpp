#include "sim/membership_host.hpp"

namespace artillery::sim {
namespace {

class sink final : public membership::core::effects_type {
public:
  sink(std::size_t process, time_point now, network_effects& out, membership_observer& observer)
      : process_{process}, now_{now}, out_{out}, observer_{observer} {}

  using network_effects::send;
  void send(const connection& to, bytes_view header, std::span<const bytes> body) override {
    std::size_t size = header.size();
    for (const bytes& slice : body) size += slice.size();
    if (!to.is_stream) observer_.sent_datagram(process_, size, now_);
    out_.send(to, header, body);
  }
  void open(std::uint64_t number, const endpoint& to) override { out_.open(number, to); }
  void close(std::uint64_t number) override { out_.close(number); }
  void persist(operation op, std::span<const bytes> slices) override { out_.persist(op, slices); }
  void deliver(membership::event event) override { observer_.delivered(process_, event, now_); }

private:
  std::size_t process_;
  time_point now_;
  network_effects& out_;
  membership_observer& observer_;
};

}  // namespace

void membership_host::start(time_point now, network_effects& out) {
  sink effects{process_, now, out, observer_};
  core_.start(at_, now, effects);
  for (const endpoint& at : seeds_) core_.add_seed(at, now, effects);
}

void membership_host::receive(const connection& from, const bytes& message, time_point now, network_effects& out) {
  sink effects{process_, now, out, observer_};
  if (!from.is_stream) observer_.heard_datagram(process_, message, now);
  core_.receive(from, message, now, effects);
  after_input(now);
}

void membership_host::link(const connection& which, link_state state, time_point now, network_effects& out) {
  sink effects{process_, now, out, observer_};
  core_.link(which, state, now, effects);
  tell_observer(now);
}

void membership_host::expire(time_point now, network_effects& out) {
  sink effects{process_, now, out, observer_};
  core_.expire(now, effects);
  after_input(now);
}

void membership_host::run(const call& what, time_point now, network_effects& out) {
  sink effects{process_, now, out, observer_};
  what(core_, now, effects);
  tell_observer(now);
}

void membership_host::tell_observer(time_point now) {
  for (const membership::finished_call& one : core_.take_finished()) observer_.ended(process_, one, now);
  for (const membership::query_news& one : core_.take_news()) observer_.came(process_, one, now);
  // A call may be all that it takes: who is alone has left at once.
  if (!told_gone_ && core_.has_left()) {
    told_gone_ = true;
    observer_.gone(process_, now);
  }
}

void membership_host::after_input(time_point now) {
  tell_observer(now);
  if (++inputs_ % inputs_per_check_ != 0) return;
  core_.check_invariants();
  observer_.look_at(process_, core_, now);
}

}  // namespace artillery::sim

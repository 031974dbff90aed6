#include "sim/discovery_node.hpp"

namespace artillery::sim {
namespace {

/// Turns broadcasts into unicasts, and shows the observer everything.
class fan_out final : public discovery::core_effects {
public:
  fan_out(host self, const discovery_link& link, discovery_observer& observer, time_point now, network_effects& out)
      : self_{self}, link_{link}, observer_{observer}, now_{now}, out_{out} {}

  void send(const connection& to, bytes_view header, std::span<const bytes> body) override {
    observer_.sending(self_, to.peer, header, now_);
    if (to.peer != link_.broadcast) return out_.send(to, header, body);
    for (const endpoint& host : link_.hosts) out_.send(connection::datagram(host), header, body);
  }
  void open(std::uint64_t, const endpoint&) override {}
  void close(std::uint64_t) override {}
  void persist(operation, std::span<const bytes>) override {}
  void deliver(discovery::core_event event) override { observer_.happened(self_, event, now_); }

private:
  host self_;
  const discovery_link& link_;
  discovery_observer& observer_;
  time_point now_;
  network_effects& out_;
};

}  // namespace

void discovery_node::start(time_point now, network_effects& out) {
  fan_out effects{self_, *link_, *observer_, now, out};
  core_.answer_at(own_.port());
  core_.interfaces_changed({{0, own_.with_port(0), link_->broadcast.with_port(0), link_->prefix_length}}, now, effects);
}

void discovery_node::receive(const connection& from, const bytes& message, time_point now, network_effects& out) {
  fan_out effects{self_, *link_, *observer_, now, out};
  observer_->hearing(self_, from.peer, message, now);
  core_.receive(from, message, now, effects);
  observer_->heard(self_, now);
}

void discovery_node::expire(time_point now, network_effects& out) {
  fan_out effects{self_, *link_, *observer_, now, out};
  core_.expire(now, effects);
}

void discovery_node::call(const input& what, time_point now, network_effects& out) {
  fan_out effects{self_, *link_, *observer_, now, out};
  what(core_, now, effects);
}

}  // namespace artillery::sim

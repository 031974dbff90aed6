// A user's own protocol in the simulator: one host pings, the other answers, over a network that loses a tenth.
#include <array>
#include <artillery/sim.hpp>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <optional>

namespace {

using namespace std::chrono_literals;

const artillery::endpoint ping_address = artillery::endpoint::v4(10, 0, 0, 1, 7000);
const artillery::endpoint pong_address = artillery::endpoint::v4(10, 0, 0, 2, 7000);
constexpr std::array<std::byte, 4> ping_message{};

class ping final : public artillery::sim::program {
public:
  void start(artillery::time_point now, artillery::network_effects&) override { next_ = now; }
  void receive(const artillery::connection&, const artillery::bytes&, artillery::time_point,
               artillery::network_effects&) override {
    ++answers;
  }
  void expire(artillery::time_point now, artillery::network_effects& out) override {
    if (now < next_) return;
    out.send(artillery::connection::datagram(pong_address), ping_message);
    next_ = now + 100ms;
  }
  std::optional<artillery::time_point> next_deadline() const override { return next_; }

  int answers = 0;

private:
  artillery::time_point next_;
};

class pong final : public artillery::sim::program {
public:
  void start(artillery::time_point, artillery::network_effects&) override {}
  void receive(const artillery::connection& from, const artillery::bytes&, artillery::time_point,
               artillery::network_effects& out) override {
    out.send(from, ping_message);
  }
};

struct outcome {
  int answers;
  std::uint64_t trace_hash;
};

outcome run(std::uint64_t seed) {
  artillery::sim::link_faults faults;
  faults.loss = 100;  // thousandths
  artillery::sim::world world{seed, faults};
  auto pinging = world.add(ping_address, std::make_unique<ping>());
  world.add(pong_address, std::make_unique<pong>());
  world.run_for(10s);
  return {static_cast<ping*>(world.running(pinging))->answers, world.trace_hash()};
}

}  // namespace

int main() {
  outcome first = run(1);
  outcome second = run(1);
  std::printf("%d answers, trace %llx\n", first.answers, static_cast<unsigned long long>(first.trace_hash));
  bool lost_some = first.answers > 50 && first.answers < 100;
  return lost_some && first.trace_hash == second.trace_hash ? 0 : 1;
}

// A protocol of one's own in the simulator: a durable counter, and a client that asks again until it hears an answer.
#include <array>
#include <artillery/sim.hpp>
#include <iostream>

using namespace artillery;
using namespace std::chrono_literals;
const endpoint counter_at = endpoint::v4(10, 0, 0, 1, 7000);

struct counter final : sim::program {
  explicit counter(bool careful) : remembers{careful} {}
  std::size_t recover(const std::vector<bytes>& records) override { return durable = count = records.size(); }
  void start(time_point, network_effects&) override {}
  void receive(const connection& from, const bytes& request, time_point, network_effects& out) override {
    asker = from;
    const bool is_new = !remembers || std::stoul(std::string{request.text()}) >= count;
    if (is_new) out.persist(++count, {&request, 1});
    if (!is_new && durable == count) out.send(from, request);
  }
  void completed(operation op, std::error_code, time_point, network_effects& out) override {
    durable = op;
    out.send(asker, as_bytes(std::to_string(op - 1)));
  }
  bool remembers;         // that it has done a request already
  std::size_t count = 0;  // records written, one for each increment
  std::size_t durable = 0;
  connection asker;
};
struct client final : sim::program {
  void start(time_point now, network_effects&) override { again = now; }
  void receive(const connection&, const bytes& answer, time_point now, network_effects&) override {
    if (answer == bytes{std::to_string(done)}) ++done, again = now;
  }
  void expire(time_point now, network_effects& out) override {
    out.send(connection::datagram(counter_at), as_bytes(std::to_string(done)));
    again = now + 20ms;
  }
  std::optional<time_point> next_deadline() const override { return again; }
  std::size_t done = 0;
  time_point again;
};
bool holds(std::uint64_t seed, bool careful) {
  sim::world world{seed, {.loss = 20, .duplication = 5, .reorder = 20}};
  const sim::host server = world.add(counter_at, std::make_unique<counter>(careful));
  const auto& user =
      dynamic_cast<client&>(*world.running(world.add(counter_at.with_port(1), std::make_unique<client>())));
  world.run_for(std::chrono::milliseconds{world.seed_for("crash") % 100});
  world.crash(server);
  world.restart(server, std::make_unique<counter>(careful));
  const std::size_t counted = dynamic_cast<counter&>(*world.running(server)).count;
  if (counted < user.done || counted > user.done + 1) return false;  // safety: nothing is lost, or counted twice
  world.set_faults({});                                              // then liveness, without faults: it goes on
  return world.run_until([&, target = user.done + 10] { return user.done >= target; }, 5s);
}
int main() {
  std::array<std::size_t, 2> wrong{};  // of a careless counter, and of a careful one
  for (std::uint64_t run = 0; run < 400; ++run) wrong[run % 2] += holds(run / 2, run % 2 == 1) ? 0U : 1U;
  std::cout << "wrong in " << wrong[0] << " of 200 seeds; when it remembers its requests, in " << wrong[1] << '\n';
  return wrong[0] > 0 && wrong[1] == 0 ? 0 : 1;
}

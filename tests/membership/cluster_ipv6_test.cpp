// All that clusters do for each other, over IPv6. Where this machine has none the test says so by its name.
#include <asio/ip/tcp.hpp>

#include "membership/running_cluster.hpp"

using namespace running;

namespace {

constexpr std::array<std::uint8_t, 16> loopback{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

bool has_ipv6() {
  asio::io_context context;
  asio::ip::tcp::acceptor probe{context};
  std::error_code error;
  probe.open(asio::ip::tcp::v6(), error);
  if (!error) probe.bind({asio::ip::address_v6::loopback(), 0}, error);
  return !error;
}

membership::config at_ipv6(std::string name) {
  membership::config config = quick(std::move(name));
  config.bind = endpoint::v6(loopback, 0);
  return config;
}

template <class Event>
const Event* first(const node& n) {
  for (const auto& e : n.kept->events) {
    if (const auto* found = std::get_if<Event>(&e)) return found;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("over IPv6 members join, hear events of any size, send, ask, leave and come back",
          "[membership][socket][ipv6]") {
  if (!has_ipv6()) {
    WARN("skipped: this machine has no IPv6 loopback");
    return;
  }
  asio::io_context context;
  node a{context, at_ipv6("a")};
  node b{context, at_ipv6("b")};
  membership::config own = at_ipv6("c");
  own.id = {7, 7};
  auto c = std::make_unique<node>(context, own);
  const endpoint seed = ready(context, a);
  CHECK(seed.is_v6());
  // One by address, one by name.
  b.cluster.add_seed(seed);
  CHECK_FALSE(c->cluster.add_seed("[::1]:" + std::to_string(seed.port())));
  const auto full = [&](const node& n) { return n.cluster.members().size() == 3; };
  REQUIRE(run_until(context, [&] { return full(a) && full(b) && full(*c); }));
  for (const membership::member& each : a.cluster.members()) CHECK(each.at.is_v6());

  std::optional<std::error_code> said;
  for (const std::size_t size : {std::size_t{10}, std::size_t{200'000}}) {
    c->cluster.async_broadcast("topic", std::string(size, 'x'), [&](std::error_code error) { said = error; });
  }
  REQUIRE(run_until(context,
                    [&] { return a.count<membership::user_event>() == 2 && b.count<membership::user_event>() == 2; }));
  CHECK_FALSE(said.value());

  std::optional<std::error_code> sent;
  a.cluster.async_send(b.cluster.id(), "job", std::string(100'000, 'y'), {},
                       [&](std::error_code error) { sent = error; });
  REQUIRE(run_until(context, [&] { return sent.has_value() && b.count<membership::message>() == 1; }));
  CHECK_FALSE(*sent);

  std::optional<std::uint64_t> question;
  b.cluster.async_query("how", "are you", {}, [&](std::error_code error, std::uint64_t number) {
    REQUIRE_FALSE(error);
    question = number;
  });
  REQUIRE(run_until(context, [&] { return question && first<membership::query>(a) != nullptr; }));
  a.cluster.async_answer(*first<membership::query>(a), "well", [](std::error_code error) { CHECK_FALSE(error); });
  std::string answered;
  b.cluster.async_next_answer(*question, [&](std::error_code error, const membership::query_progress& came) {
    REQUIRE_FALSE(error);
    answered = std::get<membership::answer>(came).payload.text();
  });
  REQUIRE(run_until(context, [&] { return answered == "well"; }));

  // Without a word; then the same one again, elsewhere.
  c.reset();
  REQUIRE(run_until(context, [&] { return a.count<membership::failed>() == 1 && b.count<membership::failed>() == 1; }));
  c = std::make_unique<node>(context, own);
  c->cluster.add_seed(ready(context, b));
  REQUIRE(run_until(context, [&] { return a.count<membership::joined>() == 3 && b.count<membership::joined>() == 3; }));
  std::optional<std::error_code> gone;
  c->cluster.async_leave([&](std::error_code error) { gone = error; });
  REQUIRE(
      run_until(context, [&] { return gone && a.count<membership::left>() == 1 && b.count<membership::left>() == 1; }));
  CHECK_FALSE(*gone);
}

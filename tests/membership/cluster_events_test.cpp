// What a cluster tells its application when that is slow, and what it tells the others of itself.
#include "membership/running_cluster.hpp"

using namespace running;

namespace {

std::uint64_t figure_of(const membership::cluster& of, std::string_view wanted) {
  std::uint64_t result = 0;
  of.metrics([&](std::string_view name, std::uint64_t value) {
    if (name == wanted) result = value;
  });
  return result;
}

}  // namespace

TEST_CASE("who is slow to fetch events is told at which place how many were thrown away",
          "[membership][socket][overflow]") {
  asio::io_context context;
  membership::config config = quick("slow");
  config.event_queue_max = 4;
  membership::cluster slow{context.get_executor(), config};
  node talker{context, quick("talker")};
  slow.async_run([](std::error_code) {});
  slow.add_seed(ready(context, talker));
  REQUIRE(run_until(context, [&] { return slow.members().size() == 2; }));
  constexpr std::uint64_t said = 20;
  for (std::uint64_t i = 1; i <= said; ++i) {
    talker.cluster.async_broadcast("t", std::to_string(i), [](std::error_code error) { CHECK_FALSE(error); });
  }
  REQUIRE(run_until(context, [&] { return figure_of(slow, "membership.events_received") == said; }));

  std::vector<membership::event> events;
  std::function<void()> fetch = [&] {
    slow.async_next_event([&](std::error_code error, membership::event event) {
      if (error) return;
      events.push_back(std::move(event));
      fetch();
    });
  };
  fetch();
  const auto ends_with_marker = [&] {
    return !events.empty() && std::holds_alternative<membership::overflow>(events.back());
  };
  REQUIRE(run_until(context, ends_with_marker));
  // The first are kept: `joined`, and so many of what was said. The marker stands where the others would.
  REQUIRE(events.size() == config.event_queue_max + 1);
  CHECK(std::get<membership::overflow>(events.back()).lost == said + 1 - config.event_queue_max);
  CHECK(std::get<membership::user_event>(events[3]).payload.text() == "3");
  // What comes now is told again.
  talker.cluster.async_broadcast("t", "later", [](std::error_code) {});
  REQUIRE(run_until(context, [&] { return std::holds_alternative<membership::user_event>(events.back()); }));
  CHECK(std::get<membership::user_event>(events.back()).payload.text() == "later");
  CHECK(slow.members().size() == 2);  // how things stand is not lost
}

TEST_CASE("what others are told to talk to may differ from where a node listens", "[membership][socket][advertise]") {
  asio::io_context context;
  node other{context, quick("other")};
  membership::config config = quick("hidden");
  config.bind = endpoint::v4(0, 0, 0, 0, 0);
  config.advertise = endpoint::v4(127, 0, 0, 1, 0);
  node hidden{context, config};
  const endpoint bound = ready(context, hidden);
  hidden.cluster.add_seed(ready(context, other));
  REQUIRE(run_until(context, [&] { return other.count<membership::joined>() == 1; }));
  CHECK(bound.port() != 0);
  const endpoint told = other.cluster.members().back().at;
  CHECK(told == config.advertise.with_port(bound.port()));
  CHECK(hidden.cluster.self().at == told);
  CHECK(hidden.cluster.local_endpoint() == bound);
}

TEST_CASE("who has no name is called by the first digits of its id", "[membership][socket]") {
  asio::io_context context;
  node nameless{context, quick("")};
  ready(context, nameless);
  CHECK(nameless.cluster.self().name == to_short_string(nameless.cluster.id()));
  CHECK(nameless.cluster.self().name.size() == 8);
}

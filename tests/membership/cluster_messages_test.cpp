#include <algorithm>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>

#include "membership/running_cluster.hpp"

using namespace running;

namespace {

/// Two that know each other.
struct pair {
  explicit pair(asio::io_context& context) : a{context, quick("a")}, b{context, quick("b")} {
    b.cluster.add_seed(ready(context, a));
    REQUIRE(
        run_until(context, [&] { return a.count<membership::joined>() == 1 && b.count<membership::joined>() == 1; }));
  }
  node a;
  node b;
};

const membership::message* message_to(const node& n) {
  for (const auto& e : n.kept->events) {
    if (const auto* m = std::get_if<membership::message>(&e)) return m;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("a message of a whole megabyte reaches one member, and its sender is told so", "[membership][socket][send]") {
  asio::io_context context;
  pair two{context};
  std::string payload(quick("").message_size_max, 'x');
  for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<char>(i * 7);
  std::optional<std::error_code> done;
  two.a.cluster.async_send(two.b.cluster.id(), "topic", payload, {}, [&](std::error_code error) { done = error; });
  REQUIRE(run_until(context, [&] { return done.has_value() && message_to(two.b) != nullptr; }));
  CHECK_FALSE(*done);
  CHECK(message_to(two.b)->payload == bytes{payload});
  CHECK(message_to(two.b)->origin == two.a.cluster.id());
  CHECK(message_to(two.a) == nullptr);
}

TEST_CASE("a best-effort message is on its way at once", "[membership][socket][send]") {
  asio::io_context context;
  pair two{context};
  std::optional<std::error_code> done;
  two.b.cluster.async_send(two.a.cluster.id(), "", "hello", {.delivery = membership::delivery::best_effort},
                           [&](std::error_code error) { done = error; });
  REQUIRE(run_until(context, [&] { return done.has_value() && message_to(two.a) != nullptr; }));
  CHECK_FALSE(*done);
  CHECK(message_to(two.a)->payload.text() == "hello");
}

TEST_CASE("messages that cannot be sent end with a defined error", "[membership][socket][send]") {
  asio::io_context context;
  std::vector<std::error_code> errors;
  const auto note = [&](std::error_code error) { errors.push_back(error); };
  SECTION("before it runs") {
    membership::cluster idle{context.get_executor(), quick("idle")};
    idle.async_send({1, 2}, "t", "x", {}, note);
    context.run();
    CHECK(errors == std::vector<std::error_code>{errc::not_running});
  }
  SECTION("to nobody known, too large, and after leaving") {
    pair two{context};
    const node_id b = two.b.cluster.id();
    two.a.cluster.async_send({1, 2}, "t", "x", {}, note);
    two.a.cluster.async_send(b, "t", std::string(quick("").message_size_max + 1, 'x'), {}, note);
    two.a.cluster.async_send(two.a.cluster.id(), "t", "x", {}, note);
    REQUIRE(run_until(context, [&] { return errors.size() == 3; }));
    CHECK(errors == std::vector<std::error_code>{errc::unknown_member, errc::too_large, errc::invalid_argument});
    two.a.cluster.async_leave(note);
    two.a.cluster.async_send(b, "t", "x", {}, note);
    REQUIRE(run_until(context, [&] { return errors.size() == 5; }));
    CHECK(std::count(errors.begin(), errors.end(), errc::has_left) == 1);
  }
  SECTION("to a member that dies without a word") {
    auto two = std::make_unique<pair>(context);
    auto gone = std::make_unique<node>(context, quick("c"));
    gone->cluster.add_seed(two->a.cluster.local_endpoint());
    REQUIRE(run_until(context, [&] { return two->a.count<membership::joined>() == 2; }));
    const node_id c = gone->cluster.id();
    gone.reset();
    two->a.cluster.async_send(c, "t", "x", {}, note);
    REQUIRE(run_until(context, [&] { return errors.size() == 1; }));
    CHECK(errors[0] == errc::unknown_member);  // it was never connected to
  }
}

TEST_CASE("a message may be sent, and the cluster destroyed, in the handler of another", "[membership][socket][send]") {
  asio::io_context context;
  auto two = std::make_unique<pair>(context);
  const node_id b = two->b.cluster.id();
  std::optional<std::error_code> second;
  two->a.cluster.async_send(b, "t", "one", {}, [&](std::error_code error) {
    CHECK_FALSE(error);
    two->a.cluster.async_send(b, "t", "two", {}, [&](std::error_code last) { second = last; });
    two.reset();
  });
  REQUIRE(run_until(context, [&] { return second.has_value(); }));
  CHECK(*second == asio::error::operation_aborted);
}

TEST_CASE("who stops waiting for a message is told so, and it is sent all the same",
          "[membership][socket][send][cancel]") {
  asio::io_context context;
  pair two{context};
  asio::cancellation_signal stop;
  std::optional<std::error_code> done;
  two.a.cluster.async_send(two.b.cluster.id(), "t", "hello", {},
                           asio::bind_cancellation_slot(stop.slot(), [&](std::error_code error) { done = error; }));
  stop.emit(asio::cancellation_type::total);
  REQUIRE(run_until(context, [&] { return done.has_value() && message_to(two.b) != nullptr; }));
  CHECK(*done == asio::error::operation_aborted);
}

TEST_CASE("an event of a whole megabyte reaches all members, in order with small ones", "[membership][socket][fetch]") {
  asio::io_context context;
  pair two{context};
  const std::string large(quick("").event_size_max, 'x');
  for (const std::string& payload : {std::string{"first"}, large, std::string{"last"}}) {
    two.a.cluster.async_broadcast("topic", payload, [](std::error_code error) { CHECK_FALSE(error); });
  }
  REQUIRE(run_until(context, [&] { return two.b.count<membership::user_event>() == 3; }));
  std::vector<std::size_t> sizes;
  for (const auto& e : two.b.kept->events) {
    if (const auto* u = std::get_if<membership::user_event>(&e)) sizes.push_back(u->payload.size());
  }
  CHECK(sizes == std::vector<std::size_t>{5, large.size(), 4});
}

TEST_CASE("broadcasts for which there is no room wait for it, in their order, and none is lost",
          "[membership][socket][congestion]") {
  asio::io_context context;
  pair two{context};
  constexpr std::size_t count = 1'000;
  std::size_t accepted = 0;
  for (std::size_t i = 0; i < count; ++i) {
    two.a.cluster.async_broadcast("topic", std::to_string(i), [&](std::error_code error) {
      CHECK_FALSE(error);
      ++accepted;
    });
  }
  // All have begun by then, and no round of gossip has made room yet.
  while (accepted == 0) context.run_one();
  CHECK(accepted < count);
  REQUIRE(run_until(context, [&] { return two.b.count<membership::user_event>() == count; }, 30s));
  CHECK(accepted == count);
  std::size_t next = 0;
  for (const auto& e : two.b.kept->events) {
    if (const auto* u = std::get_if<membership::user_event>(&e)) CHECK(u->payload.text() == std::to_string(next++));
  }
}

TEST_CASE("a broadcast that waits ends when it is cancelled, when its cluster leaves, and when it is destroyed",
          "[membership][socket][congestion][cancel]") {
  asio::io_context context;
  auto two = std::make_unique<pair>(context);
  std::vector<std::error_code> ends;
  std::error_code last;
  const auto note = [&](std::error_code error) { ends.push_back(error); };
  for (int i = 0; i < 400; ++i) two->a.cluster.async_broadcast("topic", "x", note);
  SECTION("cancelled") {
    asio::cancellation_signal stop;
    bool stopped = false;
    two->a.cluster.async_broadcast("topic", "never", asio::bind_cancellation_slot(stop.slot(), [&](std::error_code e) {
                                     stopped = true;
                                     last = e;
                                   }));
    stop.emit(asio::cancellation_type::total);
    REQUIRE(run_until(context, [&] { return stopped; }));
    CHECK(last == asio::error::operation_aborted);
  }
  SECTION("leaves") {
    two->a.cluster.async_leave([](std::error_code) {});
    REQUIRE(run_until(context, [&] { return ends.size() == 400; }));
    CHECK(std::count(ends.begin(), ends.end(), errc::has_left) > 0);
  }
  SECTION("destroyed") {
    while (ends.empty()) context.run_one();
    two.reset();
    REQUIRE(run_until(context, [&] { return ends.size() == 400; }));
    CHECK(std::count(ends.begin(), ends.end(), asio::error::operation_aborted) > 0);
  }
}

namespace {

const membership::query* query_to(const node& n) {
  for (const auto& e : n.kept->events) {
    if (const auto* q = std::get_if<membership::query>(&e)) return q;
  }
  return nullptr;
}

/// All that comes of a query, until it ends.
struct answers {
  std::vector<std::string> texts;
  std::optional<membership::query_end> end;
  std::optional<std::error_code> error;

  void fetch(membership::cluster& from, std::uint64_t query) {
    from.async_next_answer(query, [this, &from, query](std::error_code failed, membership::query_progress came) {
      if (failed) {
        error = failed;
      } else if (const auto* a = std::get_if<membership::answer>(&came)) {
        texts.emplace_back(a->payload.text().substr(0, 8));
        fetch(from, query);
      } else {
        end = std::get<membership::query_end>(came);
      }
    });
  }
};

}  // namespace

TEST_CASE("a query is answered by datagram and by stream, and ends when all have answered",
          "[membership][socket][query]") {
  asio::io_context context;
  pair two{context};
  std::optional<std::uint64_t> query;
  two.a.cluster.async_query("how", "are you", {}, [&](std::error_code error, std::uint64_t number) {
    REQUIRE_FALSE(error);
    query = number;
  });
  REQUIRE(run_until(context, [&] { return query.has_value() && query_to(two.b) != nullptr; }));
  const bool at_length = GENERATE(true, false);
  const std::string text = at_length ? std::string(50'000, 'x') : "well";
  std::optional<std::error_code> said;
  two.b.cluster.async_answer(*query_to(two.b), text, [&](std::error_code error) { said = error; });
  answers all;
  all.fetch(two.a.cluster, *query);
  REQUIRE(run_until(context, [&] { return all.end.has_value() && said.has_value(); }));
  CHECK_FALSE(*said);
  CHECK(all.texts == std::vector<std::string>{text.substr(0, 8)});
  CHECK(all.end->asked == 1);
  CHECK(all.end->answered == 1);
  // Its end was fetched: there is no such query any more.
  answers after;
  after.fetch(two.a.cluster, *query);
  REQUIRE(run_until(context, [&] { return after.error.has_value(); }));
  CHECK(*after.error == errc::invalid_argument);
}

TEST_CASE("a query that nobody answers ends at its time, and one that is given up is no more",
          "[membership][socket][query]") {
  asio::io_context context;
  pair two{context};
  membership::query_options soon;
  soon.timeout = 300ms;
  std::vector<std::uint64_t> numbers;
  for (int i = 0; i < 2; ++i) {
    two.a.cluster.async_query("how", "", soon, [&](std::error_code error, std::uint64_t number) {
      REQUIRE_FALSE(error);
      numbers.push_back(number);
    });
  }
  REQUIRE(run_until(context, [&] { return numbers.size() == 2; }));
  answers kept;
  answers dropped;
  kept.fetch(two.a.cluster, numbers[0]);
  dropped.fetch(two.a.cluster, numbers[1]);
  two.a.cluster.drop_query(numbers[1]);
  REQUIRE(run_until(context, [&] { return kept.end.has_value() && dropped.error.has_value(); }));
  CHECK(kept.end->answered == 0);
  CHECK(*dropped.error == errc::invalid_argument);
}

TEST_CASE("queries that cannot be asked end with a defined error, and those that wait with the cluster",
          "[membership][socket][query][cancel]") {
  asio::io_context context;
  std::vector<std::error_code> errors;
  const auto note = [&](std::error_code error, auto&&...) { errors.push_back(error); };
  SECTION("before it runs") {
    membership::cluster idle{context.get_executor(), quick("idle")};
    idle.async_query("t", "x", {}, note);
    idle.async_answer({}, "x", note);
    idle.async_next_answer(1, note);
    context.run();
    CHECK(errors == std::vector<std::error_code>{errc::not_running, errc::not_running, errc::invalid_argument});
  }
  SECTION("too many, or answers to nothing") {
    membership::config config = quick("a");
    config.queries_max = 1;
    node a{context, config};
    ready(context, a);
    a.cluster.async_query("t", "x", {}, note);
    a.cluster.async_query("t", "x", {}, note);  // the first one's end was not fetched
    a.cluster.async_answer({}, "x", note);
    REQUIRE(run_until(context, [&] { return errors.size() == 3; }));
    CHECK(errors == std::vector<std::error_code>{{}, errc::would_overflow, errc::timed_out});
  }
  SECTION("cancelled, and destroyed in a handler") {
    auto two = std::make_unique<pair>(context);
    asio::cancellation_signal stop;
    two->a.cluster.async_query("t", "x", {}, [&](std::error_code error, std::uint64_t query) {
      REQUIRE_FALSE(error);
      two->a.cluster.async_next_answer(query, asio::bind_cancellation_slot(stop.slot(), note));
      two->a.cluster.async_next_answer(query, note);
      stop.emit(asio::cancellation_type::total);
      two.reset();
    });
    REQUIRE(run_until(context, [&] { return errors.size() == 2; }));
    for (const auto& error : errors) CHECK(error == asio::error::operation_aborted);
  }
}

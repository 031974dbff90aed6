// Calls of a cluster at awkward times: in the handlers of others, with the cluster destroyed there, after it has left,
// after it has stopped. All of them, each by each.
#include <algorithm>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>

#include "membership/running_cluster.hpp"

using namespace running;

namespace {

using note = std::function<void(std::error_code)>;

struct call {
  const char* name;
  std::function<void(membership::cluster&, const node_id& other, const note&)> start;
};

/// Every one that completes later, but for `async_run`.
const std::vector<call>& all_calls() {
  using membership::cluster;
  static const std::vector<call> calls{
      {"ready", [](cluster& c, const node_id&, const note& n) { c.async_ready([n](auto e, auto&&) { n(e); }); }},
      {"next_event",
       [](cluster& c, const node_id&, const note& n) { c.async_next_event([n](auto e, auto&&) { n(e); }); }},
      {"join", [](cluster& c, const node_id&, const note& n) { c.async_join(n); }},
      {"broadcast", [](cluster& c, const node_id&, const note& n) { c.async_broadcast("t", "x", n); }},
      {"send reliably", [](cluster& c, const node_id& to, const note& n) { c.async_send(to, "t", "x", {}, n); }},
      {"send", [](cluster& c, const node_id& to,
                  const note& n) { c.async_send(to, "t", "x", {.delivery = membership::delivery::best_effort}, n); }},
      {"query",
       [](cluster& c, const node_id&, const note& n) { c.async_query("t", "x", {}, [n](auto e, auto) { n(e); }); }},
      {"next_answer",
       [](cluster& c, const node_id&, const note& n) { c.async_next_answer(1, [n](auto e, auto&&) { n(e); }); }},
      {"answer", [](cluster& c, const node_id&, const note& n) { c.async_answer({}, "x", n); }},
      {"leave", [](cluster& c, const node_id&, const note& n) { c.async_leave(n); }},
  };
  return calls;
}

const call& call_named(std::string_view name) {
  return *std::find_if(all_calls().begin(), all_calls().end(), [&](const call& c) { return c.name == name; });
}

/// What became of each call: it ends once, and never within the call itself.
class endings {
public:
  endings() : ends_(all_calls().size()) {}

  void start(std::size_t which, membership::cluster& at, const node_id& other) {
    within_ = true;
    all_calls()[which].start(at, other, [this, which](std::error_code error) {
      CHECK_FALSE(within_);
      ends_[which].push_back(error);
    });
    within_ = false;
  }
  void start_all(membership::cluster& at, const node_id& other) {
    for (std::size_t i = 0; i < ends_.size(); ++i) start(i, at, other);
  }
  [[nodiscard]] bool all_but(std::string_view waiting) const {
    for (std::size_t i = 0; i < ends_.size(); ++i) {
      if (all_calls()[i].name != waiting && ends_[i].empty()) return false;
    }
    return true;
  }
  [[nodiscard]] bool all() const { return all_but(""); }
  [[nodiscard]] std::error_code of(std::string_view name) const {
    const auto which = static_cast<std::size_t>(&call_named(name) - all_calls().data());
    REQUIRE(ends_[which].size() == 1);
    return ends_[which].front();
  }
  void check_each_ended_once() const {
    for (std::size_t i = 0; i < ends_.size(); ++i) {
      CAPTURE(all_calls()[i].name);
      CHECK(ends_[i].size() == 1);
    }
  }

private:
  std::vector<std::vector<std::error_code>> ends_;
  bool within_ = false;
};

/// One that is to be called, and whom it knows.
struct stage {
  stage() {
    const endpoint seed = ready(context, other);
    cluster = std::make_unique<membership::cluster>(context.get_executor(), quick("a"));
    cluster->add_seed(seed);
    cluster->async_run(asio::bind_cancellation_slot(run.slot(), [this](std::error_code error) { ended = error; }));
    REQUIRE(run_until(context, [&] { return cluster->members().size() == 2; }));
  }
  /// What is under way ends, and nothing ends twice.
  void settle() {
    for (int i = 0; i < 20; ++i) context.run_one_for(5ms);
  }

  asio::io_context context;
  node other{context, quick("b")};
  asio::cancellation_signal run;
  std::optional<std::error_code> ended;
  std::unique_ptr<membership::cluster> cluster;
};

/// Those that complete at once do what they do, and nothing of what they are called in is the worse for it.
void call_the_others(membership::cluster& at) {
  CHECK_FALSE(at.set_tags({{"role", "caller"}}));
  CHECK_FALSE(at.add_seed("localhost:7"));
  CHECK_FALSE(at.add_seed(endpoint::v4(127, 0, 0, 1, 7)));
  at.drop_query(1);
  at.drop_query(12'345);
  CHECK(at.members().size() >= 1);
  CHECK(at.self().id == at.id());
  std::size_t figures = 0;
  at.metrics([&](std::string_view, std::uint64_t) { ++figures; });
  CHECK(figures > 0);
}

}  // namespace

TEST_CASE("every call may be made in the handler of every other, and ends once and not within the call",
          "[membership][socket][handlers]") {
  const auto trigger = GENERATE(range(std::size_t{0}, std::size_t{10}));
  REQUIRE(all_calls().size() == 10);
  CAPTURE(all_calls()[trigger].name);
  stage s;
  endings within;
  bool triggered = false;
  const node_id other = s.other.cluster.id();
  all_calls()[trigger].start(*s.cluster, other, [&](std::error_code) {
    triggered = true;
    call_the_others(*s.cluster);
    within.start_all(*s.cluster, other);
  });
  REQUIRE(run_until(s.context, [&] { return triggered && within.all_but("next_event"); }));
  s.cluster.reset();
  REQUIRE(run_until(s.context, [&] { return within.all(); }));
  s.settle();
  within.check_each_ended_once();
}

TEST_CASE("a cluster may be destroyed in the handler of every call, and all that wait end once",
          "[membership][socket][handlers]") {
  const auto trigger = GENERATE(range(std::size_t{0}, std::size_t{10}));
  CAPTURE(all_calls()[trigger].name);
  stage s;
  endings beside;
  bool destroyed = false;
  const node_id other = s.other.cluster.id();
  all_calls()[trigger].start(*s.cluster, other, [&](std::error_code) {
    s.cluster.reset();
    destroyed = true;
  });
  beside.start_all(*s.cluster, other);
  REQUIRE(run_until(s.context, [&] { return destroyed && beside.all() && s.ended; }));
  CHECK(*s.ended == asio::error::operation_aborted);
  s.settle();
  beside.check_each_ended_once();
}

TEST_CASE("who leaves twice is told so, and each call after it ends with a defined error",
          "[membership][socket][handlers]") {
  stage s;
  std::vector<std::error_code> leaves;
  for (int i = 0; i < 2; ++i) s.cluster->async_leave([&](std::error_code error) { leaves.push_back(error); });
  REQUIRE(run_until(s.context, [&] { return leaves.size() == 2; }));
  CHECK(std::count(leaves.begin(), leaves.end(), std::error_code{}) == 1);
  CHECK(std::count(leaves.begin(), leaves.end(), errc::has_left) == 1);
  REQUIRE(run_until(s.context, [&] { return s.other.count<membership::left>() == 1; }));
  call_the_others(*s.cluster);
  endings after;
  after.start_all(*s.cluster, s.other.cluster.id());
  REQUIRE(run_until(s.context, [&] { return after.all(); }));
  for (const char* refused : {"join", "leave", "broadcast", "send", "send reliably", "query", "answer"}) {
    CAPTURE(refused);
    CHECK(after.of(refused) == errc::has_left);
  }
  CHECK_FALSE(after.of("ready"));
  CHECK_FALSE(after.of("next_event"));  // what was told before is still to be fetched
  CHECK(after.of("next_answer") == errc::invalid_argument);
  s.settle();
  // Nothing of it was heard.
  CHECK(s.other.count<membership::user_event>() + s.other.count<membership::message>() +
            s.other.count<membership::query>() ==
        0);
  CHECK(s.other.count<membership::updated>() == 0);
  CHECK(s.other.count<membership::joined>() == 1);
}

TEST_CASE("each call of a cluster that has stopped ends with what it stopped with", "[membership][socket][handlers]") {
  stage s;
  s.run.emit(asio::cancellation_type::terminal);
  REQUIRE(run_until(s.context, [&] { return s.ended.has_value(); }));
  CHECK(*s.ended == asio::error::operation_aborted);
  call_the_others(*s.cluster);
  endings after;
  after.start_all(*s.cluster, s.other.cluster.id());
  std::optional<std::error_code> again;
  s.cluster->async_run([&](std::error_code error) { again = error; });
  REQUIRE(run_until(s.context, [&] { return after.all() && again.has_value(); }));
  for (const call& each : all_calls()) {
    CAPTURE(each.name);
    const std::string_view name = each.name;
    // What was told before is still to be fetched.
    if (name == "next_event") {
      CHECK_FALSE(after.of(name));
    } else {
      CHECK(after.of(name) == asio::error::operation_aborted);
    }
  }
  CHECK(*again == errc::not_running);
}

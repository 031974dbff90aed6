#include "rules/architecture.hpp"

#include <string>
#include <string_view>
#include <vector>

#include "catch.hpp"

// Each rule is shown a planted violation and must name file, line and rule; and something lawful that looks alike,
// which it must let pass. A rule that was never seen to fail is none.

namespace {

struct plant {
  std::string_view path;
  std::string_view code;  ///< the violation stands on line 2
  std::string_view rule;
};

std::string describe(const std::vector<rules::violation>& found) {
  std::string text;
  for (const auto& one : found) text += one.text() + "\n";
  return text;
}

bool names_line(const std::vector<rules::violation>& found, const plant& planted, std::size_t line) {
  for (const auto& one : found) {
    bool begins = one.text().starts_with(std::string{planted.path} + ":" + std::to_string(line) + ": [" +
                                         std::string{planted.rule} + "]");
    if (begins) return true;
  }
  return false;
}

void require_broken(const std::vector<plant>& plants) {
  for (const plant& planted : plants) {
    auto found = rules::check({std::string{planted.path}, "\n" + std::string{planted.code} + "\n"});
    INFO(planted.path << ": " << planted.code << "\nfound: " << describe(found));
    CHECK(names_line(found, planted, 2));
  }
}

void require_lawful(const std::vector<plant>& plants) {
  for (const plant& planted : plants) {
    auto found = rules::check({std::string{planted.path}, std::string{planted.code} + "\n"});
    INFO(planted.path << ": " << planted.code << "\nfound: " << describe(found));
    CHECK(found.empty());
  }
}

}  // namespace

TEST_CASE("a room that includes another room is reported", "[rules]") {
  require_broken({
      {"src/membership/core.cpp", "#include \"replication/view.hpp\"", "rooms"},
      {"src/replication/replica.cpp", "#include \"artillery/membership.hpp\"", "rooms"},
      {"src/discovery/core.hpp", "#include \"artillery/membership/types.hpp\"", "rooms"},
      {"src/membership/cluster.cpp", "#include \"node/node.hpp\"", "rooms"},
      {"src/base/bytes.cpp", "#include \"membership/core.hpp\"", "rooms"},
      {"src/base/bytes.cpp", "#include \"net/datagram_socket.hpp\"", "rooms"},
      {"src/net/driver.hpp", "#include \"membership/core.hpp\"", "rooms"},
      {"include/artillery/endpoint.hpp", "#include \"artillery/membership.hpp\"", "rooms"},
      {"include/artillery/replication.hpp", "#include \"artillery/discovery/types.hpp\"", "rooms"},
  });
  require_lawful({
      {"src/membership/core.cpp", "#include \"membership/probe.hpp\"", ""},
      {"src/membership/core.cpp", "#include \"artillery/membership/types.hpp\"", ""},
      {"src/membership/core.cpp", "#include \"base/codec.hpp\"\n#include \"artillery/endpoint.hpp\"", ""},
      {"src/membership/cluster.cpp", "#include \"net/driver.hpp\"", ""},
      {"src/node/node.cpp", "#include \"artillery/membership.hpp\"\n#include \"artillery/replication.hpp\"", ""},
  });
}

TEST_CASE("the simulator includes no net, and product code no simulator", "[rules]") {
  require_broken({
      {"src/sim/world.cpp", "#include \"net/driver.hpp\"", "rooms"},
      {"src/membership/core.cpp", "#include \"sim/world.hpp\"", "rooms"},
      {"src/node/node.cpp", "#include \"artillery/sim.hpp\"", "rooms"},
  });
  require_lawful({{"src/sim/chain.cpp", "#include \"replication/core.hpp\"", ""}});
}

TEST_CASE("Asio outside net, bindings and class headers is reported", "[rules]") {
  require_broken({
      {"src/membership/core.hpp", "#include <asio/steady_timer.hpp>", "asio"},
      {"src/membership/core.cpp", "void f(asio::steady_timer&);", "asio"},
      {"src/base/bytes.cpp", "#include <asio/buffer.hpp>", "asio"},
      {"src/sim/world.cpp", "#include <asio/io_context.hpp>", "asio"},
      {"include/artillery/bytes.hpp", "#include <asio/buffer.hpp>", "asio"},
      {"include/artillery/membership/types.hpp", "#include <asio/ip/udp.hpp>", "asio"},
      {"src/net/driver.cpp", "#include <asio.hpp>", "asio"},
      {"src/replication/memory_store.cpp", "#include <asio/post.hpp>", "asio"},
  });
  require_lawful({
      {"src/net/driver.hpp", "#include <asio/steady_timer.hpp>", ""},
      {"src/membership/cluster.cpp", "#include <asio/post.hpp>\nvoid f(asio::any_io_executor);", ""},
      {"include/artillery/membership.hpp", "#include <asio/any_io_executor.hpp>", ""},
      {"include/artillery/detail/async.hpp", "#include <asio/async_result.hpp>", ""},
      {"tests/net/driver_test.cpp", "#include <asio/io_context.hpp>", ""},
      {"src/membership/core.cpp", "// asio::post is the driver's business\nconst char* text = \"asio::post\";", ""},
  });
}

TEST_CASE("a coroutine in the library is reported", "[rules]") {
  require_broken({
      {"src/net/driver.cpp", "void f() { co_await g(); }", "coroutines"},
      {"include/artillery/node.hpp", "#include <asio/awaitable.hpp>", "coroutines"},
  });
  require_lawful({{"examples/kv.cpp", "#include <asio/awaitable.hpp>\nvoid f() { co_return; }", ""}});
}

TEST_CASE("cereal outside codec, message and archive files is reported", "[rules]") {
  require_broken({
      {"src/membership/core.cpp", "#include <cereal/cereal.hpp>", "cereal"},
      {"src/net/driver.hpp", "#include <cereal/types/vector.hpp>", "cereal"},
      {"include/artillery/replication/codec.hpp", "#include <cereal/cereal.hpp>", "cereal"},
  });
  require_lawful({
      {"src/membership/message.cpp", "#include <cereal/types/vector.hpp>", ""},
      {"src/base/archive.hpp", "#include <cereal/cereal.hpp>", ""},
      {"src/replication/message_codec.cpp", "#include <cereal/cereal.hpp>", ""},
  });
}

TEST_CASE("threads and locks in a pure file are reported", "[rules]") {
  require_broken({
      {"src/replication/core.hpp", "#include <thread>", "pure"},
      {"src/replication/core.hpp", "std::jthread worker;", "pure"},
      {"src/membership/core.cpp", "std::mutex lock;", "pure"},
      {"src/base/indexed.hpp", "#include <mutex>", "pure"},
      {"include/artillery/membership/types.hpp", "#include <future>", "pure"},
      {"src/sim/world.cpp", "void f(std::condition_variable_any& c);", "pure"},
  });
  require_lawful({
      {"src/replication/memory_store.hpp", "#include <shared_mutex>\nclass store { std::shared_mutex mutex_; };", ""},
      {"src/replication/replica.cpp", "#include <mutex>", ""},
      {"src/replication/core.cpp", "int f() { return 1'000; }  // a std::thread per reader", ""},
  });
}

TEST_CASE("a clock read in a pure file is reported", "[rules]") {
  require_broken({
      {"src/membership/core.cpp", "auto f() { return std::chrono::steady_clock::now(); }", "pure"},
      {"src/membership/core.cpp", "auto f() { return clock::now(); }", "pure"},
      {"src/discovery/core.cpp", "auto f() { return artillery::clock::now(); }", "pure"},
      {"src/discovery/core.cpp", "#include <ctime>", "pure"},
      {"src/replication/lease.cpp", "void f() { clock_gettime(0, nullptr); }", "pure"},
  });
  require_lawful({
      {"src/membership/core.cpp", "void core::expire(clock::time_point now) { use(now); }", ""},
      {"src/net/driver.cpp", "auto f() { return clock::now(); }", ""},
  });
}

TEST_CASE("randomness that differs between machines is reported in a pure file", "[rules]") {
  require_broken({
      {"src/membership/probe.cpp", "#include <random>", "pure"},
      {"src/membership/probe.cpp", "void f() { std::random_device{}(); }", "pure"},
      {"src/membership/probe.cpp", "void f() { std::uniform_int_distribution<int> d; }", "pure"},
      {"src/membership/probe.cpp", "void f() { std::shuffle(a, b, c); }", "pure"},
      {"src/base/indexed.hpp", "#include <unordered_map>", "pure"},
      {"src/base/indexed.hpp", "void f(std::unordered_set<int>&);", "pure"},
      {"src/base/indexed.hpp", "auto h = std::hash<int>{}(1);", "pure"},
  });
}

TEST_CASE("floating point in a pure file is reported", "[rules]") {
  require_broken({
      {"src/membership/suspicion.cpp", "void f(double x);", "pure"},
      {"src/base/random.hpp", "inline float f();", "pure"},
      {"include/artillery/replication/types.hpp", "struct config { double share; };", "pure"},
  });
  require_lawful({
      {"src/membership/suspicion.cpp", "void double_the_interval(int float_like);", ""},
      {"src/membership/suspicion.cpp", "/* a double */ void f(); // a float", ""},
      {"src/membership/suspicion.cpp", "const char* f() { return R\"(double x = 1.0; \" std::mutex)\"; }", ""},
  });
}

TEST_CASE("two draws or two effects in one statement are reported", "[rules]") {
  require_broken({
      {"src/membership/probe.cpp", "void f() { g(random_.below(2), random_.below(3)); }", "pure"},
      {"src/membership/probe.cpp", "void f() { x = random.below(2) + random.below(3); }", "pure"},
      {"src/membership/probe.cpp", "void f() { g(random.chance(1, 2) ? 1 : 2, random.below(3)); }", "pure"},
      {"src/membership/probe.cpp", "void f(network_effects& out) { g(out.send(a), out.send(b)); }", "pure"},
  });
  require_lawful({
      {"src/membership/probe.cpp", "void f() { auto a = random_.below(2); auto b = random_.below(3); g(a, b); }", ""},
      {"src/membership/probe.cpp", "void f() { x = random.chance(1, 3) ? 0 : random.below(3); }", ""},
      {"src/membership/probe.cpp", "void f() { if (random.chance(1, (2)) && random.chance(1, 2)) g(); }", ""},
      {"src/membership/probe.cpp", "void f() { if (random.chance(1, 3)) x = random.below(3); }", ""},
      {"src/membership/probe.cpp", "void f(effects& out) { out.send(a); out.send(b); }", ""},
      {"src/membership/message.cpp", "bool f(writer& out) { return out.put(a) && out.put(b); }", ""},
  });
}

TEST_CASE("a library that prints, exits, handles signals or starts threads is reported", "[rules]") {
  require_broken({
      {"src/net/driver.cpp", "#include <iostream>", "polite"},
      {"src/net/driver.cpp", "void f() { std::cerr << 1; }", "polite"},
      {"src/node/node.cpp", "void f() { std::printf(\"x\"); }", "polite"},
      {"src/node/node.cpp", "void f() { std::abort(); }", "polite"},
      {"src/net/driver.cpp", "void f() { std::thread t{g}; }", "polite"},
      {"src/net/driver.cpp", "#include <csignal>", "polite"},
      {"src/net/driver.cpp", "asio::signal_set f();", "polite"},
  });
  require_lawful({
      {"src/node/node.cpp", "void f() { std::snprintf(a, 1, \"x\"); }", ""},
      {"tools/artillery/main.cpp", "#include <iostream>\nvoid f() { std::cout << 1; }", ""},
  });
}

TEST_CASE("changeable state outside of objects is reported", "[rules]") {
  require_broken({
      {"src/net/driver.cpp", "namespace artillery { int count = 0; }", "globals"},
      {"src/net/driver.cpp", "std::vector<int> list;", "globals"},
      {"src/net/driver.cpp", "namespace { std::atomic<int> count{0}; }", "globals"},
      {"src/net/driver.cpp", "void f() { static int count = 0; }", "globals"},
      {"src/net/driver.cpp", "thread_local int count = 0;", "globals"},
      {"include/artillery/node.hpp", "struct a { static inline int count = 0; };", "globals"},
      {"include/artillery/node.hpp", "inline int count = 0;", "globals"},
  });
  require_lawful({
      {"src/net/driver.cpp",
       "namespace { constexpr int count = 0; const int more{1}; int f(int x) { int y = x; return y; } }", ""},
      {"src/net/driver.cpp", "const category& f() { static const category one; return one; }", ""},
      {"src/net/driver.cpp",
       "struct a { int x = 0; static int f(); static constexpr int y = 2; } ;\nint a::f() { return 1; }", ""},
      {"src/net/driver.cpp",
       "enum class kind { a, b };\nusing x = int;\ntemplate <class T> struct s { T value{}; };\nclass forward;", ""},
      {"src/net/driver.cpp", "void f() { std::vector<int> list{1, 2}; int x = 1; g(std::pair{list, x}); }", ""},
  });
}

TEST_CASE("atomics that no sanitizer can judge are reported", "[rules]") {
  require_broken({
      {"src/net/driver.cpp", "void f() { std::atomic_thread_fence(std::memory_order_seq_cst); }", "atomics"},
      {"src/replication/memory_store.hpp", "struct a { std::atomic<std::shared_ptr<int>> x; };", "atomics"},
  });
}

TEST_CASE("the umbrella header in our own code is reported", "[rules]") {
  require_broken({
      {"src/node/node.cpp", "#include \"artillery/artillery.hpp\"", "umbrella"},
      {"tools/artillery/main.cpp", "#include <artillery/artillery.hpp>", "umbrella"},
  });
  require_lawful({{"tests/consumer/umbrella.cpp", "#include <artillery/artillery.hpp>", ""}});
}

TEST_CASE("a sleeping test, example or tool is reported", "[rules]") {
  require_broken({
      {"tests/net/driver_test.cpp", "void f() { std::this_thread::sleep_for(1s); }", "sleeps"},
      {"tools/demo/demo.cpp", "void f() { usleep(1); }", "sleeps"},
      {"examples/chat.cpp", "void f() { sleep(1); }", "sleeps"},
  });
}

TEST_CASE("a drawer file and an endless file are reported", "[rules]") {
  auto drawer = rules::check({"src/net/socket_utils.hpp", "\n"});
  REQUIRE(drawer.size() == 1);
  CHECK(drawer.front().text().starts_with("src/net/socket_utils.hpp:1: [names]"));
  CHECK(rules::check({"src/common/bytes.hpp", "\n"}).size() == 1);
  CHECK(rules::check({"src/base/commonplace.hpp", "\n"}).empty());

  auto endless = rules::check({"src/net/driver.cpp", std::string(601, '\n')});
  REQUIRE(endless.size() == 1);
  CHECK(endless.front().text().starts_with("src/net/driver.cpp:601: [length]"));
  CHECK(rules::check({"src/net/driver.cpp", std::string(600, '\n')}).empty());
}

TEST_CASE("a function longer than a screen is reported, a long class is not", "[rules]") {
  std::string body;
  for (int line = 0; line < 70; ++line) body += "  f();\n";
  auto found = rules::check({"src/net/driver.cpp", "namespace a {\nvoid g() {\n" + body + "}\n}\n"});
  REQUIRE(found.size() == 1);
  CHECK(found.front().text().starts_with("src/net/driver.cpp:2: [length] 72 lines"));

  std::string members;
  for (int line = 0; line < 70; ++line) members += "  void f();\n";
  CHECK(rules::check({"src/net/driver.hpp", "template <class T>\nclass alignas(64) a {\n" + members + "};\n"}).empty());
}

TEST_CASE("a mark of unfinished work is reported", "[rules]") {
  require_broken({{"src/net/driver.cpp",
                   "// TO"
                   "DO: later",
                   "unfinished"},
                  {"dev/a.cpp",
                   "// FIX"
                   "ME",
                   "unfinished"}});
}

TEST_CASE("an exemption holds for its rule and file alone, and is reported once nothing needs it", "[rules]") {
  std::string lock = "#include <mutex>\n";
  CHECK(rules::check({"src/replication/memory_store.hpp", lock}).empty());
  CHECK_FALSE(rules::check({"src/replication/store_index.hpp", lock}).empty());
  CHECK(rules::unneeded({{"src/replication/memory_store.hpp", lock}, {"src/base/clock.cpp", "#include <ctime>\n"}})
            .empty());
  CHECK(rules::unneeded({}).size() == rules::exemptions().size());
}

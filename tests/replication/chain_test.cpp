// A chain as its users see it, in virtual time.
#include "catch.hpp"
#include "replication/simulated_chain.hpp"

using namespace artillery;
using namespace artillery::replication;
using namespace std::chrono_literals;

TEST_CASE("a chain of any length answers what was written", "[replication][chain]") {
  const std::size_t size = GENERATE(1U, 2U, 3U, 5U);
  simulated_chain chain{size};
  const auto written = chain.put("limit", "100");
  REQUIRE_FALSE(written.error);
  CHECK(written.result.applied);
  CHECK(written.result.version.epoch == 1);
  for (std::size_t i = 0; i < size; ++i) {
    const auto found = chain.read("limit", strong, i);
    CHECK(found.value() == "100");
    CHECK(found.result.version == written.result.version);
  }
}

TEST_CASE("absent differs from empty, and an erased object is absent again", "[replication][chain]") {
  simulated_chain chain{3};
  CHECK_FALSE(chain.read("k").result.found());
  chain.put("k", "");
  const auto empty = chain.read("k");
  REQUIRE(empty.result.found());
  CHECK(empty.result.value->empty());
  CHECK(chain.write(write::erase("k")).result.applied);
  for (std::size_t i = 0; i < 3; ++i) CHECK_FALSE(chain.read("k", strong, i).result.found());
  chain.run(10ms);
  for (std::size_t i = 0; i < 3; ++i) CHECK(chain.replica(i).objects().size() == 0);
}

TEST_CASE("a compare-and-swap changes what it names and nothing else", "[replication][chain]") {
  simulated_chain chain{3};
  const auto first = chain.put("k", "1", condition::absent());
  CHECK(first.result.applied);
  const auto second = chain.put("k", "2", condition::absent());
  CHECK_FALSE(second.result.applied);
  CHECK(second.result.version == first.result.version);
  const auto third = chain.put("k", "3", condition::is(first.result.version));
  CHECK(third.result.applied);
  CHECK_FALSE(chain.put("k", "4", condition::is(first.result.version)).result.applied);
  CHECK(chain.read("k").value() == "3");
  CHECK_FALSE(chain.write(write::erase("k", condition::is(first.result.version))).result.applied);
  CHECK(chain.write(write::erase("k", condition::is(third.result.version))).result.applied);
}

TEST_CASE("a failed condition is a place in the log like any write", "[replication][chain]") {
  simulated_chain chain{3};
  chain.put("k", "1");
  const std::uint64_t last = chain.replica(0).core().status().last;
  CHECK_FALSE(chain.put("k", "2", condition::absent()).result.applied);
  CHECK(chain.replica(0).core().status().last == last + 1);
}

TEST_CASE("values over the limit and impossible keys are refused at the call", "[replication][chain]") {
  simulated_chain chain{1};
  const std::string large(std::size_t{1} << 20U, 'x');
  CHECK_FALSE(chain.put("k", large).error);
  CHECK(chain.read("k").value() == large);
  CHECK(chain.put("k", large + "y").error == errc::too_large);
  CHECK(chain.put("", "v").error == errc::invalid_argument);
  CHECK(chain.put(std::string(key_size_max + 1, 'k'), "v").error == errc::invalid_argument);
  CHECK(chain.read("").error == errc::invalid_argument);
  CHECK_FALSE(chain.put(std::string(key_size_max, 'k'), "v").error);
}

TEST_CASE("a chain without its tail stops, says so, and still reads clean objects", "[replication][chain]") {
  simulated_chain chain{3};
  chain.put("clean", "1");
  chain.put("dirty", "1");
  chain.world.crash(chain.host(2));
  const auto waiting = chain.begin_write(write::put("dirty", "2"));
  chain.run(2s);
  CHECK_FALSE(chain.answered(waiting));
  CHECK(chain.replica(0).core().status().stopped);
  CHECK(chain.replica(1).core().status().stopped);
  CHECK(chain.replica(1).events().back() == event{event::kind::chain_stopped, 1, {chain.node(2), 1}});
  CHECK(chain.read("clean", strong, 0).value() == "1");
  CHECK(chain.read("clean", strong, 1).value() == "1");
  const auto dirty = chain.begin_read("dirty", strong, 0, 500ms);
  CHECK(chain.end_read(dirty).error == errc::timed_out);
}

TEST_CASE("a replica that restarts with empty memory is a stranger, and nobody takes it for a member",
          "[replication][chain]") {
  simulated_chain chain{3};
  chain.put("k", "1");
  const std::size_t place = GENERATE(0U, 1U, 2U);
  chain.world.crash(chain.host(place));
  chain.world.restart(chain.host(place), chain.make_replica(place, 2));
  chain.run(2s);
  CHECK(chain.replica(place).events() == std::vector{event{event::kind::not_serving, 1, {}}});
  CHECK(chain.replica(place).core().status().epoch == 0);
  CHECK(chain.end_read(chain.begin_read("k", strong, place, 300ms)).error == errc::timed_out);
  const std::size_t neighbour = place == 0 ? 1 : place - 1;
  CHECK(chain.replica(neighbour).core().status().stopped);
  CHECK(chain.read("k", strong, neighbour).value() == "1");
}

TEST_CASE("what was under way when a link broke is sent again, once", "[replication][chain]") {
  simulated_chain chain{3};
  chain.put("k", "0");
  chain.world.set_stream_timeout(50ms);
  chain.hold(1);
  std::vector<request_id> writes;
  for (int i = 1; i <= 5; ++i) writes.push_back(chain.begin_write(write::put("k", std::to_string(i))));
  chain.run(200ms);  // the streams behind the cut have broken by now
  for (const request_id request : writes) CHECK_FALSE(chain.answered(request));
  chain.release(1);
  for (const request_id request : writes) CHECK(chain.end_write(request).result.applied);
  CHECK(chain.replica(1).core().counters().resent_records > 0);
  CHECK(chain.replica(2).objects().applied().size() == 6);
  chain.run(2s);
  CHECK_FALSE(chain.replica(1).core().status().stopped);
}

TEST_CASE("a full window makes the head say busy, and the client waits", "[replication][chain]") {
  replica_config config;
  config.window_bytes_max = 1000;
  simulated_chain chain{2, read_mode::apportioned, config};
  chain.put("k", "0");
  chain.hold(0);
  std::vector<request_id> writes;
  for (int i = 0; i < 20; ++i) writes.push_back(chain.begin_write(write::put("k", std::string(100, 'x'))));
  chain.run(100ms);
  CHECK(chain.replica(0).core().status().window_bytes <= 1000);
  CHECK(chain.replica(0).core().counters().refused_busy > 0);
  chain.release(0);
  for (const request_id request : writes) CHECK(chain.end_write(request).result.applied);
}

TEST_CASE("bytes that are no frames cost their sender the stream, and nobody else anything", "[replication][chain]") {
  class babbler final : public sim::program {
  public:
    explicit babbler(endpoint to) : to_{to} {}
    void start(time_point, network_effects& out) override { out.open(1, to_); }
    void receive(const connection&, const bytes&, time_point, network_effects&) override {}
    void link(const connection& which, link_state state, time_point, network_effects& out) override {
      if (state == link_state::up) out.send(which, as_bytes("GET / HTTP/1.1\r\n\r\n"));
      if (state == link_state::down) closed = true;
    }
    bool closed = false;

  private:
    endpoint to_;
  };
  simulated_chain chain{1};
  const auto host = chain.world.add(endpoint::v4(10, 9, 9, 9, 1), std::make_unique<babbler>(chain.at(0)));
  chain.run(100ms);
  CHECK(static_cast<babbler&>(*chain.world.running(host)).closed);
  CHECK(chain.replica(0).core().counters().malformed == 1);
  CHECK(chain.put("k", "v").result.applied);
}

TEST_CASE("a stream on which nobody introduces himself is closed, and clients leave places for members",
          "[replication][chain]") {
  class mute final : public sim::program {
  public:
    explicit mute(endpoint to) : to_{to} {}
    void start(time_point, network_effects& out) override { out.open(1, to_); }
    void receive(const connection&, const bytes&, time_point, network_effects&) override {}
    void link(const connection&, link_state state, time_point, network_effects&) override {
      if (state == link_state::down) closed = true;
    }
    bool closed = false;

  private:
    endpoint to_;
  };
  replica_config config;
  config.clients_max = 1;
  simulated_chain chain{2, read_mode::apportioned, config};
  const auto host = chain.world.add(endpoint::v4(10, 9, 9, 9, 1), std::make_unique<mute>(chain.at(0)));
  chain.run(1900ms);
  CHECK_FALSE(static_cast<mute&>(*chain.world.running(host)).closed);
  chain.run(300ms);
  CHECK(static_cast<mute&>(*chain.world.running(host)).closed);
  const auto first = chain.client_host();
  chain.speak_as(chain.add_client());
  CHECK(chain.end_read(chain.begin_read("k", strong, {}, 1s)).error == errc::timed_out);
  chain.world.crash(first);
  CHECK_FALSE(chain.read("k").error);
}

TEST_CASE("records of one object that are committed together are committed once", "[replication][chain]") {
  simulated_chain chain{2};
  chain.put("k", "");
  chain.world.set_stream_timeout(50ms);  // so that all of them are sent again together
  chain.hold(0);
  std::vector<request_id> writes;
  for (int i = 0; i < 200; ++i) writes.push_back(chain.begin_write(write::put("k", std::to_string(i))));
  chain.run(200ms);
  const auto before = chain.replica(0).objects().commits();
  chain.release(0);
  for (const request_id request : writes) CHECK(chain.end_write(request).result.applied);
  CHECK(chain.replica(0).objects().commits() - before < 20);
  CHECK(chain.replica(0).objects().versions() == 1);
  CHECK(chain.replica(0).core().status().dirty_objects == 0);
}

TEST_CASE("a large value has the time that it takes, and an ordinary one no more than is configured",
          "[replication][chain]") {
  CHECK(silence_allowed(2s, std::size_t{1} << 20U) == 2s);
  CHECK(silence_allowed(2s, std::size_t{64} << 20U) >= 8s);
  CHECK(silence_allowed(20s, std::size_t{64} << 20U) == 20s);
}

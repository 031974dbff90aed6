// What a client does about trouble: retries under the same number, deadlines, routing.
#include <string>
#include <vector>

#include "catch.hpp"
#include "replication/deadline.hpp"
#include "replication/simulated_chain.hpp"

using namespace artillery;
using namespace artillery::replication;
using namespace std::chrono_literals;

TEST_CASE("a write whose answer was lost is tried again and applied once", "[replication][client]") {
  simulated_chain chain{2};
  chain.put("k", "0");
  chain.world.set_stream_timeout(100ms);
  chain.world.cut(chain.host(0), chain.client_host());  // answers are lost, requests are not
  const auto request = chain.begin_write(write::put("k", "1", condition::is({1, 2})));
  chain.run(300ms);
  CHECK(chain.replica(0).core().status().commit == 3);
  CHECK_FALSE(chain.answered(request));
  chain.world.heal();
  const auto answer = chain.end_write(request);
  CHECK_FALSE(answer.error);
  CHECK(answer.result.applied);
  CHECK(chain.replica(0).core().counters().duplicate_writes > 0);
  CHECK(chain.replica(0).objects().applied().size() == 2);
}

TEST_CASE("a write that was sent and not answered by its deadline has an unknown outcome", "[replication][client]") {
  simulated_chain chain{2};
  chain.put("k", "0");
  chain.hold(0);
  const auto sent = chain.begin_write(write::put("k", "1"), 200ms);
  CHECK(chain.end_write(sent).error == errc::outcome_unknown);
  chain.release(0);
  chain.run(1s);
  CHECK(chain.read("k").value() == "1");  // it did happen
}

TEST_CASE("an operation that was never sent is timed out, and did not happen", "[replication][client]") {
  simulated_chain chain{1};
  chain.world.crash(chain.host(0));
  chain.run(100ms);
  CHECK(chain.end_write(chain.begin_write(write::put("k", "1"), 100ms)).error == errc::timed_out);
  CHECK(chain.end_read(chain.begin_read("k", strong, {}, 100ms)).error == errc::timed_out);
}

TEST_CASE("reads go on at other replicas while one is away", "[replication][client]") {
  simulated_chain chain{3};
  chain.put("k", "1");
  chain.world.crash(chain.host(1));
  for (int i = 0; i < 20; ++i) CHECK(chain.read("k").value() == "1");
}

TEST_CASE("reads are spread over the chain", "[replication][client]") {
  simulated_chain chain{3};
  chain.put("k", "1");
  for (int i = 0; i < 60; ++i) CHECK_FALSE(chain.read("k").error);
  for (std::size_t i = 0; i < 3; ++i) CHECK(chain.replica(i).core().counters().local_reads > 5);
}

TEST_CASE("a queue that is full refuses at the call", "[replication][client]") {
  client_config config;
  config.replicas = {simulated_chain::at(0)};
  config.queue_max = 2;
  client_core core{config, detail::random{1}};
  struct sink final : client_effects {
    using network_effects::send;
    void send(const connection&, bytes_view, std::span<const bytes>) override {}
    void open(std::uint64_t, const endpoint&) override {}
    void close(std::uint64_t) override {}
    void persist(operation, std::span<const bytes>) override {}
    void answer(request_id request, std::error_code error, const read_result&) override { reads[request] = error; }
    void answer(request_id request, std::error_code error, const write_result&) override { writes[request] = error; }
    std::map<request_id, std::error_code> reads;
    std::map<request_id, std::error_code> writes;
  } out;
  const time_point now{1h};
  core.start(now, out);
  core.read(1, "k", strong, routing::any(), {}, {}, now, out);
  core.write(2, write::put("k", "v"), {}, now, out);
  core.read(3, "k", strong, routing::any(), {}, {}, now, out);
  CHECK(out.reads.at(3) == errc::would_overflow);
  SECTION("and a cancelled call makes room") {
    core.cancel(1, now, out);
    core.read(4, "k", strong, routing::any(), {}, {}, now, out);
    CHECK_FALSE(out.reads.contains(4));
    CHECK_FALSE(out.reads.contains(1));
  }
  SECTION("and stopping answers all that is left") {
    core.stop(now, out);
    CHECK(out.reads.at(1) == errc::timed_out);
    CHECK(out.writes.at(2) == errc::timed_out);
    CHECK_FALSE(core.next_deadline());
  }
}

TEST_CASE("the same random seed and inputs make the same client", "[replication][client]") {
  simulated_chain one{3};
  simulated_chain two{3};
  for (simulated_chain* chain : {&one, &two}) {
    chain->put("k", "1");
    for (int i = 0; i < 10; ++i) CHECK(chain->read("k").value() == "1");
  }
  CHECK(one.world.trace_hash() == two.world.trace_hash());
  CHECK(one.client().hash(one.world.now()) == two.client().hash(two.world.now()));
  CHECK(one.replica(1).core().hash(one.world.now()) == two.replica(1).core().hash(two.world.now()));
}

TEST_CASE("a chain that begins anew on the same port does not take an old client's writes for a new one's",
          "[replication][client]") {
  simulated_chain chain{1};
  const auto old_client = chain.client_host();
  for (const char* key : {"a1", "a2", "a3"}) chain.put(key, "1");
  chain.world.crash(chain.host(0));
  const auto in_between = chain.begin_write(write::put("a4", "1"));
  view anew = chain.view();
  anew.replicas[0].id.incarnation = 2;
  replica_config config;
  config.self = anew.replicas[0].id;
  chain.world.restart(chain.host(0), std::make_unique<sim::replica_program>(config, anew, 77, sim::replica_driving{}));
  const auto new_client = chain.add_client();
  chain.speak_as(new_client);
  CHECK(chain.put("b1", "1").result.applied);
  chain.speak_as(old_client);
  chain.run(2s);
  REQUIRE(chain.answered(in_between));
  for (const char* key : {"a5", "a6", "a7"}) CHECK(chain.put(key, "1").result.applied);
  CHECK(chain.client().view() == anew);
  chain.speak_as(new_client);
  for (const char* key : {"b2", "b3", "b4", "b5", "b6", "b7", "b8"}) {
    CHECK(chain.put(key, "1").result.applied);
    CHECK(chain.read(key).value() == "1");
  }
}

TEST_CASE("a write that was sent to a chain that then began anew has an unknown outcome", "[replication][client]") {
  simulated_chain chain{1};
  chain.put("k", "0");
  chain.world.cut(chain.host(0), chain.client_host());
  const auto sent = chain.begin_write(write::put("k", "1"));
  chain.run(10ms);
  chain.world.crash(chain.host(0));
  chain.world.heal();
  view anew = chain.view();
  anew.replicas[0].id.incarnation = 2;
  replica_config config;
  config.self = anew.replicas[0].id;
  chain.world.restart(chain.host(0), std::make_unique<sim::replica_program>(config, anew, 77, sim::replica_driving{}));
  CHECK(chain.end_write(sent).error == errc::outcome_unknown);
  CHECK_FALSE(chain.read("k").result.found());
}

TEST_CASE("writes have a maximum of bytes in flight, also when they are sent again", "[replication][client]") {
  client_config config;
  config.write_bytes_in_flight_max = 10'000;
  simulated_chain chain{2};
  chain.speak_as(chain.add_client(config));
  chain.run(20ms);
  chain.world.set_stream_timeout(50ms);
  chain.put("k", "0");
  chain.world.cut(chain.host(0), chain.client_host());  // answers are lost, requests are not
  std::vector<request_id> writes;
  for (int i = 0; i < 20; ++i) {
    writes.push_back(chain.begin_write(write::put("k" + std::to_string(i), std::string(4'000, 'x'))));
  }
  chain.run(30ms);
  CHECK(chain.replica(0).core().counters().writes == 3);  // one before, and two of the twenty
  chain.run(500ms);
  chain.world.heal();
  for (const request_id request : writes) CHECK(chain.end_write(request).result.applied);
  const auto large = chain.put("large", std::string(20'000, 'x'));  // one write at least
  CHECK(large.result.applied);
}

TEST_CASE("reads of one client are not answered with more at once than its stream holds", "[replication][client]") {
  replica_config config;
  config.answer_bytes_max = 10'000;
  simulated_chain chain{2, read_mode::apportioned, config};
  chain.put("k", std::string(4'000, '0'));
  chain.hold(0);
  const auto held = chain.begin_write(write::put("k", std::string(4'000, '1')));
  chain.run(5ms);
  std::vector<request_id> reads;
  for (int i = 0; i < 10; ++i) reads.push_back(chain.begin_read("k", strong, 0));
  chain.run(5ms);
  chain.release(0);
  for (const request_id request : reads) CHECK(chain.end_read(request).result.found());
  CHECK(chain.replica(0).core().counters().refused_busy >= 7);
  CHECK(chain.client().counters().refused_busy >= 7);
  CHECK(chain.end_write(held).result.applied);
}

TEST_CASE("a timeout beyond the end of time is none", "[replication][client]") {
  constexpr time_point now{1h};
  CHECK(deadline_after(now, 1s) == now + 1s);
  CHECK_FALSE(deadline_after(now, duration::max()));
  CHECK_FALSE(deadline_after(now, time_point::max() - now));
}

TEST_CASE("the place of a client whose machine died is free again, that of an idle one is kept",
          "[replication][client]") {
  replica_config config;
  config.clients_max = 2;
  config.client_silence_max = 5s;
  simulated_chain chain{1, read_mode::apportioned, config};
  const auto dead = chain.add_client();
  chain.run(50ms);
  REQUIRE(chain.replica(0).core().client_links() == 2);
  chain.world.power_off(dead);
  const auto late = chain.add_client();
  chain.run(16s);
  CHECK(chain.replica(0).core().client_links() == 2);
  CHECK(chain.client().counters().links_lost == 0);  // the idle one was asked, and answered
  chain.speak_as(late);
  CHECK(chain.put("k", "v").result.applied);
}

TEST_CASE("more clients than sessions end each other's, and still come to their writes", "[replication][client]") {
  replica_config config;
  config.sessions_max = 2;
  simulated_chain chain{3, read_mode::apportioned, config};
  const std::vector<sim::host> clients{chain.client_host(), chain.add_client(), chain.add_client()};
  std::vector<request_id> writes;
  for (int round = 0; round < 20; ++round) {
    for (const sim::host client : clients) {
      chain.speak_as(client);
      writes.push_back(chain.begin_write(write::put("k", std::to_string(round))));
    }
    chain.run(1ms);
  }
  for (const request_id request : writes) {
    const auto answer = chain.end_write(request);
    CHECK((!answer.error || answer.error == errc::outcome_unknown));
  }
}

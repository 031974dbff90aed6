#include <string>
#include <vector>

#include "catch.hpp"
#include "loopback_chain.hpp"

// What a chain with real sockets does for its users when nothing goes wrong.

namespace artillery::replication {
namespace {

void require_value(const read_outcome& read, const bytes& value) {
  REQUIRE(read.error() == std::error_code{});
  REQUIRE(read.result().found());
  REQUIRE(read.result().value->size() == value.size());
  REQUIRE((*read.result().value == value));
}

}  // namespace

TEST_CASE("a chain of one reads what was written", "[replication][chain]") {
  loopback_chain chain{1};
  const auto put = chain.put("k", "v");
  REQUIRE(put.error() == std::error_code{});
  REQUIRE(put.result().applied);
  require_value(chain.read("k"), "v");
  REQUIRE(chain.read("k").result().version == put.result().version);

  const local_read local = chain.at(0).try_read("k");
  REQUIRE(local.found());
  REQUIRE(local.value == bytes{"v"});
  REQUIRE(local.version == put.result().version);
  REQUIRE(chain.at(0).status().role == role::single);
}

TEST_CASE("absent, empty and erased are told apart", "[replication][chain]") {
  loopback_chain chain{3};
  REQUIRE(!chain.read("k").result().found());
  REQUIRE(chain.read("k").result().version.none());
  REQUIRE(chain.at(1).try_read("k").absent());

  REQUIRE(chain.put("k", "").result().applied);
  require_value(chain.read("k"), "");

  const auto erased = chain.erase("k");
  REQUIRE(erased.error() == std::error_code{});
  REQUIRE(erased.result().applied);
  REQUIRE(!chain.read("k").result().found());
  REQUIRE(chain.erase("k").result().applied);
}

TEST_CASE("each replica of three answers strong reads of what was acknowledged", "[replication][chain]") {
  loopback_chain chain{3};
  for (int i = 0; i < 20; ++i) {
    const std::string value = "value " + std::to_string(i);
    REQUIRE(chain.put("k", value).result().applied);
    for (std::size_t at = 0; at < 3; ++at) require_value(chain.read_at(at, "k"), value);
  }
  REQUIRE(chain.at(0).status().role == role::head);
  REQUIRE(chain.at(1).status().role == role::middle);
  REQUIRE(chain.at(2).status().role == role::tail);
}

TEST_CASE("a strong read of a clean object sends no message between replicas", "[replication][chain]") {
  loopback_chain chain{3};
  REQUIRE(chain.put("k", "v").result().applied);
  REQUIRE(chain.until([&] { return chain.at(0).try_read("k").found() && chain.at(1).try_read("k").found(); }));
  constexpr int reads = 100;
  for (int i = 0; i < reads; ++i) REQUIRE(chain.read("k").result().local);
  std::uint64_t local = 0;
  std::uint64_t queries = 0;
  for (std::size_t at = 0; at < 3; ++at) {
    local += chain.at(at).counters().local_reads;
    queries += chain.at(at).counters().watermark_queries;
  }
  REQUIRE(local >= reads);
  REQUIRE(queries == 0);
}

TEST_CASE("a compare-and-swap happens only on the version that it expects", "[replication][chain]") {
  loopback_chain chain{3};
  const auto created = chain.compare_and_swap("k", {}, "one");
  REQUIRE(created.result().applied);
  const auto again = chain.compare_and_swap("k", {}, "other");
  REQUIRE(again.error() == std::error_code{});
  REQUIRE(!again.result().applied);
  REQUIRE(again.result().version == created.result().version);
  const auto swapped = chain.compare_and_swap("k", created.result().version, "two");
  REQUIRE(swapped.result().applied);
  REQUIRE(!chain.compare_and_swap("k", created.result().version, "three").result().applied);
  require_value(chain.read("k"), "two");
}

TEST_CASE("put-if-absent creates once, and a conditional erase needs its version", "[replication][chain]") {
  loopback_chain chain{1};
  const auto create = [&](bytes value) {
    return chain.wait([&](write_outcome done) { chain.client().async_put_if_absent("k", value, done); },
                      write_outcome{});
  };
  const auto first = create("1");
  REQUIRE(first.result().applied);
  REQUIRE(!create("2").result().applied);
  const auto erase = [&](version expected) {
    return chain.wait(
        [&](write_outcome done) { chain.client().async_write(write::erase("k", condition::is(expected)), done); },
        write_outcome{});
  };
  REQUIRE(!erase({1, 999}).result().applied);
  REQUIRE(erase(first.result().version).result().applied);
  REQUIRE(!chain.read("k").result().found());
}

TEST_CASE("values of all sizes come back whole from every replica", "[replication][chain]") {
  loopback_chain chain{3};
  for (std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{255}, std::size_t{256}, std::size_t{1025},
                           std::size_t{64} << 10U, (std::size_t{1} << 20U) - 1, std::size_t{1} << 20U}) {
    CAPTURE(size);
    std::string text(size, ' ');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + (i * 31 + i / 977) % 26);
    const bytes value{text};
    REQUIRE(chain.put("large", value).result().applied);
    for (std::size_t at = 0; at < 3; ++at) require_value(chain.read_at(at, "large"), value);
  }
}

TEST_CASE("what is out of range is refused at the call", "[replication][chain]") {
  loopback_chain chain{1};
  const bytes too_large{std::string((std::size_t{1} << 20U) + 1, 'x')};
  REQUIRE(chain.put("k", too_large).error() == errc::too_large);
  REQUIRE(chain.put("", "v").error() == errc::invalid_argument);
  REQUIRE(chain.put(std::string(key_size_max + 1, 'k'), "v").error() == errc::invalid_argument);
  REQUIRE(chain.put(std::string(key_size_max, 'k'), "v").result().applied);
  REQUIRE(chain.read("").error() == errc::invalid_argument);
  REQUIRE(chain.erase("").error() == errc::invalid_argument);

  const auto read = [&](bytes key, duration timeout) {
    return chain.wait([&](read_outcome done) { chain.at(0).async_read(key, strong, timeout, done); }, read_outcome{});
  };
  REQUIRE(read("", 1s).error() == errc::invalid_argument);
  REQUIRE(read("k", 0s).error() == errc::invalid_argument);
  const auto put = chain.wait([&](write_outcome done) { chain.client().async_put("k", "v", write_options{-1s}, done); },
                              write_outcome{});
  REQUIRE(put.error() == errc::invalid_argument);
  REQUIRE(chain.client().counters().writes == 1);
}

TEST_CASE("all kinds of reads are answered by all replicas", "[replication][chain]") {
  loopback_chain chain{3};
  REQUIRE(chain.put("k", "v").result().applied);
  for (std::size_t at = 0; at < 3; ++at) {
    for (const consistency& level : {strong, bounded(50ms), bounded(3u), eventual}) {
      require_value(chain.read_at(at, "k", level), "v");
      const auto local =
          chain.wait([&](read_outcome done) { chain.at(at).async_read("k", level, done); }, read_outcome{});
      require_value(local, "v");
    }
  }
}

TEST_CASE("in plain chain replication the tail answers", "[replication][chain]") {
  loopback_chain chain{3, read_mode::tail_only};
  REQUIRE(chain.put("k", "v").result().applied);
  for (int i = 0; i < 10; ++i) require_value(chain.read("k"), "v");
  REQUIRE(chain.at(2).counters().local_reads == 10);
  REQUIRE(chain.at(0).try_read("k").what == local_read::outcome::ask);
  REQUIRE(chain.at(2).try_read("k").found());
}

TEST_CASE("thousands of operations under way at once all complete", "[replication][chain]") {
  loopback_chain chain{3};
  constexpr int operations = 3000;
  std::vector<write_outcome> writes(operations);
  for (int i = 0; i < operations; ++i)
    chain.client().async_put("k" + std::to_string(i % 100), std::to_string(i), writes[static_cast<std::size_t>(i)]);
  for (const write_outcome& write : writes) {
    REQUIRE(chain.until([&] { return write.done(); }));
    REQUIRE(write.result().applied);
  }
  std::vector<read_outcome> reads(operations);
  for (int i = 0; i < operations; ++i)
    chain.client().async_read("k" + std::to_string(i % 100), strong, reads[static_cast<std::size_t>(i)]);
  for (const read_outcome& read : reads) {
    REQUIRE(chain.until([&] { return read.done(); }));
    REQUIRE(read.result().found());
  }
}

TEST_CASE("many keys are read from memory in one call", "[replication][chain]") {
  loopback_chain chain{3};
  REQUIRE(chain.put("a", "1").result().applied);
  REQUIRE(chain.put("b", "2").result().applied);
  std::vector<std::string> names;
  for (int i = 0; i < 200; ++i) names.push_back(i % 3 == 0 ? "a" : i % 3 == 1 ? "b" : "c");
  const std::vector<std::string_view> keys{names.begin(), names.end()};
  std::vector<local_read> found(keys.size());
  REQUIRE(chain.until([&] { return chain.at(0).try_read("a").found() && chain.at(0).try_read("b").found(); }));
  chain.at(0).try_read(keys, found);
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (i % 3 == 2)
      REQUIRE(found[i].absent());
    else
      REQUIRE(found[i].value == bytes{i % 3 == 0 ? "1" : "2"});
  }
}

TEST_CASE("a replica tells its events in order, and where it lost some", "[replication][chain]") {
  asio::io_context io;
  replica_options options;
  options.events_max = 1;
  replica one{io.get_executor(), config_of(0), options};
  one.async_run(asio::detached);
  REQUIRE(net::runs_until(io, [&] { return !one.local_endpoint().none(); }));
  view only;
  only.chain = 1;
  only.epoch = 1;
  only.replicas.push_back({name_of(0), one.local_endpoint()});
  run_outcome adopted;
  one.async_adopt(only, adopted);
  REQUIRE(net::runs_until(io, [&] { return adopted.done(); }));
  REQUIRE(adopted.error() == std::error_code{});
  const auto next = [&] {
    event_outcome told;
    one.async_next_event(told);
    REQUIRE(net::runs_until(io, [&] { return told.done(); }));
    return told.result();
  };
  REQUIRE(next().what == event::kind::listening);
  const event lost = next();
  REQUIRE(lost.what == event::kind::overflow);
  REQUIRE(lost.lost == 1);
}

TEST_CASE("an authority's view is put in force when the replica runs", "[replication][chain]") {
  asio::io_context io;
  view only;
  only.chain = 1;
  only.epoch = 4;
  only.replicas.push_back({name_of(0), endpoint::v4(127, 0, 0, 1, 1)});  // nobody connects to oneself
  static_authority decides{only};
  memory_store objects;
  replica one{io.get_executor(), config_of(0), {}, decides, objects};
  one.async_run(asio::detached);
  REQUIRE(net::runs_until(io, [&] { return one.status().epoch == 4; }));
  REQUIRE(net::runs_until(io, [&] { return one.try_read("k").absent(); }));

  run_outcome same, other, another_chain;
  one.async_adopt(only, same);
  only.epoch = 5;
  one.async_adopt(only, other);
  REQUIRE(net::runs_until(io, [&] { return same.done() && other.done(); }));
  REQUIRE(same.error() == std::error_code{});
  REQUIRE(other.error() == errc::stale_epoch);
}

TEST_CASE("a replica that its view does not list serves nothing and says so", "[replication][chain]") {
  asio::io_context io;
  view others;
  others.chain = 1;
  others.epoch = 1;
  others.replicas.push_back({name_of(7), endpoint::v4(127, 0, 0, 1, 1)});
  static_authority decides{others};
  replica stranger{io.get_executor(), config_of(0), {}, decides};
  stranger.async_run(asio::detached);
  event_outcome first, second;
  stranger.async_next_event(first);
  stranger.async_next_event(second);
  REQUIRE(net::runs_until(io, [&] { return second.done(); }));
  REQUIRE(first.result().what == event::kind::listening);
  REQUIRE(second.result().what == event::kind::not_serving);
  REQUIRE(stranger.try_read("k").what == local_read::outcome::ask);
  read_outcome read;
  stranger.async_read("k", strong, read);
  REQUIRE(net::runs_until(io, [&] { return read.done(); }));
  REQUIRE(read.error() == errc::not_serving);
}

TEST_CASE("a wrong configuration, view or port shows when the object runs", "[replication][chain]") {
  asio::io_context io;
  const auto run = [&](auto& object) {
    run_outcome ended;
    object.async_run(ended);
    REQUIRE(net::runs_until(io, [&] { return ended.done(); }));
    return ended.error();
  };
  replica nameless{io.get_executor(), replica_config{}};
  REQUIRE(run(nameless) == errc::invalid_configuration);
  client aimless{io.get_executor(), client_config{}};
  REQUIRE(run(aimless) == errc::invalid_configuration);
  static_authority nobody{view{}};
  replica misled{io.get_executor(), config_of(0), {}, nobody};
  REQUIRE(run(misled) == errc::invalid_configuration);

  replica first{io.get_executor(), config_of(0)};
  first.async_run(asio::detached);
  REQUIRE(net::runs_until(io, [&] { return !first.local_endpoint().none(); }));
  replica_options taken;
  taken.listen = first.local_endpoint();
  replica second{io.get_executor(), config_of(1), taken};
  REQUIRE(run(second) == std::errc::address_in_use);
}

TEST_CASE("the figures of replica and client have stable names", "[replication][chain]") {
  loopback_chain chain{1};
  REQUIRE(chain.put("k", "v").result().applied);
  std::uint64_t writes = 0;
  std::uint64_t objects = 0;
  chain.at(0).metrics([&](std::string_view name, std::uint64_t value) {
    if (name == "replication.writes") writes = value;
    if (name == "replication.objects") objects = value;
  });
  REQUIRE(writes == 1);
  REQUIRE(objects == 1);
  std::uint64_t answered = 0;
  chain.client().metrics([&](std::string_view name, std::uint64_t value) {
    if (name == "replication.client.writes") answered = value;
  });
  REQUIRE(answered == 1);
  REQUIRE(chain.client().view() == chain.view());
}

}  // namespace artillery::replication

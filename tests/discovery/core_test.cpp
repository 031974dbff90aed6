#include "discovery/core.hpp"

#include "artillery/error.hpp"
#include "catch.hpp"
#include "discovery/one_node.hpp"

using namespace scenario;

namespace {

/// Times of what was sent, in milliseconds after `start`.
std::vector<std::int64_t> times(const std::vector<one_node::sent>& sent, time_point start) {
  std::vector<std::int64_t> result;
  for (const auto& s : sent) result.push_back(std::chrono::duration_cast<milliseconds>(s.at - start).count());
  return result;
}

}  // namespace

TEST_CASE("a service is announced four times in three seconds, then every ten, give or take two", "[discovery]") {
  one_node n;
  const time_point start = n.now;
  REQUIRE_FALSE(n.node().announce(a_service(), n.now, n));
  n.pass(seconds{300});
  const auto sent = n.take_sent(frame_kind::announce);
  auto at = times(sent, start);
  REQUIRE(at.size() >= 27);
  CHECK(std::vector<std::int64_t>(at.begin(), at.begin() + 4) == std::vector<std::int64_t>{0, 250, 1000, 3000});
  for (std::size_t i = 4; i < at.size(); ++i) {
    CHECK(at[i] - at[i - 1] >= 8'000);
    CHECK(at[i] - at[i - 1] <= 12'000);
  }
  CHECK(sent.front().to.peer == everyone);
  CHECK(sent.front().what.header.ttl == seconds{30});
}

TEST_CASE("a service that changes ten times a second is announced as if it changed once", "[discovery]") {
  one_node n;
  service s = a_service();
  for (int i = 0; i < 100; ++i) {
    s.load = static_cast<std::uint8_t>(i);
    REQUIRE_FALSE(n.node().announce(s, n.now, n));
    n.pass(milliseconds{100});
  }
  const auto sent = n.take_sent(frame_kind::announce);
  CHECK(sent.size() <= 25);
  // Nor do the changes keep each other from being told: every second brings the newest form.
  CHECK(sent.size() >= 10);
  CHECK(std::get<announcement>(sent.back().what.body).what.load >= 80);
}

TEST_CASE("a service that is withdrawn says good-bye three times and is not heard of again", "[discovery]") {
  one_node n;
  REQUIRE_FALSE(n.node().announce(a_service(), n.now, n));
  n.pass(seconds{5});
  n.take_sent(frame_kind::announce);
  const time_point start = n.now;
  REQUIRE_FALSE(n.node().withdraw(a_service().instance, n.now, n));
  CHECK(n.node().announce(a_service(), n.now, n) == errc::already_running);
  n.pass(milliseconds{299});
  CHECK(n.take_events().empty());
  n.pass(seconds{100});
  CHECK(times(n.take_sent(frame_kind::goodbye), start) == std::vector<std::int64_t>{0, 100, 300});
  CHECK(n.take_events() == std::vector<core_event>{withdrawn{a_service().instance}});
  CHECK(n.take_sent(frame_kind::announce).empty());
  CHECK(n.node().withdraw(a_service().instance, n.now, n) == errc::invalid_argument);
}

TEST_CASE("a browser is told once of a service, of its changes, and of its goodbye", "[discovery]") {
  one_node n;
  REQUIRE_FALSE(n.node().browse("kv", n.now, n));
  service s = a_service();
  n.hear(one_node::announcing(s, 1));
  n.hear(one_node::announcing(s, 2));
  s.load = 9;
  n.hear(one_node::announcing(s, 3));
  n.hear(one_node::leaving(s, 4));
  n.hear(one_node::leaving(s, 5));
  const auto told = n.take_events();
  REQUIRE(told.size() == 3);
  CHECK(fact<found>(told[0])->what.load == 0);
  CHECK(fact<updated>(told[1])->what.load == 9);
  CHECK(fact<lost>(told[2])->reason == loss::goodbye);
}

TEST_CASE("what is late changes nothing", "[discovery]") {
  one_node n;
  REQUIRE_FALSE(n.node().browse("kv", n.now, n));
  service newer = a_service();
  newer.load = 9;
  n.hear(one_node::announcing(newer, 5));
  n.take_events();
  n.hear(one_node::announcing(a_service(), 4));     // overtaken
  n.hear(one_node::leaving(a_service(), 3));        // overtaken, too
  n.hear(one_node::announcing(a_service(), 6, 4));  // of an earlier life
  CHECK(n.take_events().empty());
}

TEST_CASE("a service that said good-bye is not brought back by a late announcement", "[discovery]") {
  one_node n;
  REQUIRE_FALSE(n.node().browse("kv", n.now, n));
  n.hear(one_node::announcing(a_service(), 1));
  n.hear(one_node::leaving(a_service(), 3));
  n.take_events();
  n.pass(seconds{60});
  n.hear(one_node::announcing(a_service(), 2));
  CHECK(n.take_events().empty());
  n.hear(one_node::announcing(a_service(), 4));  // announced anew
  CHECK(n.take_events().size() == 1);
}

TEST_CASE("a goodbye that overtakes its announcement is remembered", "[discovery]") {
  one_node n;
  REQUIRE_FALSE(n.node().browse("kv", n.now, n));
  n.hear(one_node::leaving(a_service(), 2));
  n.hear(one_node::announcing(a_service(), 1));
  CHECK(n.take_events().empty());
}

TEST_CASE("a service that falls silent is asked after, and lost when its ttl is over", "[discovery]") {
  one_node n;
  REQUIRE_FALSE(n.node().browse("kv", n.now, n));
  n.pass(seconds{1000});  // the browser's own questions are rare by now
  n.take_sent(frame_kind::seek);
  const time_point start = n.now;
  n.hear(one_node::announcing(a_service(), 1));
  n.take_events();
  n.pass(milliseconds{29'999});
  CHECK(n.take_events().empty());
  std::vector<one_node::sent> after;
  for (const auto& s : n.take_sent(frame_kind::seek))
    if (s.to.peer == neighbour) after.push_back(s);
  CHECK(times(after, start) == std::vector<std::int64_t>{24'000, 27'000, 28'500});
  n.pass(milliseconds{1});
  const auto told = n.take_events();
  REQUIRE(told.size() == 1);
  CHECK(fact<lost>(told[0])->reason == loss::expired);
  n.hear(one_node::announcing(a_service(), 1));  // its last word once more: nothing new
  CHECK(n.take_events().empty());
}

TEST_CASE("what a node offered in an earlier life and no more is lost when it comes back", "[discovery]") {
  one_node n;
  REQUIRE_FALSE(n.node().browse("", n.now, n));
  n.hear(one_node::announcing(a_service("kv", 1), 1));
  n.hear(one_node::announcing(a_service("kv", 2), 2));
  n.take_events();
  n.hear(one_node::announcing(a_service("kv", 1), 1, 6));
  const auto told = n.take_events();
  REQUIRE(told.size() == 1);
  CHECK(fact<lost>(told[0])->reason == loss::restarted);
  CHECK(fact<lost>(told[0])->what.instance == a_service("kv", 2).instance);
}

TEST_CASE("a node whose clock was set back is believed once its services ran out, and an old one five minutes later",
          "[discovery]") {
  one_node n;
  REQUIRE_FALSE(n.node().browse("", n.now, n));
  n.hear(one_node::announcing(a_service("kv", 1), 100, 6));
  n.take_events();
  n.hear(one_node::announcing(a_service("kv", 2), 1, 5));
  CHECK(n.take_events().empty());
  n.pass(seconds{30});
  CHECK(n.take_events().size() == 1);  // the old one has run out
  n.hear(one_node::announcing(a_service("kv", 2), 2, 5));
  CHECK(n.take_events().size() == 1);
  n.hear(one_node::announcing(a_service("kv", 1), 3, 5));
  CHECK(n.take_events().empty());
  n.pass(service_table::departed_memory);
  n.take_events();
  n.hear(one_node::announcing(a_service("kv", 1), 4, 5));
  CHECK(n.take_events().size() == 1);
}

TEST_CASE("a browser asks at once, then ever more rarely, and lists what it knows", "[discovery]") {
  one_node n;
  const time_point start = n.now;
  REQUIRE_FALSE(n.node().browse("kv", n.now, n));
  n.pass(seconds{10});
  n.hear(one_node::announcing(a_service(), 1));
  n.pass(seconds{10});
  const auto asked = n.take_sent(frame_kind::seek);
  REQUIRE(asked.size() == 5);
  const auto at = times(asked, start);
  CHECK(at[0] < 20);
  CHECK(at[1] - at[0] == 1000);
  CHECK(at[2] - at[1] == 2000);
  CHECK(at[3] - at[2] == 4000);
  CHECK(at[4] - at[3] == 8000);
  CHECK(asked[0].size >= frame_size_aim);  // so that an answer is not larger
  CHECK(asked[0].what.header.answer_port == 50000);
  CHECK(std::get<question>(asked[4].what.body).known == std::vector{a_service().instance.high});
}

TEST_CASE("a question is answered once, at the port it names", "[discovery]") {
  one_node n;
  REQUIRE_FALSE(n.node().announce(a_service(), n.now, n));
  const endpoint shared = neighbour.with_port(27946);
  n.hear(one_node::asking({"kv", {}, {}, false}, 77), shared, frame_size_aim);
  n.hear(one_node::asking({"kv", {}, {}, false}, 77), shared, frame_size_aim);
  n.pass(milliseconds{200});
  const auto offers = n.take_sent(frame_kind::offer);
  REQUIRE(offers.size() == 1);
  CHECK(offers[0].to == connection::datagram(neighbour, 1));
  CHECK(offers[0].what.header.query == 77);
}

TEST_CASE("a question is not answered by what it lists, does not want, or was not asked for", "[discovery]") {
  one_node n;
  REQUIRE_FALSE(n.node().announce(a_service(), n.now, n));
  n.hear(one_node::asking({"kv", {}, {a_service().instance.high}, false}, 1), neighbour, frame_size_aim);
  n.hear(one_node::asking({"other", {}, {}, false}, 2), neighbour, frame_size_aim);
  n.hear(one_node::asking({"kv", {9, 9}, {}, false}, 3), neighbour, frame_size_aim);
  n.pass(milliseconds{200});
  CHECK(n.take_sent(frame_kind::offer).empty());
}

TEST_CASE("an answer is never larger than its question; what does not fit is announced to all", "[discovery]") {
  one_node n;
  for (std::uint64_t i = 1; i <= 5; ++i) REQUIRE_FALSE(n.node().announce(a_service("kv", i), n.now, n));
  n.pass(seconds{7});
  n.take_sent(frame_kind::announce);
  n.hear(one_node::asking({"kv", {}, {}, false}, 1), neighbour, frame_size_aim);
  n.pass(milliseconds{10});
  std::size_t answered = 0;
  const auto offers = n.take_sent(frame_kind::offer);
  for (const auto& o : offers) answered += o.size;
  CHECK(answered <= frame_size_aim);
  CHECK(offers.size() + n.take_sent(frame_kind::announce).size() == 5);
  n.hear(one_node::asking({"kv", {}, {}, false}, 2));  // not padded: too small for any answer
  n.pass(seconds{1});
  CHECK(n.take_sent(frame_kind::offer).empty());
}

TEST_CASE("one source gets twenty answers at once and ten a second from then on", "[discovery]") {
  one_node n;
  REQUIRE_FALSE(n.node().announce(a_service(), n.now, n));
  std::uint64_t query = 0;
  for (int i = 0; i < 1000; ++i) n.hear(one_node::asking({"kv", {}, {}, false}, ++query), neighbour, frame_size_aim);
  n.pass(milliseconds{10});
  CHECK(n.take_sent(frame_kind::offer).size() == 20);
  for (int i = 0; i < 1000; ++i) {
    n.pass(milliseconds{1});
    n.hear(one_node::asking({"kv", {}, {}, false}, ++query), neighbour, frame_size_aim);
  }
  n.pass(milliseconds{200});
  CHECK(n.take_sent(frame_kind::offer).size() == 10);
  CHECK(n.node().counters().questions_limited > 1900);
}

TEST_CASE("nobody gets answers beyond two hundred a second in all", "[discovery]") {
  one_node n;
  REQUIRE_FALSE(n.node().announce(a_service(), n.now, n));
  for (std::uint16_t i = 0; i < 1000; ++i) {
    const auto source = endpoint::v4(10, 0, 0, static_cast<std::uint8_t>(2 + i % 200), 40000);
    n.hear(one_node::asking({"kv", {}, {}, false}, i + 1U), source, frame_size_aim);
    if (i % 50 == 0) n.pass(milliseconds{1});
  }
  n.pass(milliseconds{500});
  CHECK(n.take_sent(frame_kind::offer).size() <= 205);
}

TEST_CASE("frames that a router carried, or that nobody can be answered at, change nothing", "[discovery]") {
  one_node n;
  REQUIRE_FALSE(n.node().browse("kv", n.now, n));
  REQUIRE_FALSE(n.node().announce(a_service(), n.now, n));
  n.pass(seconds{5});
  n.take_sent(frame_kind::offer);
  for (const endpoint& from :
       {endpoint::v4(192, 0, 2, 1, 40000), endpoint::v4(10, 0, 0, 255, 40000), endpoint::v4(224, 0, 0, 1, 40000),
        endpoint::v4(0, 0, 0, 0, 40000), endpoint::v4(10, 0, 0, 2, 0)}) {
    n.hear(one_node::announcing(a_service("kv", 7), 1), from);
    n.hear(one_node::asking({"kv", {}, {}, false}, from.address()[0] + 1U), from, frame_size_aim);
  }
  n.pass(milliseconds{200});
  CHECK(n.take_events().empty());
  CHECK(n.take_sent(frame_kind::offer).empty());
  CHECK(n.node().counters().off_link == 10);
}

TEST_CASE("one hears oneself and takes no notice", "[discovery]") {
  one_node n;
  REQUIRE_FALSE(n.node().browse("kv", n.now, n));
  frame own = one_node::announcing(a_service(), 1);
  own.header.node = {1, 1};
  n.hear(own);
  CHECK(n.take_events().empty());
  CHECK(n.node().counters().echoes == 1);
}

TEST_CASE("every kind of rubbish is counted under its reason, and the next good frame is heard", "[discovery]") {
  one_node n;
  REQUIRE_FALSE(n.node().browse("kv", n.now, n));
  n.hear_bytes({});
  n.hear_bytes(std::vector<std::byte>(5000));
  n.hear(one_node::announcing(a_service(), 1), neighbour, 0, "another cluster");
  std::vector<std::byte> damaged;
  encode(one_node::announcing(a_service(), 1), realm::of("scenario"), 0, damaged);
  damaged[60] ^= std::byte{1};
  n.hear_bytes(damaged);
  damaged[1] = std::byte{9};
  n.hear_bytes(damaged);
  const core_counters& c = n.node().counters();
  CHECK(c.malformed == 2);
  CHECK(c.foreign_cluster == 1);
  CHECK(c.checksum_mismatches == 1);
  CHECK(c.unsupported == 1);
  CHECK(n.take_events().empty());
  n.hear(one_node::announcing(a_service(), 1));
  CHECK(n.take_events().size() == 1);
}

TEST_CASE("a wildcard address is filled in with the one it was announced from", "[discovery]") {
  one_node n;
  REQUIRE_FALSE(n.node().browse("kv", n.now, n));
  service s = a_service();
  s.endpoints = {endpoint::v4(0, 0, 0, 0, 9000)};
  n.hear(one_node::announcing(s, 1));
  CHECK(fact<found>(n.take_events().at(0))->what.endpoints == std::vector{neighbour.with_port(9000)});
  // The same node by its other address: no change as long as the first is heard.
  n.hear(one_node::announcing(s, 2), endpoint::v4(10, 0, 0, 3, 40000));
  CHECK(n.take_events().empty());
}

TEST_CASE("a table that is full forgets what was not heard of for long", "[discovery]") {
  one_node n;
  for (std::uint64_t i = 0; i < 5000; ++i) {
    frame f = one_node::announcing(a_service("kv", 1), 1);
    f.header.node = {i + 10, 1};
    n.hear(f);
  }
  CHECK(n.node().services_known() == service_table::services_max);
  CHECK(n.node().counters().evicted == 5000 - service_table::services_max);
}

TEST_CASE("a seek takes the least loaded that is known, else the first answer, else its deadline", "[discovery]") {
  one_node n;
  service busy = a_service("kv", 1);
  busy.load = 200;
  service idle = a_service("kv", 2);
  idle.load = 3;
  REQUIRE_FALSE(n.node().seek(1, "kv", n.now + seconds{1}, n.now, n));
  CHECK(n.take_sent(frame_kind::seek).size() == 1);
  n.hear(one_node::announcing(busy, 1));
  n.hear(one_node::announcing(idle, 2));
  REQUIRE_FALSE(n.node().seek(2, "kv", n.now + seconds{1}, n.now, n));
  REQUIRE_FALSE(n.node().seek(3, "nobody", n.now + seconds{1}, n.now, n));
  n.pass(seconds{2});
  const auto told = n.take_events();
  REQUIRE(told.size() == 3);
  CHECK(std::get<sought>(told[0]).found->instance == busy.instance);
  CHECK(std::get<sought>(told[1]).found->instance == idle.instance);
  CHECK(std::get<sought>(told[2]) == sought{3, std::nullopt});
}

TEST_CASE("where the first answer wins the busier waits longer", "[discovery]") {
  const auto answer_time = [](std::uint8_t load) {
    one_node n;
    service s = a_service();
    s.load = load;
    REQUIRE_FALSE(n.node().announce(s, n.now, n));
    const time_point start = n.now;
    n.hear(one_node::asking({"kv", {}, {}, true}, 1), neighbour, frame_size_aim);
    n.pass(seconds{1});
    return times(n.take_sent(frame_kind::offer), start).at(0);
  };
  CHECK(answer_time(0) <= 10);
  CHECK(answer_time(255) >= 40);
}

TEST_CASE("without an interface a node is isolated, and introduces itself anew when there is one", "[discovery]") {
  one_node n;
  REQUIRE_FALSE(n.node().announce(a_service(), n.now, n));
  REQUIRE_FALSE(n.node().browse("kv", n.now, n));
  n.pass(seconds{100});
  n.node().interfaces_changed({}, n.now, n);
  REQUIRE(n.take_events() == std::vector<core_event>{event{isolated{}}});
  n.log.clear();
  n.pass(seconds{100});
  CHECK(n.log.empty());
  const time_point start = n.now;
  n.node().interfaces_changed({one_node::link(1)}, n.now, n);
  n.pass(seconds{3});
  CHECK(n.take_events() == std::vector<core_event>{event{connected{}}});
  CHECK(times(n.take_sent(frame_kind::announce), start) == std::vector<std::int64_t>{0, 250, 1000, 3000});
  CHECK(n.take_sent(frame_kind::seek).size() == 2);
}

TEST_CASE("a quiet node sends no more than six datagrams a minute", "[discovery]") {
  auto config = one_node::config_of_core();
  CHECK(discovery::config{}.announce_interval == seconds{12});
  one_node n;
  core quiet{[&] {
               config.announce_interval = seconds{12};
               return config;
             }(),
             detail::random{3}};
  quiet.interfaces_changed({one_node::link(1)}, n.now, n);
  REQUIRE_FALSE(quiet.announce(a_service(), n.now, n));
  REQUIRE_FALSE(quiet.browse("kv", n.now, n));
  const auto run_until = [&](time_point end) {
    while (quiet.next_deadline() && *quiet.next_deadline() <= end) {
      n.now = *quiet.next_deadline();
      quiet.expire(n.now, n);
    }
  };
  run_until(n.now + std::chrono::minutes{3});
  n.log.clear();
  run_until(n.now + std::chrono::minutes{60});
  CHECK(n.log.size() <= 60 * 6 + 10);
}

TEST_CASE("a thousand announcers together stay at about twenty announcements a second", "[discovery]") {
  one_node n;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    frame f = one_node::announcing(a_service("kv", 1), 1);
    f.header.ttl = std::chrono::hours{1};
    f.header.node = {i + 10, 1};
    n.hear(f);
  }
  REQUIRE_FALSE(n.node().announce(a_service(), n.now, n));
  n.pass(seconds{5});
  n.take_sent(frame_kind::announce);
  n.pass(seconds{1000});
  const auto sent = n.take_sent(frame_kind::announce);
  CHECK(sent.size() >= 17);
  CHECK(sent.size() <= 24);
  CHECK(sent.front().what.header.ttl == seconds{150});
}

TEST_CASE("a copy of a core goes on as the core does", "[discovery]") {
  one_node n;
  REQUIRE_FALSE(n.node().announce(a_service(), n.now, n));
  REQUIRE_FALSE(n.node().browse("kv", n.now, n));
  n.hear(one_node::announcing(a_service("kv", 2), 1));
  n.pass(seconds{3});
  core copy = n.node();
  REQUIRE(copy.hash(n.now) == n.node().hash(n.now));
  const time_point then = *copy.next_deadline();
  one_node elsewhere;
  copy.expire(then, elsewhere);
  CHECK(copy.hash(then) != n.node().hash(then));
  n.node().expire(then, n);
  CHECK(copy.hash(then) == n.node().hash(then));
}

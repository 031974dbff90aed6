#include <set>

#include "membership/recorder.hpp"

using namespace bench;

namespace {

membership::event_record question_of(const peer& p, std::uint64_t number, membership::question asks) {
  return {.origin = membership::shorten(p.id),
          .boot = p.boot,
          .sequence = number,
          .previous = number - 1,
          .lamport = number,
          .topic = "t",
          .payload = "how?",
          .question = std::make_shared<const membership::question>(std::move(asks))};
}

membership::reply reply_of(const table& t, const peer& p, std::uint64_t question, std::optional<std::string> answer) {
  return {.sender = membership::shorten(p.id),
          .boot = p.boot,
          .addressee = membership::address_tag(t.core.self().id, t.core.self().boot),
          .question = question,
          .answers = answer.has_value(),
          .payload = bytes{answer.value_or("")}};
}

/// A table that knows three peers: the first and second are databases.
struct asker : table {
  explicit asker(membership::config config = membership::config::lan()) : table{std::move(config)} {
    for (std::size_t i = 0; i < 3; ++i) {
      auto c = peers[i].claim();
      if (i < 2) {
        auto facts = *c.facts;
        facts.tags = {{"role", "db"}, {"zone", std::to_string(i)}};
        c.facts = std::make_shared<const membership::facts>(facts);
      }
      receive(peers[i].at, membership::gossip{}, {c});
    }
    pass(500ms);
    out.clear();
  }
  std::error_code ask(std::uint64_t call, membership::query_options options = {}) {
    return core.query(call, "t", "how?", options, now, out);
  }
  std::string news() {
    std::string all;
    for (const auto& one : core.take_news()) {
      all += std::to_string(one.call) + ":";
      if (const auto* a = std::get_if<membership::answer>(&one.what)) {
        all += std::string{a->payload.text()} + " ";
      } else {
        const auto& end = std::get<membership::query_end>(one.what);
        all += std::to_string(end.asked) + "/" + std::to_string(end.heard) + "/" + std::to_string(end.answered) + " ";
      }
    }
    return all;
  }

  const std::array<peer, 3> peers{make_peer(1), make_peer(2), make_peer(3)};
};

std::size_t queries_told(const recorder& out) {
  return out.count<membership::query>();
}

}  // namespace

TEST_CASE("a query rides as an event, and its answers end it when all have come", "[membership][query]") {
  asker t;
  REQUIRE_FALSE(t.ask(9));
  const auto sent = t.out.all<membership::gossip>();
  REQUIRE_FALSE(sent.empty());
  REQUIRE(sent[0].message.items.events.size() == 1);
  const auto& record = sent[0].message.items.events[0];
  REQUIRE(record.question != nullptr);
  CHECK(record.question->timeout_ms == 5'000);
  CHECK(t.news().empty());
  for (const peer& p : t.peers) t.receive(p.at, reply_of(t, p, record.sequence, "by " + std::to_string(p.id.low)));
  CHECK(t.news() == "9:by 1 9:by 2 9:by 3 9:3/3/3 ");
  CHECK(t.out.all<membership::reply_receipt>().size() == 3);
}

TEST_CASE("an answer counts once, and is receipted each time", "[membership][query]") {
  asker t;
  REQUIRE_FALSE(t.ask(9));
  for (int i = 0; i < 3; ++i) t.receive(t.peers[0].at, reply_of(t, t.peers[0], 1, "a"));
  CHECK(t.news() == "9:a ");
  CHECK(t.out.all<membership::reply_receipt>().size() == 3);
}

TEST_CASE("what was not answered is told when the time is over", "[membership][query]") {
  asker t;
  REQUIRE_FALSE(t.ask(9));
  t.receive(t.peers[0].at, reply_of(t, t.peers[0], 1, "a"));
  t.receive(t.peers[1].at, reply_of(t, t.peers[1], 1, std::nullopt));
  t.pass(4'999ms);
  CHECK(t.news() == "9:a ");
  t.pass(1ms);
  CHECK(t.news() == "9:3/2/1 ");
  t.receive(t.peers[2].at, reply_of(t, t.peers[2], 1, "late"));
  CHECK(t.news().empty());
}

TEST_CASE("those who are asked are counted by tags and by name", "[membership][query]") {
  asker t;
  membership::query_options options;
  options.timeout = 1ms;
  SECTION("all") {
    REQUIRE_FALSE(t.ask(3, options));
  }
  SECTION("by a tag") {
    options.tags = {{"role", "db"}};
    REQUIRE_FALSE(t.ask(2, options));
  }
  SECTION("by two tags") {
    options.tags = {{"role", "db"}, {"zone", "1"}};
    REQUIRE_FALSE(t.ask(1, options));
  }
  SECTION("by name") {
    options.members = {t.peers[0].id, t.peers[2].id, make_peer(9).id};
    REQUIRE_FALSE(t.ask(2, options));
  }
  SECTION("by both") {
    options.tags = {{"role", "db"}};
    options.members = {t.peers[2].id};
    REQUIRE_FALSE(t.ask(0, options));
  }
  t.pass(1s);
  const std::string news = t.news();
  CHECK(news[0] == news[2]);  // the call is as many as are to be asked
}

TEST_CASE("a query is told to those that it is for, and passed on by the others", "[membership][query]") {
  membership::config config;
  config.tags = {{"role", "db"}};
  asker t{config};
  const std::vector<membership::short_name> other{membership::shorten(make_peer(2).id)};
  const std::vector<membership::short_name> me{membership::shorten(t.core.self().id)};
  t.receive(t.peers[0].at, membership::gossip{}, {},
            {question_of(t.peers[0], 1, {.timeout_ms = 1'000, .tags = {{"role", "db"}}, .members = {}}),
             question_of(t.peers[0], 2, {.timeout_ms = 1'000, .tags = {{"role", "web"}}, .members = {}}),
             question_of(t.peers[0], 3, {.timeout_ms = 1'000, .tags = {}, .members = me}),
             question_of(t.peers[0], 4, {.timeout_ms = 1'000, .tags = {}, .members = other})});
  REQUIRE(queries_told(t.out) == 2);
  const auto& told = std::get<membership::query>(t.out.events[0]);
  CHECK(told.origin == t.peers[0].id);
  CHECK(told.number == 1);
  CHECK(told.timeout == 1s);
  t.pass(50ms);
  std::set<std::uint64_t> passed_on;
  for (const auto& d : t.out.datagrams) {
    for (const auto& e : d.message.items.events) passed_on.insert(e.sequence);
  }
  CHECK(passed_on == std::set<std::uint64_t>{1, 2, 3, 4});
}

TEST_CASE("that a query is here, and its answer, are said until the asker has them", "[membership][query]") {
  asker t;
  const peer& p = t.peers[0];
  t.receive(p.at, membership::gossip{}, {}, {question_of(p, 1, {.timeout_ms = 60'000, .tags = {}, .members = {}})});
  const auto said = [&](bool answers) {
    std::size_t n = 0;
    for (const auto& d : t.out.all<membership::reply>()) {
      CHECK(d.to == p.at);
      n += std::get<membership::reply>(d.message.body).answers == answers ? 1U : 0U;
    }
    return n;
  };
  CHECK(said(false) == 1);
  t.pass(450ms);
  CHECK(said(false) == 3);
  t.receive(p.at, membership::reply_receipt{.question = 1, .answers = false});
  t.pass(2s);
  CHECK(said(false) == 3);
  REQUIRE_FALSE(t.core.answer(p.id, 1, "so", t.now, t.out));
  CHECK(t.core.answer(p.id, 1, "so", t.now, t.out) == errc::invalid_argument);
  t.pass(450ms);
  CHECK(said(true) == 3);
  t.receive(p.at, membership::reply_receipt{.question = 1, .answers = false});
  t.pass(450ms);
  CHECK(said(true) > 3);
  t.receive(p.at, membership::reply_receipt{.question = 1, .answers = true});
  const std::size_t before = said(true);
  t.pass(2s);
  CHECK(said(true) == before);
  CHECK(t.core.answer(p.id, 1, "so", t.now, t.out) == errc::timed_out);
}

TEST_CASE("an asker that was held for dead meanwhile has its answer when it is back", "[membership][query]") {
  asker t;
  peer p = t.peers[0];
  t.receive(p.at, membership::gossip{}, {}, {question_of(p, 1, {.timeout_ms = 60'000, .tags = {}, .members = {}})});
  t.receive(p.at, membership::reply_receipt{.question = 1, .answers = false});
  t.receive(t.peers[1].at, membership::gossip{}, {p.claim(membership::member_state::failed)});
  REQUIRE(t.state_of(p) == membership::member_state::failed);
  t.out.clear();
  REQUIRE_FALSE(t.core.answer(p.id, 1, "so", t.now, t.out));
  t.pass(2s);
  CHECK(t.out.all<membership::reply>().empty());
  p.incarnation = 1;
  t.meet(p);
  t.pass(200ms);
  REQUIRE_FALSE(t.out.all<membership::reply>().empty());
  CHECK(std::get<membership::reply>(t.out.all<membership::reply>()[0].message.body).payload.text() == "so");
  // One that has left is gone for good.
  t.receive(p.at, membership::gossip{}, {}, {question_of(p, 2, {.timeout_ms = 60'000, .tags = {}, .members = {}})});
  t.receive(p.at, membership::gossip{}, {p.claim(membership::member_state::left)});
  CHECK(t.core.answer(p.id, 2, "so", t.now, t.out) == errc::unknown_member);
}

TEST_CASE("an answer that no datagram holds goes by a stream", "[membership][query]") {
  asker t;
  const peer& p = t.peers[0];
  t.receive(p.at, membership::gossip{}, {}, {question_of(p, 1, {.timeout_ms = 60'000, .tags = {}, .members = {}})});
  t.out.clear();
  REQUIRE_FALSE(t.core.answer(p.id, 1, std::string(100'000, 'x'), t.now, t.out));
  REQUIRE(t.out.opened.size() == 1);
  t.core.link(connection::stream(t.out.opened[0].first, p.at), link_state::up, t.now, t.out);
  REQUIRE(t.out.frames.size() == 1);
  const auto read = membership::read_frame(t.out.frames[0].second, detail::cluster_tag("default"), true);
  REQUIRE_FALSE(read.error);
  const auto& m = std::get<membership::direct>(read.value.body);
  CHECK(m.question == 1);
  CHECK(m.payload.size() == 100'000);
  CHECK(t.core.take_finished().empty());
}

TEST_CASE("an answer that comes by a stream is the asker's answer, not a message", "[membership][query]") {
  asker t;
  REQUIRE_FALSE(t.ask(9));
  t.core.link(connection::stream(2, t.peers[0].at), link_state::up, t.now, t.out);
  std::vector<std::byte> frame;
  membership::write_frame(frame, detail::cluster_tag("default"), true,
                          membership::direct{.sender = membership::shorten(t.peers[0].id),
                                             .boot = t.peers[0].boot,
                                             .addressee = membership::address_tag(t.core.self().id, 5),
                                             .number = 1,
                                             .question = 1,
                                             .topic = {},
                                             .payload = "long"});
  t.core.receive(connection::stream(2, t.peers[0].at), frame, t.now, t.out);
  CHECK(t.news() == "9:long ");
  CHECK(t.out.count<membership::message>() == 0);
}

TEST_CASE("a query that is given up makes room for another, and its late answers are nobody's", "[membership][query]") {
  membership::config config;
  config.queries_max = 1;
  asker t{config};
  REQUIRE_FALSE(t.ask(1));
  CHECK(t.ask(2) == errc::would_overflow);
  t.core.drop_query(1);
  CHECK_FALSE(t.ask(3));
  t.receive(t.peers[0].at, membership::reply{.sender = membership::shorten(t.peers[0].id),
                                             .boot = t.peers[0].boot,
                                             .addressee = membership::address_tag(t.core.self().id, 5),
                                             .question = 1,
                                             .answers = true,
                                             .payload = "late"});
  CHECK(t.news().empty());
}

TEST_CASE("a query that cannot be asked, or answered, is refused at the call", "[membership][query]") {
  membership::config config;
  config.queries_max = 2;
  asker t{config};
  membership::query_options options;
  options.timeout = 0ms;
  CHECK(t.ask(1, options) == errc::invalid_argument);
  options.timeout = 61min;
  CHECK(t.ask(1, options) == errc::invalid_argument);
  options.timeout = 1s;
  options.members.assign(33, make_peer(1).id);
  CHECK(t.ask(1, options) == errc::too_large);
  options.members.clear();
  const std::size_t most = membership::query_size_max(config, "t", options);
  CHECK(t.core.query(1, "t", std::string(most + 1, 'x'), options, t.now, t.out) == errc::too_large);
  CHECK(t.core.query(1, "", "x", options, t.now, t.out) == errc::invalid_argument);
  CHECK_FALSE(t.core.query(1, "t", std::string(most, 'x'), options, t.now, t.out));
  for (const auto& d : t.out.datagrams) CHECK(d.size <= config.datagram_max);
  CHECK_FALSE(t.ask(2, options));
  CHECK(t.ask(3, options) == errc::would_overflow);
  CHECK(t.core.answer(t.peers[0].id, 1, "x", t.now, t.out) == errc::timed_out);
  t.pass(2s);
  CHECK_FALSE(t.ask(4, options));
}

TEST_CASE("a query to nobody ends at once, and leaving ends all", "[membership][query]") {
  asker t;
  membership::query_options options;
  options.members = {make_peer(9).id};
  REQUIRE_FALSE(t.ask(1, options));
  CHECK(t.news() == "1:0/0/0 ");
  REQUIRE_FALSE(t.ask(2));
  REQUIRE_FALSE(t.core.leave(t.now, t.out));
  CHECK(t.ask(3) == errc::has_left);
  CHECK(t.core.answer(t.peers[0].id, 1, "x", t.now, t.out) == errc::has_left);
  t.pass(10s);
  CHECK(t.news() == "2:3/0/0 ");
}

TEST_CASE("answers of strangers, to other lives, and to nothing are dropped", "[membership][query][robust]") {
  asker t;
  REQUIRE_FALSE(t.ask(9));
  t.receive(make_peer(8).at, reply_of(t, make_peer(8), 1, "stranger"));
  auto misled = reply_of(t, t.peers[0], 1, "misled");
  misled.addressee += 1;
  t.receive(t.peers[0].at, misled);
  t.receive(t.peers[0].at, reply_of(t, t.peers[0], 2, "to nothing"));
  t.receive(t.peers[0].at, membership::reply_receipt{.question = 1, .answers = true});
  CHECK(t.news().empty());
}

TEST_CASE("more queries than an application can answer are not told to it", "[membership][query][robust]") {
  asker t;
  const peer& p = t.peers[0];
  for (std::uint64_t i = 1; i <= 200; ++i) {
    t.receive(p.at, membership::gossip{}, {}, {question_of(p, i, {.timeout_ms = 60'000, .tags = {}, .members = {}})});
    t.core.check_invariants();
  }
  CHECK(queries_told(t.out) == membership::queries_heard_max);
  t.pass(61s);
  t.out.clear();
  t.receive(p.at, membership::gossip{}, {}, {question_of(p, 201, {.timeout_ms = 60'000, .tags = {}, .members = {}})});
  CHECK(queries_told(t.out) == 1);
}

#include "membership/recorder.hpp"

using namespace bench;

namespace {

constexpr membership::send_options best_effort{.delivery = membership::delivery::best_effort};
constexpr membership::send_options reliable{.delivery = membership::delivery::reliable};

const std::uint32_t our_cluster = detail::cluster_tag("default");

membership::packet read_by_stream(const bytes& frame, bool first) {
  auto read = membership::read_frame(frame, our_cluster, first);
  REQUIRE_FALSE(read.error);
  return std::move(read.value);
}

membership::direct from_peer(const table& t, const peer& p, std::uint64_t number, const std::string& payload) {
  return {.sender = membership::shorten(p.id),
          .boot = p.boot,
          .addressee = membership::address_tag(t.core.self().id, t.core.self().boot),
          .number = number,
          .topic = "t",
          .payload = payload};
}

std::string told(const recorder& out) {
  std::string all;
  for (const auto& e : out.events) {
    if (const auto* m = std::get_if<membership::message>(&e)) all += std::string{m->payload.text()} + " ";
  }
  return all;
}

/// A table that sends to one peer, whose end of the stream is played by the test.
struct sender : table {
  explicit sender(membership::config config = membership::config::lan()) : table{std::move(config)} {
    meet(p);
    pass(5ms);
    out.clear();
  }
  std::error_code send(std::uint64_t call, const std::string& payload, membership::send_options how = reliable) {
    return core.send(call, p.id, "t", payload, how, now, out);
  }
  /// The stream that was opened last comes up.
  void connect() {
    REQUIRE_FALSE(out.opened.empty());
    stream = out.opened.back().first;
    spoke = false;
    core.link(connection::stream(stream, p.at), link_state::up, now, out);
  }
  void cut() { core.link(connection::stream(stream, p.at), link_state::down, now, out); }
  /// What was said on the stream since this was last asked.
  std::vector<membership::direct> said() {
    std::vector<membership::direct> all;
    for (const auto& [number, frame] : out.frames) {
      if (number != stream) continue;
      all.push_back(std::get<membership::direct>(read_by_stream(frame, !std::exchange(spoke, true)).body));
    }
    out.frames.clear();
    return all;
  }
  void receipt(std::uint64_t number, membership::verdict what = membership::verdict::taken, std::uint64_t highest = 0) {
    std::vector<std::byte> frame;
    membership::write_frame(frame, our_cluster, !std::exchange(greeted[stream], true),
                            membership::receipt{number, what, highest});
    core.receive(connection::stream(stream, p.at), frame, now, out);
  }
  std::string ended() {
    std::string all;
    for (const auto& one : core.take_finished()) {
      all += std::to_string(one.call) + (one.error ? ":" + one.error.message() : "") + " ";
    }
    return all;
  }

  const peer p = make_peer(1);
  std::uint64_t stream = 0;
  bool spoke = false;
  std::map<std::uint64_t, bool> greeted;
};

std::string words(std::uint64_t call, errc why) {
  return std::to_string(call) + ":" + make_error_code(why).message() + " ";
}

}  // namespace

TEST_CASE("a best-effort message is one datagram to its addressee alone", "[membership][send]") {
  sender t;
  REQUIRE_FALSE(t.send(1, "hello", best_effort));
  CHECK(t.ended() == "1 ");
  const auto sent = t.out.all<membership::direct>();
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].to == t.p.at);
  const auto& m = std::get<membership::direct>(sent[0].message.body);
  CHECK(m.payload == bytes{"hello"});
  CHECK(m.addressee == membership::address_tag(t.p.id, t.p.boot));
  CHECK(t.out.opened.empty());
}

TEST_CASE("a message that arrives again is delivered once", "[membership][send]") {
  sender t;
  for (int i = 0; i < 3; ++i) t.receive(t.p.at, from_peer(t, t.p, 1, "one"));
  t.receive(t.p.at, from_peer(t, t.p, 3, "three"));
  t.receive(t.p.at, from_peer(t, t.p, 2, "two"));
  t.receive(t.p.at, from_peer(t, t.p, 2, "two"));
  CHECK(told(t.out) == "one three two ");
  CHECK(t.core.counted().messages_duplicate == 3);
}

TEST_CASE("messages of strangers, of another life, and for another process are not delivered",
          "[membership][send][robust]") {
  sender t;
  t.receive(make_peer(2).at, from_peer(t, make_peer(2), 1, "stranger"));
  peer later = t.p;
  later.boot = 2;
  t.receive(t.p.at, from_peer(t, later, 1, "later life"));
  auto misled = from_peer(t, t.p, 1, "misled");
  misled.addressee += 1;
  t.receive(t.p.at, misled);
  CHECK(told(t.out).empty());
}

TEST_CASE("a reliable message ends when its receipt comes", "[membership][send]") {
  sender t;
  REQUIRE_FALSE(t.send(7, "hello"));
  t.connect();
  const auto said = t.said();
  REQUIRE(said.size() == 1);
  CHECK(said[0].payload == bytes{"hello"});
  CHECK(t.ended().empty());
  t.receipt(said[0].number);
  CHECK(t.ended() == "7 ");
  t.receipt(said[0].number);
  CHECK(t.ended().empty());
}

TEST_CASE("messages to one member share a stream, and go again in their order where it breaks", "[membership][send]") {
  sender t;
  REQUIRE_FALSE(t.send(1, "a"));
  t.connect();
  REQUIRE_FALSE(t.send(2, "b"));
  REQUIRE_FALSE(t.send(3, "c"));
  CHECK(t.said().size() == 3);
  CHECK(t.out.opened.size() == 1);
  t.receipt(1);
  t.cut();
  t.pass(1s);
  REQUIRE(t.out.opened.size() == 2);
  t.connect();
  const auto again = t.said();
  REQUIRE(again.size() == 2);
  CHECK(again[0].payload == bytes{"b"});
  CHECK(again[0].number == 2);
  CHECK(again[1].payload == bytes{"c"});
  t.receipt(2);
  t.receipt(3);
  CHECK(t.ended() == "1 2 3 ");
}

TEST_CASE("who does not know the sender yet is told again", "[membership][send]") {
  sender t;
  REQUIRE_FALSE(t.send(1, "a"));
  t.connect();
  CHECK(t.said().size() == 1);
  t.receipt(1, membership::verdict::unknown_sender);
  CHECK(t.ended().empty());
  t.pass(1s);
  t.connect();
  CHECK(t.said().size() == 1);
  t.receipt(1);
  CHECK(t.ended() == "1 ");
}

TEST_CASE("who finds a number of no use is sent the messages again under later ones", "[membership][send]") {
  sender t;
  REQUIRE_FALSE(t.send(1, "a"));
  t.connect();
  CHECK(t.said().size() == 1);
  t.receipt(1, membership::verdict::renumber, 5'000);
  t.pass(1s);
  t.connect();
  const auto again = t.said();
  REQUIRE(again.size() == 1);
  CHECK(again[0].number == 5'001);
  t.receipt(5'001);
  CHECK(t.ended() == "1 ");
}

TEST_CASE("one forged number does not freeze a sender's messages", "[membership][send][robust]") {
  sender t;
  t.receive(t.p.at, from_peer(t, t.p, ~std::uint64_t{0}, "far"));
  t.receive(t.p.at, from_peer(t, t.p, membership::message_jump_max, "forged"));
  t.out.clear();
  t.receive(t.p.at, from_peer(t, t.p, 1, "one"));
  const auto answers = t.out.all<membership::receipt>();
  REQUIRE(answers.size() == 1);
  const auto& told_so = std::get<membership::receipt>(answers[0].message.body);
  CHECK(told_so.verdict == membership::verdict::renumber);
  t.receive(t.p.at, from_peer(t, t.p, told_so.highest + 1, "again"));
  CHECK(told(t.out) == "again ");

  // Likewise the other way round.
  t.out.clear();
  t.receive(t.p.at, membership::receipt{1, membership::verdict::renumber, 5'000});
  REQUIRE_FALSE(t.send(1, "hello", best_effort));
  CHECK(std::get<membership::direct>(t.out.all<membership::direct>()[0].message.body).number == 5'001);
}

TEST_CASE("a reliable message whose time is over has timed out", "[membership][send]") {
  sender t;
  REQUIRE_FALSE(t.send(1, "a", {.delivery = membership::delivery::reliable, .timeout = 300ms}));
  t.pass(299ms);
  CHECK(t.ended().empty());
  t.pass(1ms);
  CHECK(t.ended() == words(1, errc::timed_out));
}

TEST_CASE("what waits for a member that goes ends, and says whether it may have arrived", "[membership][send]") {
  sender t;
  REQUIRE_FALSE(t.send(1, "a"));
  t.connect();
  CHECK(t.said().size() == 1);
  t.cut();
  REQUIRE_FALSE(t.send(2, "b"));
  const bool restarts = GENERATE(true, false);
  if (restarts) {
    peer later = t.p;
    later.boot = 2;
    t.meet(later);
  } else {
    t.receive(t.p.at, membership::gossip{}, {t.p.claim(membership::member_state::left)});
  }
  CHECK(t.ended() == words(1, errc::outcome_unknown) + words(2, errc::unknown_member));
  t.core.check_invariants();
}

TEST_CASE("a later life is written to from the first number on", "[membership][send]") {
  sender t;
  for (std::uint64_t i = 1; i <= 3; ++i) REQUIRE_FALSE(t.send(i, "x", best_effort));
  peer later = t.p;
  later.boot = 2;
  t.meet(later);
  t.out.clear();
  REQUIRE_FALSE(t.send(4, "x", best_effort));
  CHECK(std::get<membership::direct>(t.out.all<membership::direct>()[0].message.body).number == 1);
}

TEST_CASE("a message that cannot be sent is refused at the call", "[membership][send]") {
  membership::config config;
  config.messages_max = 2;
  config.message_size_max = 1'000;
  config.messages_bytes_max = 1'500;
  sender t{config};
  const std::size_t most = membership::datagram_message_size_max(config, "t");
  CHECK_FALSE(t.send(1, std::string(most, 'x'), best_effort));
  CHECK(t.out.all<membership::direct>().back().size <= config.datagram_max);
  CHECK(t.send(2, std::string(most + 1, 'x'), best_effort) == errc::too_large);
  CHECK(t.send(3, std::string(1'001, 'x')) == errc::too_large);
  CHECK(t.core.send(4, t.core.self().id, "t", "x", reliable, t.now, t.out) == errc::invalid_argument);
  CHECK(t.core.send(5, t.p.id, std::string(65, 't'), "x", reliable, t.now, t.out) == errc::invalid_argument);
  CHECK(t.core.send(6, make_peer(9).id, "t", "x", reliable, t.now, t.out) == errc::unknown_member);
  CHECK_FALSE(t.send(7, std::string(1'000, 'x')));
  CHECK(t.send(8, std::string(501, 'x')) == errc::would_overflow);
  CHECK_FALSE(t.send(9, "x"));
  CHECK(t.send(10, "x") == errc::would_overflow);
  CHECK(t.ended() == "1 ");
}

TEST_CASE("after leaving nothing is sent, and what waited has ended", "[membership][send]") {
  sender t;
  REQUIRE_FALSE(t.send(1, "a"));
  REQUIRE_FALSE(t.core.leave(t.now, t.out));
  CHECK(t.send(2, "b") == errc::has_left);
  t.pass(10s);
  CHECK(t.core.has_left());
  CHECK(t.ended() == words(1, errc::has_left));
  CHECK(t.send(3, "c") == errc::has_left);
}

TEST_CASE("little is said ahead of its receipts, and one large message at a time", "[membership][send]") {
  sender t;
  for (std::uint64_t i = 1; i <= 3; ++i) REQUIRE_FALSE(t.send(i, std::string(200'000, 'x')));
  t.connect();
  CHECK(t.said().size() == 1);
  t.receipt(1);
  CHECK(t.said().size() == 1);
  t.receipt(2);
  t.receipt(3);
  t.pass(0ms);
  CHECK(t.said().size() == 1);
}

TEST_CASE("a stream that carried messages is closed when it has been idle", "[membership][send]") {
  sender t;
  REQUIRE_FALSE(t.send(1, "a"));
  t.connect();
  t.receipt(1);
  t.pass(1s);
  CHECK(std::count(t.out.closed.begin(), t.out.closed.end(), t.stream) == 1);
  CHECK(t.core.counted().messages_sent == 1);
}

TEST_CASE("a receiver answers each frame, and ends the stream at one that it cannot take", "[membership][send]") {
  sender t;
  const auto by = connection::stream(2, t.p.at);
  t.core.link(by, link_state::up, t.now, t.out);
  bool first = true;
  const auto say = [&](const membership::direct& m) {
    std::vector<std::byte> frame;
    membership::write_frame(frame, our_cluster, std::exchange(first, false), m);
    t.core.receive(by, frame, t.now, t.out);
  };
  say(from_peer(t, t.p, 1, "one"));
  say(from_peer(t, t.p, 1, "one"));
  say(from_peer(t, make_peer(3), 1, "stranger"));
  say(from_peer(t, t.p, 2, "behind it"));
  CHECK(told(t.out) == "one ");
  REQUIRE(t.out.frames.size() == 3);
  using membership::verdict;
  const std::array expected{verdict::taken, verdict::taken, verdict::unknown_sender};
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(std::get<membership::receipt>(read_by_stream(t.out.frames[i].second, i == 0).body).verdict == expected[i]);
  }
  CHECK(t.out.closed == std::vector<std::uint64_t>{2});
}

TEST_CASE("messages and receipts made up at random leave every promise intact", "[membership][send][robust]") {
  detail::random random{GENERATE(1U, 2U, 3U)};
  sender t;
  for (std::uint64_t step = 1; step <= 5'000; ++step) {
    const auto number = random.chance(1, 4) ? random.next() | 1U : random.between(1, 600);
    switch (random.below(5)) {
      case 0: t.receive(t.p.at, from_peer(t, t.p, number, "x")); break;
      case 1: t.receive(t.p.at, membership::receipt{number, membership::verdict::renumber, random.next()}); break;
      case 2: static_cast<void>(t.send(step, "x", random.chance(1, 2) ? reliable : best_effort)); break;
      case 3:
        if (t.stream != 0 || !t.out.opened.empty()) {
          if (!t.out.opened.empty()) t.connect();
          t.out.opened.clear();
          t.receipt(random.below(10), static_cast<membership::verdict>(random.below(4)), random.below(1'000));
        }
        break;
      default: t.pass(std::chrono::milliseconds{random.below(300)}); break;
    }
    t.core.check_invariants();
    t.out.datagrams.clear();
    t.out.frames.clear();
  }
  CHECK(t.core.held() < 2'000);
}

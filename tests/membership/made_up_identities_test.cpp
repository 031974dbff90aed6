// A hundred thousand identities that nobody has, in everything that the network can say: what is kept of them is
// bounded, who lives stays, and what members say to each other still arrives.
#include <malloc.h>

#include "membership/recorder.hpp"
#include "sim/membership_bounds.hpp"
#include "sim/membership_world.hpp"

using namespace bench;
using membership::member_state;

namespace {

constexpr std::uint64_t made_up = 100'000;

endpoint nowhere(std::uint64_t number) {
  return endpoint::v4(192, 0, static_cast<std::uint8_t>(number >> 8U), static_cast<std::uint8_t>(number), 7946);
}

peer invent(std::uint64_t number) {
  return {.id = {detail::mix64(number), number}, .at = nowhere(number)};
}

membership::event_record event_of(const peer& p, std::uint64_t sequence, bool asks) {
  membership::event_record record{.origin = membership::shorten(p.id),
                                  .boot = p.boot,
                                  .sequence = sequence,
                                  .previous = 0,
                                  .lamport = sequence,
                                  .topic = "topic " + std::to_string(p.id.low),
                                  .payload = "x"};
  if (asks)
    record.question = std::make_shared<const membership::question>(
        membership::question{.timeout_ms = 3'600'000, .tags = {}, .members = {}});
  return record;
}

/// What a core holds for others, as far as it tells.
struct sizes {
  std::size_t members = 0;
  std::size_t held = 0;
  std::size_t heap = 0;  // of the whole program
};

sizes sizes_of(const table& t) {
  return {.members = t.core.table().size(), .held = t.core.held(), .heap = ::mallinfo2().uordblks};
}

/// By datagrams: word of it, by others and by itself, with its event or its question; now and then a message and an
/// answer of its.
void speak_as(table& t, const peer& p, std::uint64_t number) {
  const auto claim = number % 7 == 0 ? p.claim(member_state::suspect) : p.claim();
  const bool asks = number % 2 == 0;
  if (number % 3 == 0) {
    t.receive(p.at, membership::announce{}, {p.claim()}, {event_of(p, 1, asks)});
  } else {
    t.receive(make_peer(1).at, membership::gossip{}, {claim}, {event_of(p, 1, asks)});
  }
  if (number % 4 != 0) return;
  const std::uint32_t us = membership::address_tag(t.core.self().id, 5);
  t.receive(p.at, membership::direct{.sender = membership::shorten(p.id),
                                     .boot = p.boot,
                                     .addressee = us,
                                     .number = 1 + number % 100,
                                     .question = number % 5,
                                     .topic = "t",
                                     .payload = "x"});
  t.receive(p.at, membership::reply{.sender = membership::shorten(p.id),
                                    .boot = p.boot,
                                    .addressee = us,
                                    .question = number % 5,
                                    .answers = true,
                                    .payload = "x"});
}

/// That there is more of its events than anybody has seen, and that it stands far ahead.
void boast_as(table& t, const peer& p, std::uint64_t number) {
  t.receive(p.at, membership::gossip{}, {}, {event_of(p, 2 + number % 500, false)});
  const membership::event_entry claimed{membership::shorten(p.id), p.boot, number, number};
  t.receive(p.at, membership::event_summary{
                      .answer = false, .complete = true, .sender = membership::shorten(p.id), .entries = {claimed}});
  t.out.clear();
}

/// By streams: views of many at a time.
void exchange(table& t, std::uint64_t first, std::uint64_t last) {
  constexpr std::uint64_t in_a_frame = 250;
  for (std::uint64_t from = first; from < last; from += in_a_frame) {
    const std::uint64_t stream = 2 * from + 2;
    const auto by = connection::stream(stream, nowhere(from));
    t.core.link(by, link_state::up, t.now, t.out);
    membership::push_pull view{.joining = false, .answer = true, .last = true, .entries = {}};
    for (std::uint64_t i = from; i < std::min(last, from + in_a_frame); ++i) {
      view.entries.push_back({invent(i).claim(), i});
      if (i % 5 == 0) view.entries.back().claim.state = member_state::left;
    }
    std::vector<std::byte> frame;
    membership::write_frame(frame, detail::cluster_tag("default"), true, view);
    t.core.receive(by, frame, t.now, t.out);
    t.core.link(by, link_state::down, t.now, t.out);
    t.out.clear();
  }
}

void flood(table& t, std::uint64_t first, std::uint64_t count) {
  for (std::uint64_t i = first; i < first + count; ++i) {
    speak_as(t, invent(i), i);
    t.out.clear();
  }
  exchange(t, first, first + count);
}

}  // namespace

TEST_CASE("what is kept of a hundred thousand made-up members is bounded, and the members that live stay",
          "[membership][robust]") {
  table t;
  for (const std::uint64_t living : {1U, 2U}) t.meet(make_peer(living));
  t.receive(make_peer(1).at, membership::gossip{}, {}, {event_of(make_peer(1), 1, false)});
  flood(t, 1'000, made_up);
  const sizes first = sizes_of(t);
  const membership::config config;
  CHECK(first.members == config.members_max);
  CHECK(first.held <= sim::held_bound(config));
  CHECK(t.core.counted().dropped_over_limit >= made_up - config.members_max);
  t.core.check_invariants();
  // Further ones cost nothing more: what is there is full.
  flood(t, 1'000 + made_up, made_up / 10);
  const sizes second = sizes_of(t);
  CAPTURE(first.heap, second.heap, first.held, second.held);
  CHECK(second.members == first.members);
  CHECK(second.held <= sim::held_bound(config));
  CHECK(second.heap <= first.heap + first.heap / 8);
  t.core.check_invariants();
  for (std::uint64_t i = 1'000; i < 3'000; ++i) boast_as(t, invent(i), i);
  CHECK(sizes_of(t).held <= sim::held_bound(config));
  t.core.check_invariants();

  for (const std::uint64_t living : {1U, 2U}) CHECK(t.state_of(make_peer(living)) == member_state::alive);
  t.receive(make_peer(2).at, membership::gossip{}, {}, {event_of(make_peer(1), 2, false)});
  CHECK(t.out.count<membership::user_event>() == 1);
}

TEST_CASE("one member that speaks of ever new topics, and asks without end, is kept within bounds",
          "[membership][robust]") {
  table t;
  const peer speaker = make_peer(1);
  t.meet(speaker);
  for (std::uint64_t i = 1; i <= made_up; ++i) {
    auto record = event_of(speaker, i, i % 2 == 0);
    record.topic = "topic " + std::to_string(i);
    t.receive(speaker.at, membership::gossip{}, {}, {record});
    if (i % 1'000 == 0) t.out.clear();
  }
  CHECK(t.core.held() <= sim::held_bound(membership::config{}));
  CHECK(t.core.counted().queries_heard == membership::queries_heard_max);
  t.core.check_invariants();
  CHECK(t.core.events_base(speaker.id) == made_up);
}

TEST_CASE("a living cluster that is told of a hundred thousand members goes on, and forgets them again",
          "[membership][robust][sim]") {
  membership::config config;
  config.members_max = 128;
  sim::membership_world world{1, config};
  constexpr sim::host living = 5;
  world.add({});
  for (sim::host h = 1; h < living; ++h) world.add({0});
  REQUIRE(world.run_until_converged(5s));
  constexpr std::uint64_t at_a_time = 20;
  constexpr std::uint64_t said = made_up / 1'000;
  for (std::uint64_t number = 0; number < made_up; number += at_a_time) {
    std::vector<std::byte> buffer;
    membership::datagram_writer writer{buffer, detail::cluster_tag("default"), 8'900};
    writer.begin(membership::gossip{});
    for (std::uint64_t i = number; i < number + at_a_time; ++i) {
      world.checkers().allow_made_up(invent(i).id);
      REQUIRE(writer.add(invent(i).claim()));
    }
    const sim::host at = static_cast<sim::host>(number / at_a_time % living);
    world.inject(at, nowhere(number), bytes::copy(writer.seal()));
    if (number % 1'000 == 0) {
      world.run_for(100ms);
      world.broadcast(static_cast<sim::host>(number / 1'000 % living), "meanwhile");
    }
  }
  world.run_for(10s);
  for (sim::host of = 0; of < living; ++of) {
    for (sim::host at = 0; at < living; ++at) {
      CAPTURE(of, at);
      CHECK(world.core(at)->table().size() <= config.members_max);
      CHECK_FALSE(world.checkers().reported_failed(world.process(at), world.id(of)));
    }
  }
  // None of them ever answers: they are forgotten but for the last, and there is room for somebody real again.
  world.run_for(1h);
  world.add({0});
  CHECK(world.run_until_converged(2min));
  CAPTURE(world.difference());
  // What was said meanwhile was given to everybody, or told to be missed: most of the gossip went to nobody.
  world.broadcast(0, "afterwards");
  world.run_for(10s);
  for (sim::host at = 1; at <= living; ++at) {
    CAPTURE(at);
    CHECK(world.checkers().events_seen(world.process(at), world.process(0), "afterwards").size() == 1);
    if (at == living) continue;
    for (sim::host of = 0; of < living; ++of) {
      if (of == at) continue;
      CHECK(world.checkers().unaccounted(world.process(at), world.process(of), said / living).empty());
    }
  }
  CHECK(world.checkers().violations() == std::vector<std::string>{});
}

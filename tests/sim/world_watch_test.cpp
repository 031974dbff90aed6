#include <string>
#include <vector>

#include "catch.hpp"
#include "sim/recorder.hpp"

using namespace sim_tests;
using kind = sim::happening::kind;

namespace {

/// A host that is stopped and goes on, a message that is lost and one that is answered, a stream, a crash.
void play(pair_of_hosts& t) {
  t.world.cut(t.a, t.b);
  t.say(t.a, t.b, "lost");
  t.world.heal();
  t.world.pause(t.b);
  t.say(t.a, t.b, "ping");
  t.world.run_for(1s);
  t.world.resume(t.b);
  t.world.run_for(1s);
  t.open(t.a, 1, t.b);
  t.world.run_for(1s);
  t.say_on(t.a, 1, "frame");
  t.world.run_for(1s);
  t.world.crash(t.a);
  t.world.run_for(1s);
}

struct seen {
  kind what;
  sim::host where;
  std::string message;
};

}  // namespace

TEST_CASE("a watcher is told what happens, in order, and changes nothing", "[sim]") {
  pair_of_hosts watched;
  std::vector<seen> told;
  watched.world.watch([&](const sim::happening& h) {
    CHECK(h.at == watched.world.now());
    if (h.what == kind::datagram) CHECK(h.other == (h.where == watched.a ? watched.b : watched.a));
    if (h.what != kind::call && h.what != kind::link) {
      told.push_back({h.what, h.where, std::string{artillery::as_text(h.message)}});
    }
  });
  play(watched);

  const std::vector<seen> expected{
      {kind::cut, watched.a, ""},          {kind::lost, watched.a, "lost"},   {kind::heal, 0, ""},
      {kind::pause, watched.b, ""},        {kind::resume, watched.b, ""},     {kind::datagram, watched.b, "ping"},
      {kind::datagram, watched.a, "pong"}, {kind::frame, watched.b, "frame"}, {kind::crash, watched.a, ""}};
  REQUIRE(told.size() == expected.size());
  for (std::size_t i = 0; i < told.size(); ++i) {
    CAPTURE(i);
    CHECK(told[i].what == expected[i].what);
    CHECK(told[i].where == expected[i].where);
    CHECK(told[i].message == expected[i].message);
  }

  pair_of_hosts alone;
  play(alone);
  CHECK(alone.world.trace_hash() == watched.world.trace_hash());
}

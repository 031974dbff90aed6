// What one member of a large cluster sends. The others are made up: they answer its probes, and probe it as often as
// each member is probed, so that thousands of them cost no more to run than their rows in its view.
#include "membership/recorder.hpp"

using namespace bench;

namespace {

peer numbered(std::uint64_t number) {
  return {.id = {number, number},
          .at = endpoint::v4(172, static_cast<std::uint8_t>(number >> 16U), static_cast<std::uint8_t>(number >> 8U),
                             static_cast<std::uint8_t>(number), 7946)};
}

struct load_of_one {
  std::size_t datagrams = 0;
  std::size_t bytes = 0;
};

class one_of_many : public table {
public:
  explicit one_of_many(std::uint64_t others) : others_{others} {
    for (std::uint64_t i = 1; i <= others; ++i) meet(numbered(i));
    while (core.has_news()) step();
    pass_probed(2s);
    out.clear();
    counted_ = {};
  }

  /// A second after the other: this member is probed once in each, as all are.
  void pass_probed(duration length) {
    for (const time_point end = now + length; now < end;) {
      const time_point second = now + 1s;
      while (core.next_deadline() && *core.next_deadline() <= second) step();
      now = second;
      const peer asks = numbered(1 + probed_++ % others_);
      receive(asks.at, membership::ping{.sequence = 1,
                                        .addressee = membership::address_tag(core.self().id, core.self().boot),
                                        .sender = membership::shorten(asks.id),
                                        .digests = digests_});
      take();
    }
  }
  [[nodiscard]] load_of_one counted() const { return counted_; }

private:
  void step() {
    now = std::max(now, *core.next_deadline());
    core.expire(now, out);
    take();
  }
  /// Counts what was sent, and answers the probes among it.
  void take() {
    for (const sent_datagram& one : std::exchange(out.datagrams, {})) {
      ++counted_.datagrams;
      counted_.bytes += one.size;
      if (const auto* asked = std::get_if<membership::ping>(&one.message.body)) {
        digests_ = asked->digests;
        answer(one);
      }
    }
  }

  std::uint64_t others_;
  std::uint64_t probed_ = 0;
  membership::digests digests_;
  load_of_one counted_;
};

}  // namespace

TEST_CASE("with nothing to tell, a member of five thousand sends no more than one of eight", "[membership][load]") {
  const std::uint64_t others = GENERATE(7U, 63U, 511U, 4'999U);
  one_of_many t{others};
  REQUIRE(t.core.present() == others);
  t.pass_probed(60s);
  CAPTURE(others, t.counted().bytes);
  CHECK(t.counted().datagrams >= 110);
  CHECK(t.counted().datagrams <= 122);  // a ping and an ack in a second
  CHECK(t.counted().bytes <= 60 * 83);
  CHECK(t.core.counted().suspicions == 0);
}

TEST_CASE("what a member sends of an event grows with the logarithm of the members alone", "[membership][load]") {
  const std::uint64_t others = GENERATE(7U, 63U, 511U, 4'999U);
  one_of_many t{others};
  for (int i = 0; i < 10; ++i) {
    REQUIRE_FALSE(t.core.broadcast("topic", bytes::copy(std::vector<std::byte>(64)), t.now, t.out));
    t.pass_probed(6s);
  }
  const std::size_t digits = std::to_string(others + 1).size();  // ceil(log10(n + 1)) of n members
  const std::size_t copies = 4 * digits;
  // Beside probes: the copies, up to a round more, and the ping that asks whether all was heard, which is answered
  // here.
  CAPTURE(others, t.counted().datagrams, t.counted().bytes);
  CHECK(t.counted().datagrams <= 122 + 10 * (copies + 3 + 1));
}

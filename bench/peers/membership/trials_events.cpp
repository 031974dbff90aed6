#include <algorithm>
#include <cstdio>
#include <map>

#include "trials.hpp"

namespace peers {

using artillery::clock;
using artillery::time_point;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t payload_size = 64;
/// Slow enough for what memberlist sends in a second at 64 nodes, each event eight times by each node.
constexpr auto between_events = 100ms;
/// Who missed one by then has missed it.
constexpr auto events_limit = 15s;
/// Libraries take turns after so many.
constexpr int events_in_turn = 25;

struct sent_event {
  std::string payload;
  time_point at;
  std::size_t sender = 0;
};

/// Text that does not compress, the same for each library.
std::string payload_of(std::mt19937_64& random) {
  static constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-";
  std::string text;
  for (std::size_t i = 0; i < payload_size; ++i) text += letters[random() % letters.size()];
  return text;
}

/// How many others did not hear it, and when the last of those that did was given it.
struct reception {
  std::size_t missing = 0;
  time_point last;
};

reception reception_of(const sent_event& event, const crowd& at) {
  reception found{0, event.at};
  for (std::size_t i = 0; i < at.size(); ++i) {
    if (i == event.sender) continue;
    const auto heard = at.at(i).heard(event.payload);
    if (heard) found.last = std::max(found.last, *heard);
    if (!heard) ++found.missing;
  }
  return found;
}

}  // namespace

void trials::events() {
  for (const std::size_t size : wanted_.sizes) {
    const crowds them = assemble(size);
    patience_.wait(all_of(them), settling);
    send_events(them, measure::event, measure::missed);
    std::fprintf(stderr, "events: %zu nodes\n", size);
    if (size != usual_size()) continue;
    for (const auto& one : them) one->network().lose(10);
    send_events(them, measure::event_under_loss, measure::missed_under_loss);
    std::fprintf(stderr, "events: %zu nodes with loss\n", size);
  }
}

void trials::send_events(const crowds& among, measure latency, measure missed) {
  std::map<const crowd*, std::vector<sent_event>> sent;
  for (int begun = 0; begun < wanted_.events; begun += events_in_turn) {
    for (const auto& one : among) {
      for (int i = begun; i < std::min(begun + events_in_turn, wanted_.events); ++i) {
        const std::size_t sender = static_cast<std::size_t>(i) % one->size();
        sent_event event{payload_of(payloads_), clock::now(), sender};
        one->at(sender).tell("event " + event.payload);
        sent[one.get()].push_back(std::move(event));
        patience_.wait({one.get()}, between_events);
      }
    }
  }
  (void)patience_.wait_until(all_of(among), events_limit, [&] {
    return std::all_of(sent.begin(), sent.end(), [](const auto& of) {
      return std::all_of(of.second.begin(), of.second.end(),
                         [&](const sent_event& event) { return reception_of(event, *of.first).missing == 0; });
    });
  });
  for (const auto& [crowd, events] : sent) {
    for (const sent_event& event : events) {
      const reception found = reception_of(event, *crowd);
      keep(missed, *crowd, found.missing == 0 ? 0 : 1);
      if (found.missing == 0)
        keep(latency, *crowd, std::chrono::duration<double, std::milli>(found.last - event.at).count());
    }
  }
}

}  // namespace peers

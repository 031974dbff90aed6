// Agents as real processes, each in a network namespace of its own, are split into two halves that hear nothing of each
// other, and are one cluster again without help when the network is whole: soon, and without a storm of events.
// Needs root, and the commands `ip` and `iptables`.
//   ./dev endurance split [agents [seconds]]
//
// Exit code 77 where this machine lets nobody make such a network; what is missing is said.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "agents.hpp"
#include "exit_code.hpp"
#include "network.hpp"
#include "output/event_text.hpp"
#include "scratch.hpp"

namespace {

using namespace std::chrono_literals;
using artillery::clock;
using artillery::time_point;
using nlohmann::json;
using tool::exit_code;
using tool::failure;
using tool::output::field_text;

constexpr int cannot_be_run_here = 77;
constexpr const char* port = ":7946";
constexpr artillery::duration start_limit = 60s;
/// A failed member is tried each five seconds by everybody; the first who is reached brings the word to all.
constexpr artillery::duration heal_limit = 60s;
/// Whoever were to be reported once more, for what was said of it in the split, would have been by then.
constexpr artillery::duration aftermath = 30s;

double seconds(artillery::duration length) {
  return std::chrono::duration<double>(length).count();
}

class split {
public:
  split(const failover::network& net, demo::agents& crowd, const std::vector<std::string>& names)
      : net_{net}, crowd_{crowd}, half_{static_cast<std::ptrdiff_t>(names.size() / 2)} {
    halves_[0].assign(names.begin(), names.begin() + half_);
    halves_[1].assign(names.begin() + half_, names.end());
  }

  /// Whether all was as it should be.
  bool run(artillery::duration length) {
    start();
    const time_point parted = clock::now();
    for (const std::string& name : halves_[0]) net_.part(name, halves_[1]);
    wait_for("failed", parted, length, "each half to report the other failed");
    std::printf("split: each half reported the other failed, all of them after %.1f s\n",
                seconds(clock::now() - parted));
    idle_until(parted + length);
    const time_point healed = clock::now();
    for (const std::string& name : halves_[0]) net_.heal(name);
    wait_for("joined", healed, heal_limit, "one cluster again at every agent");
    std::printf("healed after %.1f s of split: one cluster again at every agent %.2f s later\n",
                seconds(healed - parted), seconds(clock::now() - healed));
    idle_until(clock::now() + aftermath);
    return is_no_storm(parted);
  }

private:
  void start() {
    const std::size_t all = halves_[0].size() + halves_[1].size();
    const std::string seed = net_.address_of(halves_[0].front()) + port;
    for (const auto& half : halves_) {
      for (const std::string& name : half) {
        crowd_.start(name,
                     {"--cluster", "split", "--bind", net_.address_of(name) + port, "--seed", seed, "--no-discovery",
                      "--insecure", "--expect", "0", "--preset", "lan"},
                     net_.prefix_of(name));
      }
    }
    crowd_.wait_until(
        [&] {
          return std::all_of(crowd_.all().begin(), crowd_.all().end(),
                             [&](const auto& one) { return count(*one, "joined", {}, {}) == all - 1; });
        },
        start_limit, "every agent to see every other");
    std::printf("%zu agents see each other\n", all);
  }

  /// Of the events of that kind since then, those about this member; of all when none is named.
  static std::size_t count(const demo::agent& at, std::string_view kind, std::string_view about, time_point since) {
    return static_cast<std::size_t>(std::count_if(at.events.begin(), at.events.end(), [&](const demo::heard& one) {
      return one.at >= since && field_text(one.event, "event") == kind &&
             (about.empty() || field_text(one.event.value("member", json::object()), "name") == about);
    }));
  }

  [[nodiscard]] std::size_t half_of(std::string_view name) const {
    return std::find(halves_[0].begin(), halves_[0].end(), name) != halves_[0].end() ? 0 : 1;
  }

  /// Until every agent has told that of each of the other half.
  void wait_for(std::string_view kind, time_point since, artillery::duration limit, const std::string& awaited) {
    crowd_.wait_until(
        [&] {
          return std::all_of(crowd_.all().begin(), crowd_.all().end(), [&](const auto& one) {
            const auto& others = halves_[1 - half_of(one->name)];
            return std::all_of(others.begin(), others.end(),
                               [&](const std::string& other) { return count(*one, kind, other, since) > 0; });
          });
        },
        limit, awaited);
  }

  void idle_until(time_point end) {
    // Each event that comes wakes it; the last look is at the end of the time.
    while (clock::now() < end) {
      try {
        crowd_.wait_until([&] { return clock::now() >= end; }, end - clock::now(), "time to pass");
      } catch (const failure&) {
        if (clock::now() < end) throw;
      }
    }
  }

  /// Each told of each of the other half that it failed and that it joined, once, and neither of its own half.
  [[nodiscard]] bool is_no_storm(time_point since) const {
    bool sound = true;
    std::size_t suspicions = 0;
    std::size_t events = 0;
    for (const auto& one : crowd_.all()) {
      for (const auto& about : crowd_.all()) {
        if (about == one) continue;
        const std::size_t due = half_of(one->name) == half_of(about->name) ? 0 : 1;
        const std::size_t failures = count(*one, "failed", about->name, since);
        const std::size_t joins = count(*one, "joined", about->name, since);
        suspicions += count(*one, "suspected", about->name, since);
        events += failures + joins;
        if (failures == due && joins == due) continue;
        sound = false;
        std::printf(
            "FAILED: %s told %zu times that %s failed and %zu times that it joined; once or never was due: %zu\n",
            one->name.c_str(), failures, about->name.c_str(), joins, due);
      }
    }
    std::printf("%zu reports of failures and joins in all, %zu suspicions%s\n", events, suspicions,
                sound ? ": of each of the other half one each, of the own half none" : "");
    return sound;
  }

  const failover::network& net_;
  demo::agents& crowd_;
  std::ptrdiff_t half_;
  std::vector<std::string> halves_[2];
};

int run(std::size_t agents, artillery::duration length) {
  if (const std::string missing = failover::network::missing(); !missing.empty()) {
    std::fprintf(stderr, "split_endurance: skipped: network namespaces need %s\n", missing.c_str());
    return cannot_be_run_here;
  }
  std::vector<std::string> names;
  for (std::size_t i = 0; i < agents; ++i) names.push_back("n" + std::to_string(i));
  const auto interrupt = demo::interrupts();
  const demo::scratch_directory scratch;
  const failover::network net{names, scratch.path() + "/commands.log"};
  demo::agents crowd{ARTILLERY_COMMAND, scratch.path(), interrupt.number()};
  try {
    const bool sound = split{net, crowd, names}.run(length);
    if (!sound) std::printf("%s", crowd.remarks().c_str());
    return sound ? 0 : 1;
  } catch (const std::exception& failed) {
    throw failure{exit_code::failed, std::string{failed.what()} + '\n' + crowd.remarks()};
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t agents = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 12;
  const std::chrono::seconds length{argc > 2 ? std::strtoll(argv[2], nullptr, 10) : 120};
  if (argc > 3 || agents < 2 || agents > 100 || length < 30s) {
    std::fprintf(stderr, "usage: split_endurance [agents, 2 to 100 [seconds of the split, at least 30]]\n");
    return static_cast<int>(exit_code::wrong_use);
  }
  try {
    return run(agents, length);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "split_endurance: %s\n", error.what());
    return 1;
  }
}

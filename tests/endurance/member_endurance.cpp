// Many agents as real processes on one machine: started at once they see each other fully; none is reported failed
// while all are idle; one that is killed is reported by all the others. Not part of the tests: it takes minutes.
//   ./dev endurance members [agents [idle seconds]]
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "agents.hpp"
#include "exit_code.hpp"
#include "output/event_text.hpp"
#include "process_usage.hpp"
#include "scratch.hpp"

namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using tool::output::field_text;

demo::process_usage usage_of(demo::agents& crowd) {
  demo::process_usage sum;
  for (const demo::agent* one : crowd.living()) {
    const demo::process_usage own = demo::usage_of(one->process->pid());
    sum.cpu_seconds += own.cpu_seconds;
    sum.resident_mebibytes = std::max(sum.resident_mebibytes, own.resident_mebibytes);
  }
  return sum;
}

double seconds(artillery::duration length) {
  return std::chrono::duration<double>(length).count();
}

auto about(const demo::agent& who) {
  return [id = who.id](const json& event) { return field_text(event.value("member", json::object()), "id") == id; };
}

std::size_t count(const demo::agent& at, std::string_view kind) {
  return static_cast<std::size_t>(std::count_if(at.events.begin(), at.events.end(), [&](const demo::heard& one) {
    return field_text(one.event, "event") == kind;
  }));
}

std::size_t count(demo::agents& crowd, std::string_view kind) {
  std::size_t sum = 0;
  for (const demo::agent* one : crowd.living()) sum += count(*one, kind);
  return sum;
}

void start_all(demo::agents& crowd, std::size_t agents) {
  const std::string cluster = "endurance-" + std::to_string(::getpid());
  const std::uint16_t port = demo::free_discovery_port();
  const auto began = artillery::clock::now();
  for (std::size_t i = 0; i < agents; ++i) crowd.start("n" + std::to_string(i), cluster, port, 1);
  crowd.wait_until(
      [&] {
        return std::all_of(crowd.all().begin(), crowd.all().end(),
                           [&](const auto& one) { return count(*one, "joined") >= agents - 1; });
      },
      60s, "every agent to see every other");
  std::printf("%zu agents started at once; every view is full after %.2f s (fork and exec included)\n", agents,
              seconds(artillery::clock::now() - began));
  for (const auto& one : crowd.all()) {
    const demo::heard* ready = one->find("ready");
    if (ready != nullptr) one->id = field_text(ready->event, "id");
  }
}

/// Waits out the idle time; every report of a failure in it is a false one.
std::size_t stay_idle(demo::agents& crowd, artillery::duration idle) {
  const auto before = usage_of(crowd);
  const auto began = artillery::clock::now();
  const auto minute = [&] { return static_cast<int>(seconds(artillery::clock::now() - began) / 60); };
  while (artillery::clock::now() - began < idle) {
    const int now = minute();
    const auto left = idle - (artillery::clock::now() - began);
    crowd.wait_until([&] { return minute() != now || artillery::clock::now() - began >= idle; }, left + 60s,
                     "time to pass");
  }
  const auto after = usage_of(crowd);
  const std::size_t false_reports = count(crowd, "failed");
  std::printf("idle for %.0f s: %zu false reports of a failure, %zu suspicions (all refuted)\n", seconds(idle),
              false_reports, count(crowd, "suspected"));
  std::printf(
      "  CPU %.3f s per agent and minute; the largest agent is resident with %.1f MiB\n",
      (after.cpu_seconds - before.cpu_seconds) / static_cast<double>(crowd.living().size()) / (seconds(idle) / 60),
      after.resident_mebibytes);
  return false_reports;
}

void kill_one(demo::agents& crowd) {
  demo::agent& victim = *crowd.all()[crowd.all().size() / 2];
  victim.expected_to_end = true;
  const auto killed = artillery::clock::now();
  victim.process->signal(SIGKILL);
  (void)victim.process->wait();
  const auto report = [&](const demo::agent& one) { return one.find("failed", about(victim), killed); };
  crowd.wait_until(
      [&] {
        const auto living = crowd.living();
        return std::all_of(living.begin(), living.end(),
                           [&](const demo::agent* one) { return report(*one) != nullptr; });
      },
      60s, "all others to report the killed agent");
  std::vector<artillery::time_point> at;
  for (const demo::agent* one : crowd.living()) at.push_back(report(*one)->at);
  const auto [first, last] = std::minmax_element(at.begin(), at.end());
  std::printf("kill -9 of one: reported by all %zu others, first after %.2f s, last %.2f s later\n", at.size(),
              seconds(*first - killed), seconds(*last - *first));
}

void stop_all(demo::agents& crowd) {
  for (demo::agent* one : crowd.living()) {
    one->expected_to_end = true;
    one->process->signal(SIGTERM);
  }
  crowd.wait_until(
      [&] {
        return std::none_of(crowd.all().begin(), crowd.all().end(),
                            [](const auto& one) { return one->process->running(); });
      },
      30s, "the agents to end");
}

int run(std::size_t agents, artillery::duration idle) {
  const auto interrupt = demo::interrupts();
  const demo::scratch_directory scratch;
  demo::agents crowd{ARTILLERY_COMMAND, scratch.path(), interrupt.number()};
  start_all(crowd, agents);
  const std::size_t false_reports = stay_idle(crowd, idle);
  kill_one(crowd);
  const std::size_t others = crowd.living().size();
  const std::size_t reports = count(crowd, "failed");
  stop_all(crowd);
  return false_reports == 0 && reports == others ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t agents = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 32;
  const std::chrono::seconds idle{argc > 2 ? std::strtoll(argv[2], nullptr, 10) : 600};
  if (argc > 3 || agents < 2 || agents > 256 || idle.count() < 1) {
    std::fprintf(stderr, "usage: member_endurance [agents, 2 to 256 [idle seconds, at least 1]]\n");
    return 2;
  }
  try {
    return run(agents, idle);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "member_endurance: %s\n", error.what());
    return 1;
  }
}

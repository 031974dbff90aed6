// A chain of three real processes under a million reads and writes: every read must be explained by the writes, and the
// memory of the replicas must stay flat. Not part of the tests: it takes minutes.
//   ./dev endurance chain [operations] [--faults] [--history <file>]
// With --faults the replicas are stopped for a while (SIGSTOP), one after the other, and meanwhile a client ends in the
// midst of its operations. --history records what the clients
// saw, for `./dev sim judge`.
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "artillery/node.hpp"
#include "history_file.hpp"
#include "judgement.hpp"
#include "workload.hpp"

namespace {

using namespace std::chrono_literals;

artillery::node_config configuration(const std::string& cluster, std::size_t expect) {
  artillery::node_config config;
  config.cluster = cluster;
  config.expect = expect;
  return config;
}

/// A replica's process: runs until it is killed.
[[noreturn]] void run_replica(const std::string& cluster) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  asio::io_context context{1};
  artillery::node node{context.get_executor(), configuration(cluster, 3)};
  node.async_run([](std::error_code error) {
    std::fprintf(stderr, "a replica ended: %s\n", error.message().c_str());
    std::_Exit(1);
  });
  context.run();
  std::_Exit(1);
}

class replicas {
public:
  explicit replicas(const std::string& cluster) {
    for (int i = 0; i < 3; ++i) {
      const pid_t child = ::fork();
      if (child == 0) run_replica(cluster);
      processes_.push_back(child);
    }
  }
  ~replicas() {
    for (pid_t process : processes_) ::kill(process, SIGKILL);
    for (pid_t process : processes_) ::waitpid(process, nullptr, 0);
  }
  replicas(const replicas&) = delete;
  replicas& operator=(const replicas&) = delete;

  /// Resident bytes of the largest of them.
  [[nodiscard]] std::size_t resident() const {
    std::size_t largest = 0;
    for (pid_t process : processes_) {
      std::ifstream in{"/proc/" + std::to_string(process) + "/statm"};
      std::size_t total = 0;
      std::size_t resident = 0;
      in >> total >> resident;
      largest = std::max(largest, resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)));
    }
    return largest;
  }

  /// Stops the next of them, or lets the stopped one go on; whether one is stopped now.
  bool pause_or_resume() {
    const bool stops = turns_ % 2 == 0;
    ::kill(processes_[turns_ / 2 % processes_.size()], stops ? SIGSTOP : SIGCONT);
    ++turns_;
    return stops;
  }
  [[nodiscard]] std::size_t pauses() const noexcept { return (turns_ + 1) / 2; }

private:
  std::vector<pid_t> processes_;
  std::size_t turns_ = 0;
};

/// Looks on as a member without a replica until a chain of three is in force.
std::optional<artillery::replication::view> find_chain(asio::io_context& context, const std::string& cluster) {
  artillery::node observer{context.get_executor(), configuration(cluster, 0)};
  observer.async_run([](std::error_code) {});
  const auto deadline = artillery::clock::now() + 30s;
  while (artillery::clock::now() < deadline) {
    if (auto chain = observer.chain()) return chain;
    context.run_for(20ms);
  }
  return std::nullopt;
}

double mebibytes(std::size_t bytes) {
  return static_cast<double>(bytes) / (1 << 20);
}

int judge(const endurance::workload& load, std::size_t early, std::size_t late) {
  const histories::judgement result = histories::judge(load.operations());
  const bool is_sound = result.violations.empty();
  const bool flat = late <= early + early / 4;
  std::printf("checked: %zu operations, %s\n", load.operations().size(),
              is_sound ? "every read is explained by the writes" : "NOT SOUND:");
  for (const histories::violation& violation : result.violations) std::printf("  %s\n", violation.what.c_str());
  std::printf("strong reads: %llu, answered without a message between replicas: %.2f %%\n",
              static_cast<unsigned long long>(load.strong_reads()),
              100.0 * static_cast<double>(load.local_strong_reads()) / static_cast<double>(load.strong_reads()));
  std::printf("damaged values: %llu, failed operations: %llu, abandoned with their clients: %llu\n",
              static_cast<unsigned long long>(load.damaged()), static_cast<unsigned long long>(load.failed()),
              static_cast<unsigned long long>(load.abandoned()));
  std::printf("memory of the largest replica: %.1f MiB after a quarter, at most %.1f MiB after that: %s\n",
              mebibytes(early), mebibytes(late), flat ? "flat" : "NOT FLAT");
  return is_sound && flat && load.damaged() == 0 && load.failed() == 0 ? 0 : 1;
}

struct arguments {
  endurance::workload_options load;
  bool has_faults = false;
  std::string history;  // empty: not recorded
};

std::optional<arguments> arguments_in(int argc, char** argv) {
  arguments taken;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--faults") {
      taken.has_faults = true;
    } else if (word == "--history" && i + 1 < argc) {
      taken.history = argv[++i];
    } else {
      taken.load.operations = std::strtoull(argv[i], nullptr, 10);
    }
  }
  if (taken.load.operations < 1000) return std::nullopt;
  return taken;
}

bool record(const std::string& file, const artillery::sim::history& operations) {
  std::ofstream out{file};
  histories::write(out, {"chain_endurance", "CLOCK_BOOTTIME"}, operations);
  out.close();
  if (!out) std::fprintf(stderr, "%s: cannot be written\n", file.c_str());
  return !out.fail();
}

constexpr artillery::duration pause_length = 1'500ms;
constexpr artillery::duration between_pauses = 200ms;

}  // namespace

int main(int argc, char** argv) {
  const auto wanted = arguments_in(argc, argv);
  if (!wanted) {
    std::fprintf(stderr, "usage: chain_endurance [operations, at least 1000] [--faults] [--history <file>]\n");
    return 2;
  }
  const endurance::workload_options& options = wanted->load;
  const std::string cluster = "endurance-" + std::to_string(::getpid());
  replicas processes{cluster};
  asio::io_context context{1};
  const auto chain = find_chain(context, cluster);
  if (!chain) {
    std::fprintf(stderr, "no chain of three came into force within 30 s\n");
    return 1;
  }
  endurance::workload load{context.get_executor(), cluster, *chain, options};
  const auto began = artillery::clock::now();
  load.start();
  std::size_t early = 0;
  std::size_t late = 0;
  std::uint64_t next_report = options.operations / 10;
  auto next_turn = began + between_pauses;
  while (!load.finished()) {
    context.run_for(100ms);
    if (wanted->has_faults && artillery::clock::now() >= next_turn) {
      const bool has_stopped = processes.pause_or_resume();
      if (has_stopped) load.replace_client(processes.pauses() % options.clients);
      next_turn = artillery::clock::now() + (has_stopped ? pause_length : between_pauses);
    }
    const std::size_t resident = processes.resident();
    auto& high = load.completed() < options.operations / 4 ? early : late;
    high = std::max(high, resident);
    if (load.completed() < next_report) continue;
    next_report += options.operations / 10;
    const std::chrono::duration<double> seconds = artillery::clock::now() - began;
    std::printf("%9llu operations, %6.1f s, %8.1f MiB moved, largest replica %.1f MiB\n",
                static_cast<unsigned long long>(load.completed()), seconds.count(), mebibytes(load.bytes_moved()),
                mebibytes(resident));
    std::fflush(stdout);
  }
  if (wanted->has_faults) std::printf("stopped replicas, ended clients: %zu\n", processes.pauses());
  if (!wanted->history.empty() && !record(wanted->history, load.operations())) return 1;
  return judge(load, early, late);
}

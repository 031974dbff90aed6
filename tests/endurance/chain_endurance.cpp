// A chain of three real processes under a million reads and writes: every read must be explained by the writes, and the
// memory of the replicas must stay flat. Not part of the tests: it takes minutes.
//   ./dev endurance chain [operations]
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
#include <vector>

#include "artillery/node.hpp"
#include "sim/linearizability.hpp"
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

private:
  std::vector<pid_t> processes_;
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
  const auto fault = artillery::sim::check_against_log(load.operations(), load.journal());
  const bool flat = late <= early + early / 4;
  std::printf("checked: %zu operations, %s\n", load.operations().size(),
              fault ? fault->c_str() : "every read is explained by the writes");
  std::printf("strong reads: %llu, answered without a message between replicas: %.2f %%\n",
              static_cast<unsigned long long>(load.strong_reads()),
              100.0 * static_cast<double>(load.local_strong_reads()) / static_cast<double>(load.strong_reads()));
  std::printf("damaged values: %llu, failed operations: %llu\n", static_cast<unsigned long long>(load.damaged()),
              static_cast<unsigned long long>(load.failed()));
  std::printf("memory of the largest replica: %.1f MiB after a quarter, at most %.1f MiB after that: %s\n",
              mebibytes(early), mebibytes(late), flat ? "flat" : "NOT FLAT");
  return !fault && flat && load.damaged() == 0 && load.failed() == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  endurance::workload_options options;
  if (argc > 1) options.operations = std::strtoull(argv[1], nullptr, 10);
  if (argc > 2 || options.operations < 1000) {
    std::fprintf(stderr, "usage: chain_endurance [operations, at least 1000]\n");
    return 2;
  }
  const std::string cluster = "endurance-" + std::to_string(::getpid());
  const replicas processes{cluster};
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
  while (!load.finished()) {
    context.run_for(100ms);
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
  return judge(load, early, late);
}

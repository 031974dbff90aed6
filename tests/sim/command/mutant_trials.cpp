#include "mutant_trials.hpp"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>
#include <new>
#include <system_error>

#include "totals.hpp"

namespace simulator {

namespace {

/// A seed takes milliseconds; one that takes this long does not end.
constexpr unsigned seed_seconds_max = 60;

/// What a process tells of its trial, in memory that it shares with us.
struct shared_slot {
  std::atomic<std::uint64_t> seed{0};
  std::atomic<bool> found{false};
  std::array<char, 500> violation{};
};

/// Pages that stay shared across fork().
class shared_slots {
public:
  explicit shared_slots(std::size_t count) : size_{std::max<std::size_t>(count, 1) * sizeof(shared_slot)} {
    memory_ = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory_ == MAP_FAILED) throw std::system_error{errno, std::generic_category(), "mmap"};
    for (std::size_t i = 0; i < count; ++i) new (static_cast<shared_slot*>(memory_) + i) shared_slot;
  }
  shared_slots(const shared_slots&) = delete;
  shared_slots& operator=(const shared_slots&) = delete;
  ~shared_slots() { ::munmap(memory_, size_); }

  [[nodiscard]] shared_slot& operator[](std::size_t i) const { return static_cast<shared_slot*>(memory_)[i]; }

private:
  std::size_t size_;
  void* memory_;
};

/// Whether it fails.
bool try_seed(const mutant_trial& trial, std::uint64_t seed, shared_slot& slot) {
  slot.seed = seed;
  ::alarm(seed_seconds_max);
  const auto result = run_guarded(*trial.where, seed, {});
  if (result.violations.empty()) return false;
  result.violations.front().copy(slot.violation.data(), slot.violation.size() - 1);
  slot.found = true;
  return true;
}

[[noreturn]] void run_trial(const mutant_trial& trial, std::uint64_t seeds_max, shared_slot& slot) {
  trial.where->plant(trial.mutant);
  bool found = trial.known && *trial.known <= seeds_max && try_seed(trial, *trial.known, slot);
  for (std::uint64_t seed = 1; seed <= seeds_max && !found; ++seed) found = try_seed(trial, seed, slot);
  ::_exit(0);
}

pid_t start(const mutant_trial& trial, std::uint64_t seeds_max, shared_slot& slot) {
  const pid_t child = ::fork();
  if (child < 0) throw std::system_error{errno, std::generic_category(), "fork"};
  if (child == 0) run_trial(trial, seeds_max, slot);
  return child;
}

void take_result(mutant_trial& trial, const shared_slot& slot, int status, const rusage& used) {
  trial.cpu_seconds = cpu_seconds_of(used);
  trial.seeds = slot.seed;
  trial.found = slot.found;
  trial.violation = slot.violation.data();
  if (!WIFSIGNALED(status)) return;
  const int signal = WTERMSIG(status);
  trial.found = true;
  trial.violation =
      signal == SIGALRM ? "the run does not end" : std::string{"the process died: "} + ::strsignal(signal);
}

}  // namespace

void run_mutant_trials(std::vector<mutant_trial>& trials, std::uint64_t seeds_max, unsigned jobs,
                       const std::function<void(const mutant_trial&)>& finished) {
  const shared_slots slots{trials.size()};
  std::map<pid_t, std::size_t> running;
  std::size_t next = 0;
  while (next < trials.size() || !running.empty()) {
    if (next < trials.size() && running.size() < jobs) {
      const pid_t child = start(trials[next], seeds_max, slots[next]);
      running.emplace(child, next++);
      continue;
    }
    int status = 0;
    rusage used{};
    const pid_t ended = ::wait4(-1, &status, 0, &used);
    if (ended < 0 && errno == EINTR) continue;
    if (ended < 0) throw std::system_error{errno, std::generic_category(), "wait4"};
    const auto which = running.find(ended);
    if (which == running.end()) continue;
    take_result(trials[which->second], slots[which->second], status, used);
    finished(trials[which->second]);
    running.erase(which);
  }
}

}  // namespace simulator

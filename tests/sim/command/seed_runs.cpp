#include "seed_runs.hpp"

#include <atomic>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace simulator {

namespace sim = artillery::sim;

namespace {

/// Hands results on in order.
class in_order {
public:
  in_order(const seed_list& seeds, const seed_result& take) : seeds_{seeds}, take_{take} {}

  void finished(std::uint64_t at, sim::run_result result) {
    const std::lock_guard lock{guard_};
    waiting_.emplace(at, std::move(result));
    for (auto next = waiting_.find(next_); next != waiting_.end(); next = waiting_.find(next_)) {
      take_(seeds_[next_], next->second);
      waiting_.erase(next);
      ++next_;
    }
  }

private:
  const seed_list& seeds_;
  const seed_result& take_;
  std::mutex guard_;
  std::map<std::uint64_t, sim::run_result> waiting_;
  std::uint64_t next_ = 0;
};

}  // namespace

void run_seeds(const run_plan& plan, const seed_result& take) {
  const auto start = std::chrono::steady_clock::now();
  in_order results{plan.seeds, take};
  std::atomic<std::uint64_t> next{0};
  const auto is_over = [&] {
    return (plan.within && std::chrono::steady_clock::now() - start >= *plan.within) ||
           (plan.is_over && plan.is_over());
  };
  const auto work = [&] {
    while (!is_over()) {
      const std::uint64_t at = next++;
      if (at >= plan.seeds.size()) return;
      results.finished(at, run_guarded(plan.where, plan.seeds[at], plan.fixed));
    }
  };
  std::vector<std::jthread> others;
  for (unsigned i = 1; i < plan.jobs; ++i) others.emplace_back(work);
  work();
}

}  // namespace simulator

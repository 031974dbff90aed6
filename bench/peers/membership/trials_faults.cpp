#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>

#include "cpu_quota.hpp"
#include "trials.hpp"

namespace peers {

using artillery::clock;
using artillery::time_point;
using namespace std::chrono_literals;

namespace {

/// Suspicions that are under way when a fault is over have ended by then.
constexpr auto aftermath = 15s;

constexpr int stop_rounds = 3;
/// How long nodes are stopped, one after the other.
constexpr std::array stops{6s, 8s, 10s, 12s};

constexpr auto starved_for = 30s;
constexpr unsigned starved_percent = 2;
constexpr unsigned starved_competitors = 16;

/// An eighth of its nodes, not the one that all joined through.
std::vector<peer*> eighth_of(crowd& of, std::size_t shift) {
  std::vector<peer*> found;
  const std::size_t others = of.size() - 1;
  for (std::size_t i = 0; i < std::max<std::size_t>(1, of.size() / 8); ++i)
    found.push_back(&of.at(1 + (shift + i) % others));
  return found;
}

double false_reports(const crowd& at, time_point since, const std::vector<peer*>& except) {
  return static_cast<double>(at.failures_told(since, {except.begin(), except.end()}));
}

}  // namespace

void trials::loss() {
  lose(10, measure::false_loss_10);
  lose(25, measure::false_loss_25);
}

void trials::lose(unsigned percent, measure counted) {
  const crowds them = assemble(usual_size());
  const time_point began = clock::now();
  for (const auto& one : them) one->network().lose(percent);
  patience_.wait(all_of(them), wanted_.quiet);
  for (const auto& one : them) {
    one->network().lose(0);
    keep(counted, *one, false_reports(*one, began, {}));
  }
  std::fprintf(stderr, "loss: %u %%\n", percent);
}

void trials::stopped() {
  const crowds them = assemble(usual_size());
  for (int round = 0; round < stop_rounds; ++round) {
    wait_for_full_views(them);
    const time_point began = clock::now();
    std::vector<std::vector<peer*>> victims;
    for (const auto& one : them) {
      victims.push_back(eighth_of(*one, static_cast<std::size_t>(round) * one->size() / 8));
      for (const peer* it : victims.back()) it->signal(SIGSTOP);
    }
    for (std::size_t i = 0; i < stops.size(); ++i) {
      patience_.wait(all_of(them), began + stops[i] - clock::now());
      for (const auto& of : victims) {
        for (std::size_t k = i; k < of.size(); k += stops.size()) of[k]->signal(SIGCONT);
      }
    }
    patience_.wait(all_of(them), aftermath);
    for (std::size_t k = 0; k < them.size(); ++k)
      keep(measure::false_stopped, *them[k], false_reports(*them[k], began, victims[k]));
    std::fprintf(stderr, "stopped: %d of %d rounds\n", round + 1, stop_rounds);
  }
}

void trials::starved() {
  if (const std::string missing = cpu_quota::missing(); !missing.empty()) {
    std::fprintf(stderr, "starved: skipped: it needs %s\n", missing.c_str());
    return;
  }
  // Before the processes, so that these end first.
  std::vector<std::unique_ptr<cpu_quota>> quotas;
  const crowds them = assemble(usual_size());
  const time_point began = clock::now();
  std::vector<std::vector<peer*>> victims;
  for (const auto& one : them) {
    const std::string name = "artillery-" + std::to_string(::getpid()) + '-' + std::string{to_string(one->of())};
    quotas.push_back(
        std::make_unique<cpu_quota>(name, starved_percent, starved_competitors, directory_ + "/competitors.log"));
    victims.push_back(eighth_of(*one, 0));
    for (const peer* it : victims.back()) quotas.back()->add(it->process().pid());
  }
  patience_.wait(all_of(them), starved_for);
  for (const auto& one : quotas) one->lift();
  patience_.wait(all_of(them), aftermath);
  for (std::size_t k = 0; k < them.size(); ++k) {
    const double of_healthy = false_reports(*them[k], began, victims[k]);
    keep(measure::false_starved, *them[k], of_healthy);
    keep(measure::starved_reported, *them[k], false_reports(*them[k], began, {}) - of_healthy);
  }
}

}  // namespace peers

#include "trials.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "exit_code.hpp"
#include "process_usage.hpp"

namespace peers {

using artillery::clock;
using artillery::time_point;
using tool::exit_code;
using tool::failure;
using namespace std::chrono_literals;

namespace {

/// What did not come by then is told to have taken so long.
constexpr auto start_limit = 30s;
constexpr auto report_limit = 60s;
constexpr auto word_limit = 20s;

double seconds(artillery::duration length) {
  return std::chrono::duration<double>(length).count();
}

}  // namespace

trials::trials(settings wanted, std::string directory, int interrupt)
    : wanted_{std::move(wanted)}, directory_{std::move(directory)}, patience_{interrupt} {}

std::vector<std::string> trials::groups() {
  return {"views", "idle", "events", "kills", "leaves", "loss", "stopped", "starved"};
}

void trials::run() {
  constexpr std::array steps{&trials::views,  &trials::idle, &trials::events,  &trials::kills,
                             &trials::leaves, &trials::loss, &trials::stopped, &trials::starved};
  const auto names = groups();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const bool asked = std::find(wanted_.only.begin(), wanted_.only.end(), names[i]) != wanted_.only.end();
    if (!wanted_.only.empty() && !asked) continue;
    const time_point began = clock::now();
    (this->*steps[i])();
    std::fprintf(stderr, "%s: done in %.0f s\n", names[i].c_str(), seconds(clock::now() - began));
  }
}

std::size_t trials::usual_size() const {
  const auto& sizes = wanted_.sizes;
  return std::find(sizes.begin(), sizes.end(), 32U) != sizes.end() ? 32 : *std::max_element(sizes.begin(), sizes.end());
}

std::vector<crowd*> trials::all_of(const crowds& them) {
  std::vector<crowd*> found;
  for (const auto& one : them) found.push_back(one.get());
  return found;
}

void trials::keep(measure what, const crowd& of, double value) {
  samples_.push_back({what, of.of(), of.size(), value});
}

// ---- clusters ----

std::unique_ptr<crowd> trials::gather(library of, std::size_t size) const {
  auto made = std::make_unique<crowd>(of, size, directory_);
  made->start();
  if (!patience_.wait_until({made.get()}, start_limit, [&] { return made->all_ready(); }))
    throw failure{exit_code::failed, std::string{to_string(of)} + "'s nodes do not listen"};
  return made;
}

artillery::duration trials::join_all(crowd& of) const {
  const time_point began = clock::now();
  for (std::size_t i = 1; i < of.size(); ++i) of.join(of.at(i));
  if (!patience_.wait_until({&of}, start_limit, [&] { return of.views_full(); })) {
    std::size_t refusals = 0;
    for (const auto& one : of.peers()) refusals += one->refusals();
    std::fprintf(stderr, "%s: views of %zu nodes were not full after %.0f s (%zu joins were refused)\n",
                 to_string(of.of()).data(), of.size(), seconds(start_limit), refusals);
    return start_limit;
  }
  time_point last = began;
  for (const auto& one : of.peers()) last = std::max(last, one->last_join());
  return last - began;
}

trials::crowds trials::assemble(std::size_t size) const {
  crowds made;
  for (const library of : wanted_.libraries) {
    made.push_back(gather(of, size));
    (void)join_all(*made.back());
  }
  return made;
}

void trials::wait_for_full_views(const crowds& among) const {
  const auto all = all_of(among);
  const auto full = [](const crowd* one) { return one->views_full(); };
  if (patience_.wait_until(all, report_limit, [&] { return std::all_of(all.begin(), all.end(), full); })) return;
  for (const crowd* one : all) {
    if (!full(one)) std::fprintf(stderr, "%s: views are still not full\n", to_string(one->of()).data());
  }
}

// ---- measures ----

void trials::views() {
  for (int round = 0; round < wanted_.rounds; ++round) {
    for (const std::size_t size : wanted_.sizes) {
      for (const library of : wanted_.libraries) {
        const auto made = gather(of, size);
        keep(measure::views_full, *made, seconds(join_all(*made)));
      }
    }
    std::fprintf(stderr, "views: %d of %d rounds\n", round + 1, wanted_.rounds);
  }
}

void trials::idle() {
  const crowds them = assemble(usual_size());
  patience_.wait(all_of(them), settling);
  struct usage {
    time_point at;
    traffic sent;
    double cpu_seconds = 0;
    double resident = 0;
    double own = 0;
  };
  const auto usage_now = [](const crowd& of) {
    usage now{.at = clock::now(), .sent = of.network().sent()};
    for (std::size_t i = 0; i < of.size(); ++i) {
      const auto used = demo::usage_of(of.at(i).process().pid());
      now.cpu_seconds += used.cpu_seconds;
      now.resident += used.resident_mebibytes;
      now.own += used.own_mebibytes;
    }
    return now;
  };
  std::vector<usage> befores;
  for (const auto& one : them) befores.push_back(usage_now(*one));
  patience_.wait(all_of(them), wanted_.quiet);
  for (std::size_t i = 0; i < them.size(); ++i) {
    const crowd& one = *them[i];
    const usage& before = befores[i];
    const usage after = usage_now(one);
    const auto nodes = static_cast<double>(one.size());
    const double node_seconds = nodes * seconds(after.at - before.at);
    keep(measure::cpu, one, (after.cpu_seconds - before.cpu_seconds) / node_seconds * 60);
    keep(measure::resident, one, after.resident / nodes);
    keep(measure::own_memory, one, after.own / nodes);
    keep(measure::datagrams, one, static_cast<double>(after.sent.datagrams - before.sent.datagrams) / node_seconds);
    keep(measure::payload, one,
         static_cast<double>(after.sent.payload_bytes - before.sent.payload_bytes) / node_seconds);
    keep(measure::false_idle, one, static_cast<double>(one.failures_told(before.at, {})));
  }
}

void trials::kills() {
  const crowds them = assemble(usual_size());
  for (int i = 0; i < wanted_.kills; ++i) {
    wait_for_full_views(them);
    const std::size_t victim = 1 + static_cast<std::size_t>(i) % (usual_size() - 1);
    std::vector<time_point> killed;
    for (const auto& one : them) {
      killed.push_back(clock::now());
      one->at(victim).end();
    }
    const auto told = [&](std::size_t k) { return them[k]->all_told("failed", them[k]->at(victim), killed[k]); };
    (void)patience_.wait_until(all_of(them), report_limit, [&] {
      for (std::size_t k = 0; k < them.size(); ++k) {
        if (!told(k)) return false;
      }
      return true;
    });
    for (std::size_t k = 0; k < them.size(); ++k) {
      const time_point never = killed[k] + report_limit;
      const time_point first = them[k]->first_told("failed", them[k]->at(victim), killed[k]).value_or(never);
      keep(measure::first_report, *them[k], seconds(first - killed[k]));
      keep(measure::last_report, *them[k], seconds(told(k).value_or(never) - first));
    }
    bring_back(them, victim, true);
    std::fprintf(stderr, "kills: %d of %d\n", i + 1, wanted_.kills);
  }
}

void trials::bring_back(const crowds& among, std::size_t victim, bool measured) {
  const auto all = all_of(among);
  for (crowd* one : all) one->start(one->at(victim));
  (void)patience_.wait_until(all, start_limit, [&] {
    return std::all_of(all.begin(), all.end(), [&](const crowd* one) { return one->at(victim).ready(); });
  });
  std::vector<time_point> began;
  for (crowd* one : all) {
    began.push_back(clock::now());
    one->join(one->at(victim));
  }
  const auto back = [&](std::size_t k) -> std::optional<time_point> {
    const peer& it = all[k]->at(victim);
    const auto told = all[k]->all_told("joined", it, began[k]);
    if (!told || it.view_size() != all[k]->size() - 1) return std::nullopt;
    return std::max(*told, it.last_join());
  };
  (void)patience_.wait_until(all, word_limit, [&] {
    for (std::size_t k = 0; k < all.size(); ++k) {
      if (!back(k)) return false;
    }
    return true;
  });
  if (!measured) return;
  for (std::size_t k = 0; k < all.size(); ++k)
    keep(measure::rejoin, *all[k], seconds(back(k).value_or(began[k] + word_limit) - began[k]));
}

void trials::leaves() {
  const crowds them = assemble(usual_size());
  const auto all = all_of(them);
  for (int i = 0; i < wanted_.kills; ++i) {
    wait_for_full_views(them);
    const std::size_t victim = 1 + static_cast<std::size_t>(i) % (usual_size() - 1);
    std::vector<time_point> began;
    for (crowd* one : all) {
      began.push_back(clock::now());
      one->at(victim).tell("leave");
    }
    const auto told = [&](std::size_t k) {
      return all[k]->all_told(word_for_leaving(all[k]->of()), all[k]->at(victim), began[k]);
    };
    (void)patience_.wait_until(all, word_limit, [&] {
      for (std::size_t k = 0; k < all.size(); ++k) {
        if (!told(k) || !all[k]->at(victim).gone()) return false;
      }
      return true;
    });
    for (std::size_t k = 0; k < all.size(); ++k) {
      if (!told(k)) std::fprintf(stderr, "%s: a leave was never told to all\n", to_string(all[k]->of()).data());
      keep(measure::leave, *all[k], seconds(told(k).value_or(began[k] + word_limit) - began[k]));
    }
    for (crowd* one : all) one->at(victim).end();
    bring_back(them, victim, false);
    std::fprintf(stderr, "leaves: %d of %d\n", i + 1, wanted_.kills);
  }
}

}  // namespace peers

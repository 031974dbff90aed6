#include "crowd.hpp"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>

#include "exit_code.hpp"

namespace peers {

using artillery::time_point;
using tool::exit_code;
using tool::failure;

namespace {

constexpr unsigned first_port = 7000;

/// What nodes tell says when it happened, so nobody need be quick to read it; a look at each line as it comes would
/// take the processor from those that are measured.
constexpr std::chrono::milliseconds look_every{20};

std::string numbered(const char* form, std::size_t number) {
  char text[32];
  std::snprintf(text, sizeof text, form, static_cast<unsigned>(number));
  return text;
}

}  // namespace

crowd::crowd(library of, std::size_t size, const std::string& directory)
    : of_{of}, network_{directory + "/network.log"} {
  for (std::size_t i = 0; i < size; ++i) {
    const std::string name = numbered("n%03u", i);
    places_.push_back(numbered("127.0.0.1:%u", first_port + i));
    peers_.push_back(std::make_unique<peer>(name, std::vector{program_of(of), name, places_.back()},
                                            directory + '/' + std::string{to_string(of)} + ".log"));
  }
}

crowd::~crowd() {
  // All at once first: each takes a while to end.
  for (const auto& one : peers_) {
    if (one->lives()) one->signal(SIGKILL);
  }
}

void crowd::start() {
  network_.enter();
  for (const auto& one : peers_) {
    if (!one->lives()) one->start();
  }
}

void crowd::start(peer& one) {
  network_.enter();
  one.start();
}

void crowd::join(const peer& one) {
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    if (peers_[i].get() == &one || !peers_[i]->lives()) continue;
    one.tell("join " + places_[i]);
    return;
  }
}

bool crowd::all_ready() const {
  return std::all_of(peers_.begin(), peers_.end(), [](const auto& one) { return one->ready(); });
}

bool crowd::views_full() const {
  return std::all_of(peers_.begin(), peers_.end(),
                     [&](const auto& one) { return one->view_size() == peers_.size() - 1; });
}

std::optional<time_point> crowd::all_told(std::string_view kind, const peer& about, time_point since) const {
  time_point last = since;
  for (const auto& one : peers_) {
    if (one.get() == &about || !one->lives()) continue;
    const auto at = one->told(kind, about.name(), since);
    if (!at) return std::nullopt;
    last = std::max(last, *at);
  }
  return last;
}

std::optional<time_point> crowd::first_told(std::string_view kind, const peer& about, time_point since) const {
  std::optional<time_point> first;
  for (const auto& one : peers_) {
    const auto at = one->told(kind, about.name(), since);
    if (at && (!first || *at < *first)) first = at;
  }
  return first;
}

std::size_t crowd::failures_told(time_point since, const std::vector<const peer*>& except) const {
  std::size_t count = 0;
  for (const auto& one : peers_) {
    for (const report& told : one->reports()) {
      const bool excepted =
          std::any_of(except.begin(), except.end(), [&](const peer* it) { return it->name() == told.about; });
      if (told.at >= since && told.kind == "failed" && !excepted) ++count;
    }
  }
  return count;
}

bool patience::wait_until(const std::vector<crowd*>& of, artillery::duration limit,
                          const std::function<bool()>& holds) const {
  const time_point deadline = artillery::clock::now() + limit;
  while (true) {
    for (crowd* one : of) {
      for (const auto& it : one->peers()) {
        it->listen();
        if (!it->lives()) continue;
        if (!it->process().running())
          throw failure{exit_code::failed, std::string{to_string(one->of())} + "'s " + it->name() +
                                               " ended unexpectedly with " + std::to_string(it->process().wait())};
      }
    }
    if (holds && holds()) return true;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - artillery::clock::now());
    if (left.count() <= 0) return false;
    pollfd watched{interrupt_, POLLIN, 0};
    ::poll(&watched, 1, static_cast<int>(std::min(left, look_every).count()));
    if (watched.revents != 0) throw failure{exit_code::failed, "interrupted"};
  }
}

void patience::wait(const std::vector<crowd*>& of, artillery::duration length) const {
  (void)wait_until(of, length, {});
}

}  // namespace peers

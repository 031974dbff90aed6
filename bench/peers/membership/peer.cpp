#include "peer.hpp"

#include <charconv>
#include <csignal>
#include <utility>

namespace peers {

using artillery::time_point;

peer::peer(std::string name, std::vector<std::string> words, std::string remarks_file)
    : name_{std::move(name)}, words_{std::move(words)}, remarks_file_{std::move(remarks_file)} {}

void peer::start() {
  ready_ = false;
  gone_ = false;
  view_.clear();
  process_ = std::make_unique<demo::child>(words_, remarks_file_, demo::child::input::lines);
}

void peer::end() {
  if (process_ == nullptr) return;
  process_->signal(SIGKILL);
  (void)process_->wait();
  listen();
  process_.reset();
  view_.clear();
}

void peer::listen() {
  if (process_ == nullptr) return;
  while (const auto line = process_->take_line()) take(*line);
}

void peer::take(std::string_view line) {
  const std::size_t first = line.find(' ');
  if (first == std::string_view::npos) return;
  const std::size_t second = line.find(' ', first + 1);
  if (second == std::string_view::npos) return;
  time_point::rep nanoseconds = 0;
  std::from_chars(line.data(), line.data() + first, nanoseconds);
  const time_point at{artillery::duration{nanoseconds}};
  const std::string_view kind = line.substr(first + 1, second - first - 1);
  std::string about{line.substr(second + 1)};
  if (kind == "event") {
    events_.try_emplace(std::move(about), at);
  } else if (kind == "ready") {
    ready_ = true;
  } else if (kind == "gone") {
    gone_ = true;
  } else if (kind == "refused") {
    ++refusals_;
  } else if (about != name_) {
    if (kind == "joined") {
      view_.insert(about);
      last_join_ = at;
    } else {
      view_.erase(about);
    }
    reports_.push_back({at, std::string{kind}, std::move(about)});
  }
}

std::optional<time_point> peer::told(std::string_view kind, std::string_view about, time_point since) const {
  for (const report& one : reports_) {
    if (one.at >= since && one.kind == kind && one.about == about) return one.at;
  }
  return std::nullopt;
}

std::optional<time_point> peer::heard(const std::string& event) const {
  const auto found = events_.find(event);
  return found == events_.end() ? std::nullopt : std::optional{found->second};
}

}  // namespace peers

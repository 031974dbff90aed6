#include "agents.hpp"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <utility>

#include "exit_code.hpp"
#include "notation.hpp"
#include "output/event_text.hpp"

namespace demo {

using nlohmann::json;
using tool::exit_code;
using tool::failure;

const heard* agent::find(std::string_view wanted, const std::function<bool(const json&)>& matches,
                         artillery::time_point since) const {
  for (const heard& one : events) {
    if (one.at < since || tool::output::field_text(one.event, "event") != wanted) continue;
    if (!matches || matches(one.event)) return &one;
  }
  return nullptr;
}

agents::agents(std::string program, std::string directory, int interrupt)
    : program_{std::move(program)}, directory_{std::move(directory)}, interrupt_{interrupt} {}

agent& agents::start(const std::string& name, const std::string& cluster, std::uint16_t discovery_port,
                     std::size_t expect) {
  return start(name, {"--cluster", cluster, "--discovery-port", std::to_string(discovery_port), "--expect",
                      std::to_string(expect), "--value-size-max", "8M"});
}

agent& agents::start(const std::string& name, const std::vector<std::string>& options,
                     const std::vector<std::string>& prefix) {
  auto made = std::make_unique<agent>();
  made->name = name;
  made->socket = directory_ + '/' + name + ".sock";
  made->remarks_file = directory_ + '/' + name + ".log";
  made->words = prefix;
  for (const char* word :
       {program_.c_str(), "agent", "--name", name.c_str(), "--socket", made->socket.c_str(), "--dir"})
    made->words.emplace_back(word);
  made->words.push_back(directory_ + '/' + name);
  made->words.insert(made->words.end(), options.begin(), options.end());
  for (const char* word : {"-o", "jsonl"}) made->words.emplace_back(word);
  made->process = std::make_unique<child>(made->words, made->remarks_file);
  all_.push_back(std::move(made));
  return *all_.back();
}

void agents::restart(agent& ended) {
  ended.process = std::make_unique<child>(ended.words, ended.remarks_file);
  ended.expected_to_end = false;
}

std::vector<agent*> agents::living() {
  std::vector<agent*> found;
  for (const auto& one : all_) {
    if (!one->expected_to_end) found.push_back(one.get());
  }
  return found;
}

tool::control::client agents::connect(const agent& to) const {
  tool::control::client made{to.socket};
  made.interrupt_on(interrupt_);
  return made;
}

void agents::read_output() {
  for (const auto& one : all_) {
    const artillery::time_point now = artillery::clock::now();
    while (const auto line = one->process->take_line()) {
      json event = json::parse(*line, nullptr, /*allow_exceptions=*/false);
      if (event.is_object()) one->events.push_back({now, std::move(event)});
    }
  }
}

void agents::require_all_running() {
  for (const auto& one : all_) {
    if (one->expected_to_end || one->process->running()) continue;
    throw failure{exit_code::failed,
                  "agent " + one->name + " ended unexpectedly with " + std::to_string(one->process->wait())};
  }
}

void agents::wait_until(const std::function<bool()>& holds, artillery::duration limit, const std::string& awaited) {
  using std::chrono::milliseconds;
  const artillery::time_point deadline = artillery::clock::now() + limit;
  while (true) {
    // Before the look at them: one that ends after this line wakes the poll below.
    std::vector<bool> was_running;
    for (const auto& one : all_) was_running.push_back(one->process->running());
    read_output();
    if (holds()) return;
    require_all_running();
    const auto left = std::chrono::ceil<milliseconds>(deadline - artillery::clock::now());
    if (left.count() <= 0)
      throw failure{exit_code::failed, "gave up after " + tool::to_milliseconds(limit) + " of waiting for " + awaited};
    std::vector<pollfd> watched{{interrupt_, POLLIN, 0}};
    for (std::size_t i = 0; i < all_.size(); ++i) {
      watched.push_back({all_[i]->process->output(), POLLIN, 0});  // poll ignores what is closed
      if (was_running[i]) watched.push_back({all_[i]->process->end(), POLLIN, 0});
    }
    ::poll(watched.data(), watched.size(), static_cast<int>(left.count()));
    if (watched[0].revents != 0) throw failure{exit_code::failed, "interrupted"};
  }
}

std::string agents::remarks() const {
  constexpr std::size_t lines_max = 10;
  std::string text;
  for (const auto& one : all_) {
    std::vector<std::string> lines;
    std::ifstream file{one->remarks_file};
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    const std::size_t first = lines.size() > lines_max ? lines.size() - lines_max : 0;
    for (std::size_t i = first; i < lines.size(); ++i) text += "  " + one->name + ": " + lines[i] + '\n';
    if (!one->events.empty()) text += "  " + one->name + " told last: " + one->events.back().event.dump() + '\n';
  }
  return text;
}

}  // namespace demo

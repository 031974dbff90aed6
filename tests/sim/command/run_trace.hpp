#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <set>
#include <string>
#include <utility>

#include "artillery/sim/happening.hpp"
#include "scenarios/stage.hpp"

namespace simulator {

/// What a room calls its hosts, and its messages in a person's words.
struct room_words {
  std::function<std::string(artillery::sim::host)> name_of;
  std::function<std::string(const artillery::scenarios::utterance&)> text_of;
};

/// Writes what happens in a run, a line each, in the way of the golden scenarios: `r1 -> r2  ack 3`, on a stream `=>`.
/// A message is told as it arrives. The times are those of the violations.
class run_trace {
public:
  run_trace(room_words words, std::ostream& out) : words_{std::move(words)}, out_{out} {}

  void show(const artillery::sim::happening& what);

private:
  [[nodiscard]] std::string line_of(const artillery::sim::happening& what);
  [[nodiscard]] std::string message_text(const artillery::sim::happening& what);
  [[nodiscard]] std::string link_text(const artillery::sim::happening& what);
  [[nodiscard]] std::string fault_text(const artillery::sim::happening& what) const;
  [[nodiscard]] std::string other_text(const artillery::sim::happening& what) const;

  room_words words_;
  std::ostream& out_;
  std::set<std::pair<artillery::sim::host, std::uint64_t>> heard_;  // streams of which an end has had the first frame
};

}  // namespace simulator

#include "run_trace.hpp"

#include <chrono>
#include <ostream>

#include "output/table.hpp"

namespace simulator {

namespace sim = artillery::sim;
using kind = sim::happening::kind;

namespace {

/// Values may be long, and what a broken message holds is anything.
constexpr std::size_t columns_max = 400;

}  // namespace

void run_trace::show(const sim::happening& what) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(what.at.time_since_epoch()).count();
  out_ << us << " us  " << tool::output::printable(line_of(what), columns_max) << "\n";
}

std::string run_trace::line_of(const sim::happening& what) {
  switch (what.what) {
    case kind::datagram:
    case kind::lost:
    case kind::frame: return message_text(what);
    case kind::link: return link_text(what);
    case kind::note: return "note: " + std::string{what.text} + " " + std::to_string(what.value);
    default: return fault_text(what);
  }
}

std::string run_trace::other_text(const sim::happening& what) const {
  return what.other ? words_.name_of(*what.other) : to_string(what.on.peer);
}

std::string run_trace::message_text(const sim::happening& what) {
  const bool lost = what.what == kind::lost;  // told of its sender
  artillery::scenarios::utterance said;
  said.from = lost ? words_.name_of(what.where) : other_text(what);
  said.to = lost ? other_text(what) : words_.name_of(what.where);
  said.message = artillery::bytes{artillery::as_text(what.message)};
  said.on_stream = what.what == kind::frame;
  if (said.on_stream) {
    said.first = heard_.emplace(what.where, what.on.number).second;
    said.opened_here = !what.on.outgoing();
  }
  const std::string text = words_.text_of(said);
  return said.from + (said.on_stream ? " => " : " -> ") + said.to + "  " + text + (lost ? "   (lost)" : "");
}

std::string run_trace::link_text(const sim::happening& what) {
  const std::string stream =
      words_.name_of(what.where) + ": the stream " + (what.on.outgoing() ? "to " : "from ") + other_text(what);
  switch (what.state) {
    case artillery::link_state::up: return stream + " opens";
    case artillery::link_state::congested: return stream + " is congested";
    case artillery::link_state::writable: return stream + " takes more again";
    case artillery::link_state::down: break;
  }
  heard_.erase({what.where, what.on.number});
  return stream + " is down";
}

std::string run_trace::fault_text(const sim::happening& what) const {
  const auto self = [&] { return words_.name_of(what.where) + ": "; };
  const auto way = [&] { return words_.name_of(what.where) + " -> " + other_text(what) + "  "; };
  switch (what.what) {
    case kind::start: return self() + "starts";
    case kind::completed: return self() + "what it wrote to its disk is there";
    case kind::timer: return self() + "a timer";
    case kind::call: return self() + "its user calls";
    case kind::crash: return self() + "the process dies";
    case kind::power_off: return self() + "the machine dies";
    case kind::pause: return self() + "the process is stopped";
    case kind::resume: return self() + "the process goes on";
    case kind::suspend: return self() + "the machine sleeps";
    case kind::wake: return self() + "the machine wakes";
    case kind::cut: return way() + "the way is cut";
    case kind::mend: return way() + "the way is mended";
    case kind::clog: return way() + "the way is clogged";
    case kind::unclog: return way() + "the way is free again";
    case kind::heal: return "all ways are mended";
    case kind::partition: break;
    default: return {};
  }
  std::string text = "cut off from the others:";
  for (const sim::host one : what.side) text += ' ' + words_.name_of(one);
  return text + (what.other ? ", but for " + words_.name_of(*what.other) : "");
}

}  // namespace simulator

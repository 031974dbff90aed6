#include "scenarios/trace.hpp"

#include <algorithm>
#include <utility>

namespace artillery::scenarios {
namespace {

constexpr std::size_t clock_width = 8;

/// Seconds with three places, right-aligned.
std::string clock_text(duration since) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
  std::string fraction = std::to_string(ms % 1000);
  fraction.insert(0, 3 - fraction.size(), '0');
  std::string text = std::to_string(ms / 1000) + "." + fraction;
  text.insert(0, clock_width - std::min(clock_width, text.size()), ' ');
  return text + "  ";
}

}  // namespace

void trace::heading(const std::string& text) {
  flush();
  if (!muted_) text_.append("> ").append(text).append("\n");
}

void trace::tell(const std::string& kind, const std::string& text, time_point now) {
  if (!shown(kind)) return;
  flush();
  add(text, now);
}

void trace::message(const std::string& kind, const std::string& from_and_arrow, const std::string& to,
                    const std::string& text, const std::string& remark, time_point now) {
  if (!shown(kind)) return;
  std::string what = text;
  if (!remark.empty()) what.append("   (").append(remark).append(")");
  if (pending_ && pending_->when == now && pending_->from_and_arrow == from_and_arrow && pending_->what == what) {
    pending_->to.append(" ").append(to);
    return;
  }
  flush();
  pending_ = pending_message{from_and_arrow, to, std::move(what), now};
}

std::string trace::text() {
  flush();
  return text_;
}

void trace::flush() {
  if (!pending_) return;
  const pending_message said = *std::exchange(pending_, std::nullopt);
  add(said.from_and_arrow + " " + said.to + "  " + said.what, said.when);
}

void trace::add(const std::string& text, time_point when) {
  if (with_clock_) text_.append(clock_text(when - began_));
  text_.append(text).append("\n");
}

}  // namespace artillery::scenarios

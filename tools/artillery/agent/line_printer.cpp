#include "agent/line_printer.hpp"

#include <poll.h>
#include <unistd.h>

#include <utility>

#include "byte_json.hpp"
#include "notation.hpp"
#include "output/event_text.hpp"

namespace tool::agent {

bool line_printer::has_room() const {
  // For a pipe, writable means room for 4096 bytes at least, which every line but the largest fits into.
  pollfd one{STDOUT_FILENO, POLLOUT, 0};
  return ::poll(&one, 1, 0) == 1 && (one.revents & POLLOUT) != 0;
}

void line_printer::print(const nlohmann::json& event) {
  if (!has_room()) {
    ++lost_;
    return;
  }
  if (lost_ > 0) write({{"event", "overflow"}, {"lost", std::exchange(lost_, 0)}, {"time", time_text()}});
  write(event);
}

void line_printer::write(const nlohmann::json& event) const {
  const std::string line = (format_ == output_format::table ? output::event_text(event) : to_line(event)) + '\n';
  // A reader that went away is no reason to end.
  [[maybe_unused]] const ssize_t ignored = ::write(STDOUT_FILENO, line.data(), line.size());
}

}  // namespace tool::agent

#pragma once

#include <string>
#include <string_view>

#include "artillery/clock.hpp"
#include "control/file_descriptor.hpp"
#include "control/message.hpp"

namespace tool::control {

/// The command's end of the socket: one request at a time, in order. Each wait has a deadline.
///
/// Throws `failure`: unreachable when nobody listens or the agent goes away, timed_out at a deadline.
class client {
public:
  /// Connects. The agent must be this user's own, or root's, or this process root's.
  explicit client(const std::string& path);

  void send(std::string_view bytes, artillery::time_point deadline);
  /// The next reply or event.
  [[nodiscard]] message receive(artillery::time_point deadline);

  /// One request and its reply. `head` is sent with `version` and `timeout_ms` filled in; the agent's own deadline is
  /// `timeout`, and it is given a little longer to say so. A reply that reports an error becomes a `failure` with the
  /// exit code that fits.
  [[nodiscard]] message request(nlohmann::json head, artillery::duration timeout);
  [[nodiscard]] message request(nlohmann::json head, std::string_view body, artillery::duration timeout);

  /// Waits until the agent's process has ended, or, where that cannot be seen, until it hangs up; false at the
  /// deadline.
  [[nodiscard]] bool wait_for_end(artillery::time_point deadline);

  /// Every wait also ends, with a failure, when this descriptor becomes readable: a signalfd, say. It stays the
  /// caller's.
  void interrupt_on(int descriptor) noexcept { interrupt_ = descriptor; }

private:
  [[nodiscard]] message exchange(const std::string& bytes, artillery::duration timeout);
  void wait_for(int descriptor, short events, artillery::time_point deadline) const;

  std::string path_;
  file_descriptor socket_;
  int interrupt_ = -1;  // poll ignores it
  decoder decoder_;
};

}  // namespace tool::control

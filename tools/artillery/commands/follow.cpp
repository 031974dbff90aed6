#include "commands/follow.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

namespace tool {

control::client subscribe(const common_options& common, nlohmann::json wanted) {
  control::client client{common.socket_path()};
  wanted["op"] = "watch";
  (void)client.request(std::move(wanted), common.timeout);
  return client;
}

exit_code follow(control::client& events, const stream_options& stream,
                 const std::function<bool(const nlohmann::json&)>& take) {
  const artillery::duration forever = std::chrono::hours{24 * 365};
  const artillery::time_point deadline = artillery::clock::now() + stream.timeout.value_or(forever);
  for (std::uint64_t seen = 0; !stream.count || seen < *stream.count;) {
    try {
      if (take(events.receive(deadline).head)) ++seen;
    } catch (const failure& failed) {
      if (failed.code() != exit_code::timed_out) throw;
      if (!stream.count) return exit_code::done;
      throw failure{exit_code::timed_out,
                    std::to_string(seen) + " of " + std::to_string(*stream.count) + " events came in time"};
    }
  }
  return exit_code::done;
}

}  // namespace tool

#include "commands/inquiry.hpp"

#include <chrono>
#include <string>
#include <utility>

#include "output/event_text.hpp"

namespace tool {

void inquire(control::client& client, nlohmann::json question, std::string_view payload, artillery::duration timeout,
             const std::function<void(const nlohmann::json&)>& take) {
  // The agent ends it in time; it is given a little longer to say so.
  const artillery::time_point deadline = artillery::clock::now() + timeout + std::chrono::seconds{2};
  question["op"] = "query";
  (void)client.request(std::move(question), payload, timeout);
  std::string what;
  while (what != "query_end") {
    const nlohmann::json line = client.receive(deadline).head;
    take(line);
    what = output::field_text(line, "event");
  }
}

}  // namespace tool

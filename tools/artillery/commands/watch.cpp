#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "commands/commands.hpp"
#include "commands/follow.hpp"
#include "commands/member_text.hpp"
#include "control/client.hpp"
#include "notation.hpp"
#include "output/event_text.hpp"
#include "output/print.hpp"
#include "output/screen.hpp"
#include "output/table.hpp"

namespace tool {

namespace {

using nlohmann::json;
using output::field_text;

/// The column that tells for how long goes on without events.
constexpr artillery::duration redrawn_every = std::chrono::seconds{1};
/// Events that come together are drawn together.
constexpr artillery::duration gathered_for = std::chrono::milliseconds{50};

json ask_members(control::client& client, const watch_options& options) {
  return client.request({{"op", "members"}}, options.common.timeout).head.value("members", json::array());
}

std::string summary(const json& members) {
  std::map<std::string, std::size_t> counts;
  for (const json& member : members) ++counts[field_text(member, "state")];
  std::string text;
  for (const char* state : {"alive", "suspect", "failed", "left"}) {
    if (counts[state] > 0) text += (text.empty() ? "" : ", ") + std::to_string(counts[state]) + " " + state;
  }
  return text + "\n\n";
}

std::string live_text(const json& members) {
  std::vector<json> rows{members.begin(), members.end()};
  std::sort(rows.begin(), rows.end(), [](const json& a, const json& b) {
    return std::pair{field_text(a, "name"), field_text(a, "id")} <
           std::pair{field_text(b, "name"), field_text(b, "id")};
  });
  output::table table{{"NAME", "ID", "ADDRESS", "STATE", "FOR", "TAGS"}};
  for (const json& member : rows) {
    const std::chrono::milliseconds in_state{member.value("state_for_ms", std::int64_t{0})};
    table.add({member_name_text(member), field_text(member, "id").substr(0, 8), field_text(member, "address"),
               field_text(member, "state"), to_age_text(in_state), tags_text(member)});
  }
  return summary(members) + table.text();
}

/// Takes events until there is something to draw; how many came.
std::uint64_t gather(control::client& events, artillery::time_point deadline) {
  std::uint64_t came = 0;
  artillery::time_point until = std::min(deadline, artillery::clock::now() + redrawn_every);
  try {
    while (true) {
      (void)events.receive(until);
      if (++came == 1) until = std::min(until, artillery::clock::now() + gathered_for);
    }
  } catch (const failure& failed) {
    if (failed.code() != exit_code::timed_out) throw;
  }
  return came;
}

/// The table, drawn anew with each change.
exit_code watch_on_screen(const watch_options& options, control::client& events, control::client& asks) {
  const artillery::duration forever = std::chrono::hours{24 * 365};
  const artillery::time_point deadline = artillery::clock::now() + options.stream.timeout.value_or(forever);
  output::write("\x1b[2J");
  for (std::uint64_t seen = 0;;) {
    const auto size = output::screen();
    if (size) output::write(output::drawn(live_text(ask_members(asks, options)), *size));
    if (options.stream.count && seen >= *options.stream.count) return exit_code::done;
    if (artillery::clock::now() >= deadline) break;
    seen += gather(events, deadline);
  }
  return options.stream.count ? exit_code::timed_out : exit_code::done;
}

/// Who is there, a line each, and then each change.
exit_code watch_as_lines(const watch_options& options, control::client& events, control::client& asks) {
  for (json& member : ask_members(asks, options))
    output::print_event(options.common.format,
                        {{"event", "present"}, {"time", time_text()}, {"member", std::move(member)}});
  return follow(events, options.stream, [&](const json& event) {
    output::print_event(options.common.format, event);
    return true;
  });
}

}  // namespace

/// Watches first and looks then, so that no change in between is missed.
exit_code run(const watch_options& options) {
  control::client events = subscribe(options.common, {{"kinds", {"member"}}});
  control::client asks{options.common.socket_path()};
  const bool is_live = options.common.format == output_format::table && output::screen();
  return is_live ? watch_on_screen(options, events, asks) : watch_as_lines(options, events, asks);
}

}  // namespace tool

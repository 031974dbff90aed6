#include <cstdint>

#include "byte_json.hpp"
#include "commands/commands.hpp"
#include "commands/replica_text.hpp"
#include "control/client.hpp"
#include "output/event_text.hpp"
#include "output/print.hpp"
#include "output/table.hpp"

namespace tool {

namespace {

using nlohmann::json;
using output::field_text;

json ask_status(const status_options& options) {
  control::client client{options.common.socket_path()};
  json reply = client.request({{"op", "status"}, {"counters", options.counters}}, options.common.timeout).head;
  reply.erase("ok");
  return reply;
}

bool is_formed(const json& status) {
  return field_text(status.value("chain", json::object()), "state") == "formed";
}

/// Watches first and looks then, so that a chain that forms in between is not missed.
void wait_for_chain(const status_options& options) {
  const artillery::time_point deadline = artillery::clock::now() + options.common.timeout;
  control::client events{options.common.socket_path()};
  (void)events.request({{"op", "watch"}, {"kinds", {"chain"}}}, options.common.timeout);
  json status = ask_status(options);
  while (!is_formed(status)) {
    const std::string remark = field_text(status.value("chain", json::object()), "remark");
    try {
      (void)events.receive(deadline);
    } catch (const failure& failed) {
      if (failed.code() != exit_code::timed_out) throw;
      throw failure{exit_code::timed_out, "no chain is in force: " + remark};
    }
    status = ask_status(options);
  }
}

std::string replicas_text(const json& chain) {
  std::string text;
  for (const json& replica : chain.value("replicas", json::array()))
    text += (text.empty() ? "" : " → ") + field_text(replica, "id").substr(0, 8);
  return text;
}

std::string status_text(const json& status) {
  const json chain = status.value("chain", json::object());
  const json replica = status.value("replica", json::object());
  const std::string remark = field_text(chain, "remark");
  output::listing listing;
  listing.add("node", field_text(status, "name") + " (" + field_text(status, "id") + ")");
  listing.add("cluster", field_text(status, "cluster"));
  listing.add("version", field_text(status, "version") + ", pid " + field_text(status, "pid"));
  listing.add("membership", field_text(status, "membership"));
  listing.add("replication", field_text(status, "replication"));
  listing.add("members",
              field_text(status, "members") + " here, " + field_text(status, "expect") + " expected to form the chain");
  listing.add("chain", field_text(chain, "state") + (remark.empty() ? "" : ": " + remark));
  if (is_formed(status)) {
    listing.add("replicas", replicas_text(chain));
    listing.add("role", field_text(chain, "role"));
    listing.add("epoch", field_text(chain, "epoch"));
  }
  if (replica.value("epoch", std::uint64_t{0}) > 0) {
    listing.add("last", field_text(replica, "last"));
    listing.add("commit", field_text(replica, "commit"));
    listing.add("dirty", field_text(replica, "dirty_objects") + " objects");
    listing.add("writes", writes_text(replica));
  }
  const json counters = status.value("counters", json::object());  // a name: items() refers to it
  for (const auto& [name, value] : counters.items()) listing.add(name, to_line(value));
  return listing.text();
}

}  // namespace

exit_code run(const status_options& options) {
  if (options.wait) wait_for_chain(options);
  const json status = ask_status(options);
  output::print(options.common.format, status, status_text(status));
  return exit_code::done;
}

}  // namespace tool

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

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

/// What the members are called, by id.
std::string name_of(const json& members, const std::string& id) {
  for (const json& one : members) {
    if (field_text(one, "id") == id) return field_text(one, "name");
  }
  return "?";
}

std::string state_of(const json& members, const std::string& id) {
  for (const json& one : members) {
    if (field_text(one, "id") == id) return field_text(one, "state");
  }
  return "unknown";
}

std::string role_at(std::size_t position, std::size_t count) {
  if (count == 1) return "single";
  if (position == 0) return "head";
  return position + 1 == count ? "tail" : "middle";
}

std::string lag_of(const json& replica, const std::string& id) {
  for (const json& one : replica.value("learners", json::array())) {
    if (field_text(one, "id") != id) continue;
    if (!one.value("connected", false)) return "not connected";
    return one.value("has_checkpoint", false) ? field_text(one, "lag") + " records" : "is given all objects";
  }
  return {};
}

std::string replicas_table(const json& chain, const json& replica, const json& members) {
  output::table table{{"ROLE", "NAME", "ID", "ADDRESS", "STATE", "LAG"}};
  const auto add = [&](std::string role, const json& one) {
    const std::string id = field_text(one, "id");
    table.add({std::move(role), name_of(members, id), id, field_text(one, "address"), state_of(members, id),
               lag_of(replica, id)});
  };
  const json replicas = chain.value("replicas", json::array());
  for (std::size_t i = 0; i < replicas.size(); ++i) add(role_at(i, replicas.size()), replicas[i]);
  for (const json& one : chain.value("learners", json::array())) add("learner", one);
  for (const json& one : replica.value("candidates", json::array())) add("candidate", one);
  return table.text();
}

std::string lease_text(const json& replica) {
  const auto left = replica.find("lease_ms");
  if (left == replica.end() || left->is_null()) return "endless";
  return left->get<std::int64_t>() == 0 ? "none: strong reads go elsewhere" : left->dump() + " ms left";
}

std::string tail_text(const json& replica) {
  const std::string state = field_text(replica, "tail");
  if (state == "gated")
    return "gated: waits up to " + field_text(replica, "opens_in_ms") + " ms for old leases to end before it commits";
  if (state == "frozen") return "frozen: holds commits back to promote a learner";
  return state;
}

std::string chain_text(const json& status, const json& members) {
  const json chain = status.value("chain", json::object());
  const json replica = status.value("replica", json::object());
  const std::string remark = field_text(chain, "remark");
  output::listing listing;
  listing.add("chain", field_text(chain, "state") + (remark.empty() ? "" : ": " + remark));
  if (!chain.contains("epoch")) return listing.text();
  std::string voters;
  for (const json& one : chain.value("voters", json::array()))
    voters += (voters.empty() ? "" : " ") + name_of(members, field_text(one, "id"));
  listing.add("epoch", field_text(chain, "epoch"));
  listing.add("voters", voters.empty() ? "none: this view never changes" : voters);
  listing.add("role here", field_text(chain, "role"));
  if (replica.value("epoch", std::uint64_t{0}) > 0) {
    listing.add("lease here", lease_text(replica));
    listing.add("records here", "last " + field_text(replica, "last") + ", committed " + field_text(replica, "commit") +
                                    ", " + field_text(replica, "dirty_objects") + " objects dirty");
    if (field_text(replica, "tail") != "none") listing.add("tail here", tail_text(replica));
    listing.add("writes", writes_text(replica));
  }
  return listing.text() + '\n' + replicas_table(chain, replica, members);
}

constexpr const char* force_warning =
    R"(warning: --force founds another chain in the place of one that lost the majority of its voters for good.

It begins with what this agent's replica holds, and nothing else. What may be lost:
- Every write that was acknowledged and has not come to this replica. A replica of the chain as it was last lacks none
  (`chain status` shows the view that this agent knows, and its records). One that the chain had dropped meanwhile, of
  which only the lost voters knew, may lack many. Choose the agent that was in the chain to the end.
- Every write from now on that others of the lost chain accept, if they are alive behind a broken network: they would
  go on as a chain of their own, and clients there would read and write its data.

Before: stop all other agents that voted on the lost chain or were replicas of it, for good.
After: start them again with empty directories only (remove what --dir named); then they join, and are fed.
The new chain has one voter, this agent: while it is away that chain cannot change. Start it with --dir.
Nothing is done while a majority of the voters answers, or at an agent that is no replica.
)";

/// Longer than an agent asks the voters before it forces anything: what came of it must not stay unknown.
constexpr artillery::duration force_wait_min = std::chrono::seconds{15};

exit_code force(const chain_options& options) {
  std::fputs(force_warning, stderr);
  if (!options.confirmed) {
    std::fputs("\nNothing was done. Add --yes to do it.\n", stderr);
    return exit_code::not_confirmed;
  }
  control::client client{options.common.socket_path()};
  const json forced = client
                          .request({{"op", "chain"}, {"change", "force"}},
                                   std::max<artillery::duration>(options.common.timeout, force_wait_min))
                          .head;
  output::listing listing;
  listing.add("forced", "this agent alone is the chain from epoch " + field_text(forced, "epoch") + " on");
  const std::string kept = field_text(forced, "former_vote");
  listing.add("vote for the lost chain", kept.empty() ? "none: this agent was no voter" : "kept in " + kept);
  output::print(options.common.format, {{"epoch", forced.value("epoch", std::uint64_t{0})}, {"former_vote", kept}},
                listing.text());
  return exit_code::done;
}

exit_code show(const chain_options& options) {
  control::client client{options.common.socket_path()};
  const json status = client.request({{"op", "status"}}, options.common.timeout).head;
  const json members = client.request({{"op", "members"}}, options.common.timeout).head.value("members", json::array());
  json shown = status.value("chain", json::object());
  shown["here"] = status.value("replica", json::object());
  output::print(options.common.format, shown, chain_text(status, members));
  return exit_code::done;
}

std::string_view word_for(chain_options::kind what) {
  switch (what) {
    case chain_options::kind::status: return "status";
    case chain_options::kind::add: return "add";
    case chain_options::kind::remove: return "remove";
    case chain_options::kind::promote: return "promote";
    case chain_options::kind::repair: return "repair";
  }
  return {};
}

}  // namespace

exit_code run(const chain_options& options) {
  if (options.what == chain_options::kind::status) return show(options);
  if (options.force) return force(options);
  control::client client{options.common.socket_path()};
  json request{{"op", "chain"}, {"change", word_for(options.what)}};
  if (!options.node.empty()) request["node"] = options.node;
  (void)client.request(std::move(request), options.common.timeout);
  return show(options);
}

}  // namespace tool

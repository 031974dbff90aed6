#include <memory>

#include "command_line.hpp"

namespace tool {

namespace {

constexpr const char* chain_footer =
    R"(A chain heals itself: a replica that fails is dropped, and a node that comes back, or a spare one, takes its place. The
changes here are for what it does not do by itself. NODE is a member's name, its id, or how that begins.

Examples:
  artillery chain status
  artillery chain remove b          b is to be taken out of service: it is kept out until it is added again
  artillery chain add b
  artillery chain repair            look for failed replicas now, and forgive those that came and went too often
  artillery chain repair --force    tells what may be lost when a chain without a majority of its voters is forced to
                                    go on at this agent; with --yes it is done)";

struct change {
  const char* name;
  chain_options::kind what;
  const char* description;
  bool has_node;
};

constexpr change changes[] = {
    {"status", chain_options::kind::status, "Show the view: epoch, replicas, learners, lease, gate", false},
    {"add", chain_options::kind::add, "Let a node take part, though the chain is long enough or it was removed", true},
    {"remove", chain_options::kind::remove, "Drop a replica, and keep it out until it is added again", true},
    {"promote", chain_options::kind::promote, "Make a learner the tail as soon as it has caught up", true},
    {"repair", chain_options::kind::repair, "Look at once for what has failed", false}};

void add_force_options(CLI::App& repair, chain_options& options) {
  CLI::Option* force = repair.add_flag(
      "--force", options.force,
      "For a chain that lost the majority of its voters for good: found another one in its place, of "
      "this agent alone, with what it holds. Without --yes only tells what may be lost, and ends with 8");
  repair.add_flag("--yes", options.confirmed, "Do it: the warning was read")->needs(force);
}

}  // namespace

void add_chain_commands(CLI::App& app, std::optional<command>& chosen) {
  CLI::App* chain = app.add_subcommand("chain", "Show the chain of replicas, or change it");
  chain->footer(chain_footer);
  chain->require_subcommand(1);
  for (const change& one : changes) {
    auto options = std::make_shared<chain_options>();
    options->what = one.what;
    CLI::App* each = chain->add_subcommand(one.name, one.description);
    if (one.has_node) each->add_option("NODE", options->node, "Which node")->type_name("NAME|ID")->required();
    if (one.what == chain_options::kind::repair) add_force_options(*each, *options);
    add_timeout_option(*each, options->common);
    add_common_options(*each, options->common);
    each->callback([options, &chosen] { chosen = *options; });
  }
}

}  // namespace tool

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/member_lookup.hpp"
#include "agent/request_fields.hpp"
#include "agent/request_handler.hpp"
#include "control/reply.hpp"

// Changes of the chain that a person asks for.

namespace tool::agent {

namespace {

using artillery::node_id;
using artillery::membership::member;
using artillery::replication::view_change;

/// Which agent to ask instead, when only the tail's can do it.
std::string tail_of(const artillery::node& node) {
  const auto view = node.chain();
  if (!view || view->replicas.empty()) return "the chain's tail";
  for (const member& one : node.members()) {
    if (one.id == view->replicas.back().id.node) return "the agent " + shown(one);
  }
  return "the agent of node " + artillery::to_string(view->replicas.back().id.node);
}

/// Why a change did not come about, and what to do.
nlohmann::json refusal(std::error_code error, const view_change& what, const std::string& of,
                       const artillery::node& node) {
  using artillery::errc;
  using kind = view_change::kind;
  if (error == errc::not_tail) {
    return control::error_reply("not_tail", "only the tail can do this: ask " + tail_of(node));
  }
  if (error == errc::not_serving) {
    return control::error_reply("not_serving", "this agent hosts no replica of the chain; ask one that does");
  }
  if (error == errc::invalid_argument && what.what == kind::promote) {
    return control::error_reply("invalid_argument", of + " is neither a learner nor a replica of the chain: let it "
                                                         "take part first, with `artillery chain add`");
  }
  if (error == errc::invalid_argument && what.what == kind::remove) {
    return control::error_reply("invalid_argument",
                                of + " is all that is left of the chain: without it the data would be gone");
  }
  if (error == errc::timed_out && what.what == kind::add) {
    return control::error_reply("timed_out",
                                of + " has not asked to take part; nothing was changed. See that its agent "
                                     "runs in this cluster (`artillery members`) and is not `--expect 0`, then "
                                     "ask again");
  }
  if (error == errc::timed_out && what.what == kind::promote) {
    return control::error_reply("timed_out",
                                of + " has not caught up in time, and the chain goes on without it; nothing "
                                     "was changed. `artillery chain status` tells how far it is: if that grows, "
                                     "ask again with a longer --timeout; if not, its node or the way to it is "
                                     "too slow for what is written");
  }
  return control::error_reply(error);
}

}  // namespace

void request_handler::chain(const control::message& request, const answer& done) {
  const std::string change = text_field(request.head, "change");
  view_change what;
  std::string of;
  if (change == "force") return force_chain(done);
  if (change == "repair") {
    what = view_change::repair();
  } else {
    of = text_field(request.head, "node");
    const node_id who = node_called(of, of_.node.members());
    if (change == "add") {
      what = view_change::add(who);
    } else if (change == "remove") {
      what = view_change::remove(who);
    } else if (change == "promote") {
      what = view_change::promote(who);
    } else {
      throw bad_field{"'change' must be one of add, remove, promote, repair and force"};
    }
  }
  const artillery::call_options options{timeout_field(request.head)};
  of_.node.async_change_chain(what, options, [done, what, of, &node = of_.node](std::error_code error) {
    if (!error) return done({{"ok", true}}, std::nullopt);
    done(refusal(error, what, of, node), std::nullopt);
  });
}

void request_handler::force_chain(const answer& done) {
  of_.node.async_force_chain([done](std::error_code error, const artillery::forced_chain& made) {
    using artillery::errc;
    if (!error)
      return done({{"ok", true}, {"epoch", made.view.epoch}, {"former_vote", made.former_vote}}, std::nullopt);
    if (error == errc::has_quorum)
      return done(control::error_reply("has_quorum",
                                       "a majority of the voters answers, or did just now: the chain can heal itself "
                                       "(`artillery chain repair`); nothing was forced"),
                  std::nullopt);
    if (error == errc::not_serving)
      return done(
          control::error_reply("not_serving",
                               "this agent is no replica of the chain as it knew it last: it holds nothing that "
                               "is sure to be whole; ask one that was in the chain to the end"),
          std::nullopt);
    if (error == errc::stale_epoch)
      return done(control::error_reply("stale_epoch",
                                       "a voter that is left knows of a later view without this agent: its copy may be "
                                       "old. Ask one that was in the chain to the end, or stop that voter if nothing "
                                       "came of the view"),
                  std::nullopt);
    done(control::error_reply(error), std::nullopt);
  });
}

}  // namespace tool::agent

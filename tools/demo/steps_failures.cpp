#include <algorithm>
#include <chrono>
#include <csignal>
#include <string>

#include "exit_code.hpp"
#include "notation.hpp"
#include "output/event_text.hpp"
#include "steps.hpp"
#include "told_views.hpp"

// What happens to the chain while writes go on.

namespace demo {

namespace {

using nlohmann::json;
using tool::exit_code;
using tool::failure;
using tool::output::field_text;
using namespace std::chrono_literals;

constexpr std::size_t chain_length = 3;

bool is_on(const json& event, const std::string& id) {
  const auto ids = ids_of(event);
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

agent& agent_of(agents& crowd, const std::string& id) {
  for (const auto& one : crowd.all()) {
    if (one->id == id) return *one;
  }
  throw failure{exit_code::failed, "the chain has a replica that nobody started: " + id};
}

std::string order_of(agents& crowd, const json& view) {
  std::string text;
  for (const std::string& id : ids_of(view)) text += (text.empty() ? "" : " -> ") + agent_of(crowd, id).name;
  return text;
}

/// The agent of the chain that neither end is: both may be killed.
agent& agent_between(agents& crowd) {
  const auto ids = ids_of(newest_view(*crowd.living().front()));
  if (ids.size() != chain_length) throw failure{exit_code::failed, "the chain has not three replicas"};
  return agent_of(crowd, ids[1]);
}

}  // namespace

std::unique_ptr<load> begin_writes(agents& crowd, account& told) {
  agent& through = agent_between(crowd);
  told.step("Writes begin, one after the other, through " + through.name + ", and go on from here");
  auto writes = std::make_unique<load>(crowd.connect(through));
  writes->wait_for_write_after(told.step_began(), 10s);
  told.done("the first is acknowledged");
  return writes;
}

agent& kill(agents& crowd, end_of_chain which, load& writes, account& told) {
  const bool is_head = which == end_of_chain::head;
  const auto ids = ids_of(newest_view(*crowd.living().front()));
  agent& victim = agent_of(crowd, is_head ? ids.front() : ids.back());
  told.step("Kill " + victim.name + ", the " + (is_head ? "head" : "tail") +
            ", with SIGKILL: the others must notice, and agree on a chain without it");
  victim.expected_to_end = true;
  const artillery::time_point killed = artillery::clock::now();
  victim.process->signal(SIGKILL);
  (void)victim.process->wait();
  const auto without = [&](const json& event) { return !is_on(event, victim.id); };
  crowd.wait_until([&] { return all_told(crowd, victim, without, killed).has_value(); }, 15s,
                   "a chain without " + victim.name);
  const artillery::time_point changed = *all_told(crowd, victim, without, killed);
  told.line("the chain is " + order_of(crowd, newest_view(*crowd.living().front())) + ", after its death by",
            changed - killed);
  writes.wait_for_write_after(changed, 10s);
  told.line("longest gap in acknowledged writes", writes.longest_gap(killed, artillery::clock::now()));
  told.done("no write was refused");
  return victim;
}

void bring_back(agents& crowd, agent& killed, load& writes, account& told) {
  told.step("Start " + killed.name + " again: it lost what it held, and is fed while writes go on");
  const artillery::time_point started = artillery::clock::now();
  crowd.restart(killed);
  const auto complete = [&](const json& event) {
    return ids_of(event).size() == chain_length && is_on(event, killed.id);
  };
  crowd.wait_until([&] { return all_told(crowd, killed, complete, started).has_value(); }, 20s,
                   killed.name + " to be a replica again");
  const artillery::time_point changed = *all_told(crowd, killed, complete, started);
  told.line("the chain is " + order_of(crowd, newest_view(*crowd.living().front())) + ", after its start by",
            changed - started);
  writes.wait_for_write_after(changed, 10s);
  told.line("longest gap in acknowledged writes", writes.longest_gap(started, artillery::clock::now()));
  told.done("three replicas again");
}

void end_writes(agents& crowd, load& writes, account& told) {
  told.step("The writes end: what was acknowledged last is read at each");
  const std::uint64_t count = writes.stop();
  const std::string last = std::to_string(count);
  for (const agent* one : crowd.living()) {
    tool::control::client client = crowd.connect(*one);
    const auto reply = client.request({{"op", "get"}, {"key", load::key}, {"consistency", "strong"}}, 10s);
    if (reply.body != last)
      throw failure{exit_code::failed, "agent " + one->name + " answers " + reply.body + " instead of " + last};
  }
  told.done(last + " writes, each acknowledged, none lost");
}

}  // namespace demo

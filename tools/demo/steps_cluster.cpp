#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <string>

#include "exit_code.hpp"
#include "notation.hpp"
#include "output/event_text.hpp"
#include "scratch.hpp"
#include "steps.hpp"

namespace demo {

namespace {

using nlohmann::json;
using tool::exit_code;
using tool::failure;
using tool::output::field_text;
using namespace std::chrono_literals;

constexpr std::size_t agents_count = 3;

std::string short_id(const std::string& id) {
  return id.substr(0, 8);
}

auto about(const agent& who) {
  return [id = who.id](const json& event) { return field_text(event.value("member", json::object()), "id") == id; };
}

/// When the last of these was heard; nothing while one is missing.
std::optional<artillery::time_point> all_heard(agents& crowd, const std::function<const heard*(const agent&)>& find) {
  artillery::time_point last{};
  for (const agent* one : crowd.living()) {
    const heard* found = find(*one);
    if (found == nullptr) return std::nullopt;
    last = std::max(last, found->at);
  }
  return last;
}

/// The latest moment at which an agent had heard that each of the others joined.
std::optional<artillery::time_point> all_joined(agents& crowd) {
  artillery::time_point last{};
  for (const auto& other : crowd.all()) {
    const auto at = all_heard(crowd, [&](const agent& one) {
      return one.id == other->id ? &one.events.front() : one.find("joined", about(*other));
    });
    if (!at) return std::nullopt;
    last = std::max(last, *at);
  }
  return last;
}

std::string name_of(agents& crowd, const std::string& id) {
  for (const auto& one : crowd.all()) {
    if (one->id == id) return one->name;
  }
  return short_id(id);
}

std::string chain_text(agents& crowd, const json& formed) {
  std::string text;
  for (const json& replica : formed.value("replicas", json::array()))
    text += (text.empty() ? "" : " -> ") + name_of(crowd, field_text(replica, "id"));
  return text;
}

}  // namespace

void start_agents(agents& crowd, account& told) {
  told.step("Start three agents as processes of their own, on loopback");
  const std::string cluster = "demo-" + std::to_string(::getpid());
  const std::uint16_t port = free_discovery_port();
  for (const char* name : {"a", "b", "c"}) crowd.start(name, cluster, port, agents_count);
  crowd.wait_until([&] { return all_heard(crowd, [](const agent& one) { return one.find("ready"); }).has_value(); },
                   10s, "the agents to be ready");
  for (agent* one : crowd.living()) {
    const heard& ready = *one->find("ready");
    one->id = field_text(ready.event, "id");
    told.line(one->name + " = " + short_id(one->id) + ", pid " + std::to_string(one->process->pid()) + ", members " +
                  field_text(ready.event, "membership") + ", replication " + field_text(ready.event, "replication"),
              ready.at - told.step_began());
  }
  told.done("ready; discovery shares UDP port " + std::to_string(port) + ", the cluster is called " + cluster);
}

void form_cluster(agents& crowd, account& told) {
  const artillery::time_point started = told.step_began();
  told.step("They find each other by broadcast: nobody was told an address");
  crowd.wait_until([&] { return all_joined(crowd).has_value(); }, 10s, "each agent to know the two others");
  for (const agent* one : crowd.living()) {
    const heard* found =
        one->find("service_found", [&](const json& event) { return field_text(event, "node") != one->id; });
    if (found != nullptr) told.line(one->name + " heard of a first other, after its start by", found->at - started);
  }
  told.line("each agent knows the two others, after the start of the first by", *all_joined(crowd) - started);
  told.done("one cluster of three");
}

void form_chain(agents& crowd, account& told) {
  told.step("They found one chain: each confirms the same list, and votes for it");
  const auto formed = [&] { return all_heard(crowd, [](const agent& one) { return one.find("chain_formed"); }); };
  crowd.wait_until([&] { return formed().has_value(); }, 15s, "the chain to be formed");
  const json first = crowd.living().front()->find("chain_formed")->event;
  for (const agent* one : crowd.living()) {
    const json event = one->find("chain_formed")->event;
    if (event.value("replicas", json::array()) != first.value("replicas", json::array()))
      throw failure{exit_code::failed, "agents a and " + one->name + " name different chains"};
    told.line(one->name + " is its " + field_text(event, "role"));
  }
  told.done("chain " + chain_text(crowd, first) + ", epoch " + field_text(first, "epoch"));
}

void send_event(agents& crowd, account& told) {
  constexpr artillery::duration limit = 5s;
  told.step("b sends an event to all members");
  std::vector<tool::control::client> listeners;
  for (const agent* one : crowd.living()) {
    listeners.push_back(crowd.connect(*one));
    (void)listeners.back().request({{"op", "watch"}, {"kinds", {"user"}}, {"topic", "greeting"}}, limit);
  }
  const artillery::time_point sent = artillery::clock::now();
  tool::control::client sender = crowd.connect(*crowd.all()[1]);
  (void)sender.request({{"op", "event"}, {"topic", "greeting"}}, "hello, everybody", limit);
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    const json event = listeners[i].receive(sent + limit).head;
    const artillery::time_point at = artillery::clock::now();
    if (field_text(event, "payload") != "hello, everybody")
      throw failure{exit_code::failed, "agent " + crowd.all()[i]->name + " heard something else: " + event.dump()};
    told.line(crowd.all()[i]->name + " heard \"hello, everybody\"", at - sent);
  }
  told.done("heard by all three");
}

void stop_agents(agents& crowd, account& told) {
  told.step("Stop them: they take leave");
  for (agent* one : crowd.living()) {
    one->expected_to_end = true;
    one->process->signal(SIGTERM);
  }
  const auto ended = [&] {
    return std::none_of(crowd.all().begin(), crowd.all().end(),
                        [](const auto& one) { return one->process->running(); });
  };
  crowd.wait_until(ended, 10s, "the agents to end");
  for (const auto& one : crowd.all()) {
    const int result = one->process->wait();
    if (result != 0)
      throw failure{exit_code::failed,
                    "agent " + one->name + " ended with " + std::to_string(result) + " instead of 0"};
  }
  told.done("no process is left");
}

}  // namespace demo

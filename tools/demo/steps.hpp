#pragma once

#include <cstdint>
#include <memory>

#include "account.hpp"
#include "agents.hpp"
#include "files.hpp"
#include "load.hpp"

/// The steps of the demo, in order. Each tells what came of it, and fails (tool::failure) when that is not what must
/// be.
namespace demo {

enum class end_of_chain : std::uint8_t { head, tail };

/// Three agents start and are ready.
void start_agents(agents& crowd, account& told);
/// They find each other by broadcast, and each knows the two others.
void form_cluster(agents& crowd, account& told);
/// They agree on one chain.
void form_chain(agents& crowd, account& told);
/// Every file is written through one agent.
void put_files(agents& crowd, const collection& all, account& told);
/// Every file is read back, strongly, at each living agent, and is what it was.
void read_files(agents& crowd, const collection& all, account& told);
/// An event that one agent sends is heard at all.
void send_event(agents& crowd, account& told);
/// Writes begin that go on until `end_writes`, through the agent that is neither head nor tail.
[[nodiscard]] std::unique_ptr<load> begin_writes(agents& crowd, account& told);
/// The head is killed, or the tail; the others go on without it.
agent& kill(agents& crowd, end_of_chain which, load& writes, account& told);
/// It is started again, fed, and taken back into the chain.
void bring_back(agents& crowd, agent& killed, load& writes, account& told);
/// All that was acknowledged is there.
void end_writes(agents& crowd, load& writes, account& told);
/// The others take leave in good order.
void stop_agents(agents& crowd, account& told);

}  // namespace demo

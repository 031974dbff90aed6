#pragma once

#include "account.hpp"
#include "agents.hpp"
#include "files.hpp"

/// The steps of the demo, in order. Each tells what came of it, and fails (tool::failure) when that is not what must
/// be.
namespace demo {

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
/// One agent is killed; the others notice.
void kill_one(agents& crowd, account& told);
/// A write waits for the dead replica: nothing is acknowledged that not all of the chain hold.
void try_to_write(agents& crowd, account& told);
/// The others take leave in good order.
void stop_agents(agents& crowd, account& told);

}  // namespace demo

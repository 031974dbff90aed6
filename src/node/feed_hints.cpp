#include <variant>

#include "artillery/membership.hpp"
#include "artillery/replication.hpp"
#include "node/event_feed.hpp"

namespace artillery {

void give_hint(const membership::event& what, replication::replica& replica) {
  using replication::peer_hint;
  const auto say = [&replica](const membership::member& of, peer_hint hint) { replica.hint(of.id, hint); };
  if (const auto* joined = std::get_if<membership::joined>(&what)) return say(joined->member, peer_hint::present);
  if (const auto* back = std::get_if<membership::recovered>(&what)) return say(back->member, peer_hint::present);
  if (const auto* doubted = std::get_if<membership::suspected>(&what)) return say(doubted->member, peer_hint::doubted);
  if (const auto* failed = std::get_if<membership::failed>(&what)) return say(failed->member, peer_hint::missed);
  if (const auto* left = std::get_if<membership::left>(&what)) return say(left->member, peer_hint::failed);
}

namespace detail {

void start_feed_hints(membership::cluster& cluster, replication::replica& replica, completion<done_signature> done) {
  feed<membership::event>(
      cluster, [&replica](const membership::event& what) { give_hint(what, replica); }, std::move(done));
}

asio::any_io_executor executor_of(const membership::cluster& cluster) {
  return cluster.get_executor();
}

}  // namespace detail
}  // namespace artillery

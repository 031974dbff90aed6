#include "artillery/discovery.hpp"
#include "artillery/membership.hpp"
#include "node/event_feed.hpp"
#include "node/seeds.hpp"

namespace artillery::detail {

void start_feed_seeds(discovery::beacon& beacon, membership::cluster& cluster, completion<done_signature> done) {
  feed<discovery::event>(
      beacon, [&cluster](const discovery::event& what) { add_seeds(what, {}, cluster); }, std::move(done));
}

asio::any_io_executor executor_of(const discovery::beacon& beacon) {
  return beacon.get_executor();
}

}  // namespace artillery::detail

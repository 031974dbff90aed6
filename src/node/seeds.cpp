#include "node/seeds.hpp"

#include <variant>

namespace artillery::detail {

namespace {

const discovery::service* seen_in(const discovery::event& what) {
  if (const auto* found = std::get_if<discovery::found>(&what)) return &found->what;
  if (const auto* updated = std::get_if<discovery::updated>(&what)) return &updated->what;
  return nullptr;
}

}  // namespace

void add_seeds(const discovery::event& what, const node_id& own, membership::cluster& to) {
  const discovery::service* service = seen_in(what);
  if (service == nullptr || (!own.none() && service->instance == own)) return;
  for (const endpoint& at : service->endpoints) {
    // A seed without a port is none; there is nobody to tell.
    static_cast<void>(to.add_seed(at));
  }
}

}  // namespace artillery::detail

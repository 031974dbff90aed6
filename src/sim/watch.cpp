// What a world tells its watcher. Nothing here changes what happens.
#include <utility>

#include "sim/world_state.hpp"

namespace artillery::sim {
namespace {

std::optional<happening::kind> kind_of_input(event_kind what) noexcept {
  switch (what) {
    case event_kind::datagram: return happening::kind::datagram;
    case event_kind::frame: return happening::kind::frame;
    case event_kind::link: return happening::kind::link;
    case event_kind::completed: return happening::kind::completed;
    case event_kind::call: return happening::kind::call;
    case event_kind::none:
    case event_kind::timer:  // told when it is known to mean something
    case event_kind::scheduled:
    case event_kind::stream_timeout:
    case event_kind::stream_drain:
    case event_kind::wake: return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

void world::watch(sim::watcher watch) {
  state_->watcher = std::move(watch);
}

void world::state::show(happening what) {
  what.at = now;
  if (watcher) watcher(what);
}

void world::state::show(happening::kind what, host where, std::optional<host> other) {
  show({.what = what, .where = where, .other = other});
}

void world::state::show_input(const event& what) {
  const auto kind = kind_of_input(what.kind);
  if (!watcher || !kind) return;
  happening shown{.what = *kind, .where = what.at, .on = what.from, .state = what.state};
  shown.message = what.message.view();
  if (what.kind == event_kind::datagram) {
    const auto sender = by_endpoint.find(what.from.peer);
    if (sender != by_endpoint.end()) shown.other = sender->second;
  } else if (what.kind == event_kind::frame || what.kind == event_kind::link) {
    const auto& streams = hosts[what.at].streams;
    const auto end = streams.find(what.from.number);
    if (end == streams.end()) return;  // closed here meanwhile: no input
    shown.other = end->second.peer;
  }
  show(shown);
}

}  // namespace artillery::sim

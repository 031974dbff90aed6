#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "artillery/clock.hpp"
#include "artillery/endpoint.hpp"
#include "artillery/node_id.hpp"
#include "base/state_hash.hpp"

namespace artillery::membership {

/// Events that are fetched, or are to be, at a time; of further ones the notices are dropped, and come again.
inline constexpr std::size_t fetches_max = 64;
/// Of these so many by a stream at a time.
inline constexpr std::size_t fetches_at_once = 4;
/// An event that so many streams did not bring is not fetched any more.
inline constexpr std::uint32_t fetch_attempts_max = 8;
/// Members remembered that told of one event, and so have it.
inline constexpr std::size_t fetch_sources_max = 4;

/// An event that a notice told of, and that is not here yet.
struct fetch {
  node_id origin;
  std::uint64_t boot = 0;
  std::uint64_t number = 0;
  std::vector<endpoint> sources;
  std::uint32_t attempts = 0;
  std::uint64_t stream = 0;  ///< 0: none
  bool asked = false;        ///< on this stream
  std::optional<time_point> next_at;

  [[nodiscard]] bool given_up() const noexcept { return stream == 0 && attempts >= fetch_attempts_max; }
};

/// What is to be fetched, oldest first.
class fetches {
public:
  [[nodiscard]] fetch* find(const node_id& origin, std::uint64_t boot, std::uint64_t number) noexcept {
    return find_if([&](const fetch& f) { return f.origin == origin && f.boot == boot && f.number == number; });
  }
  [[nodiscard]] fetch* on_stream(std::uint64_t stream) noexcept {
    return find_if([&](const fetch& f) { return f.stream == stream; });
  }
  /// False when too many are wanted already.
  bool want(const node_id& origin, std::uint64_t boot, std::uint64_t number, const endpoint& from) {
    fetch* known = find(origin, boot, number);
    if (known == nullptr) {
      if (all_.size() >= fetches_max) return false;
      all_.push_back({.origin = origin, .boot = boot, .number = number, .sources = {}, .next_at = {}});
      known = &all_.back();
    }
    const bool listed = std::find(known->sources.begin(), known->sources.end(), from) != known->sources.end();
    if (!listed && known->sources.size() < fetch_sources_max) known->sources.push_back(from);
    return true;
  }
  [[nodiscard]] std::vector<fetch>& all() noexcept { return all_; }
  [[nodiscard]] const std::vector<fetch>& all() const noexcept { return all_; }
  [[nodiscard]] std::size_t size() const noexcept { return all_.size(); }
  [[nodiscard]] std::size_t under_way() const noexcept {
    return static_cast<std::size_t>(
        std::count_if(all_.begin(), all_.end(), [](const fetch& f) { return f.stream != 0; }));
  }

  template <class Visit>
  void for_each_timer(Visit visit) {
    for (fetch& f : all_) {
      if (f.next_at) visit(*f.next_at);
    }
  }
  [[nodiscard]] std::optional<time_point> next_deadline() const noexcept {
    std::optional<time_point> first;
    if (under_way() >= fetches_at_once) return first;  // the end of one of these is waited for
    for (const fetch& f : all_) {
      if (f.next_at && f.stream == 0 && !f.given_up() && (!first || *f.next_at < *first)) first = f.next_at;
    }
    return first;
  }
  void hash(detail::state_hash& into, time_point now) const {
    into.add(all_.size());
    for (const fetch& f : all_) {
      into.add(f.origin).add(f.boot).add(f.number).add(f.attempts).add(f.stream).add(f.asked).add(f.sources.size());
      for (const endpoint& from : f.sources) into.add(from);
      into.add(f.next_at.has_value());
      if (f.next_at) into.add(*f.next_at, now);
    }
  }

private:
  template <class Is>
  [[nodiscard]] fetch* find_if(Is is) noexcept {
    const auto found = std::find_if(all_.begin(), all_.end(), is);
    return found == all_.end() ? nullptr : &*found;
  }

  std::vector<fetch> all_;
};

}  // namespace artillery::membership

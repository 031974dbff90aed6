#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <system_error>
#include <utility>

#include "artillery/detail/async.hpp"
#include "artillery/membership/types.hpp"
#include "membership/queries.hpp"

namespace artillery::membership {

/// What own queries came to and nobody has fetched yet. A query is here until its end was fetched, or it is dropped.
///
/// Thread safety: `reserve` from any thread, everything else on the owner's strand.
class query_streams {
public:
  using waiting = detail::completion<void(std::error_code, query_progress)>;

  /// A number for a query, or for one that waits for its answers.
  [[nodiscard]] std::uint64_t reserve() noexcept { return waiting_.reserve(); }
  [[nodiscard]] std::size_t size() const noexcept { return streams_.size(); }
  void open(std::uint64_t query) { streams_.try_emplace(query); }
  void drop(std::uint64_t query) {
    const auto found = streams_.find(query);
    if (found == streams_.end()) return;
    const stream gone = std::move(found->second);
    streams_.erase(found);
    for (const std::uint64_t number : gone.waiting) waiting_.complete(number, errc::invalid_argument, query_end{});
  }

  void push(query_news news) {
    const auto found = streams_.find(news.call);
    if (found == streams_.end()) return;
    std::deque<std::uint64_t>& waits = found->second.waiting;
    while (!waits.empty()) {
      const std::uint64_t number = std::exchange(waits.front(), 0);
      waits.pop_front();
      if (!waiting_.complete(number, {}, news.what)) continue;  // cancelled meanwhile
      return finish(found->first, news.what);
    }
    found->second.ready.push_back(std::move(news.what));
  }

  void next(std::uint64_t query, std::uint64_t number, waiting what) {
    const auto found = streams_.find(query);
    if (found == streams_.end() || found->second.ready.empty()) {
      waiting_.add(number, std::move(what));  // which ends it if all has ended
      if (found == streams_.end()) waiting_.complete(number, errc::invalid_argument, query_end{});
      if (found != streams_.end()) found->second.waiting.push_back(number);
      return;
    }
    const query_progress first = std::move(found->second.ready.front());
    found->second.ready.pop_front();
    what({}, first);
    finish(query, first);
  }
  void cancel(std::uint64_t number) { waiting_.cancel(number); }
  void close(std::error_code error) {
    waiting_.close(error);
    streams_.clear();
  }

private:
  struct stream {
    std::deque<query_progress> ready;
    std::deque<std::uint64_t> waiting;
  };

  void finish(std::uint64_t query, const query_progress& fetched) {
    if (std::holds_alternative<query_end>(fetched)) drop(query);
  }

  std::map<std::uint64_t, stream> streams_;
  detail::waiting_list<void(std::error_code, query_progress)> waiting_;
};

}  // namespace artillery::membership

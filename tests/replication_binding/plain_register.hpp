#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "artillery/replication/authority.hpp"

namespace artillery::replication {

/// The authority of several replicas in one process: a register in memory, with what a test wants to know of it.
class plain_register final : public authority {
public:
  void begin(view genesis) {
    const std::lock_guard guard{mutex_};
    now_.view = std::move(genesis);
  }
  [[nodiscard]] view newest() const {
    const std::lock_guard guard{mutex_};
    return now_.view;
  }
  /// From now on nobody renews a lease for this replica, whatever its incarnation.
  void ignore(const node_id& who) {
    const std::lock_guard guard{mutex_};
    ignored_.push_back(who);
  }

  void read(read_handler done) override {
    const chosen_view now = look();
    done(now.view.epoch == 0 ? make_error_code(errc::timed_out) : std::error_code{}, now, true);
  }
  void compare_and_swap(std::uint64_t expected, view next, view_handler done) override {
    bool is_chosen = false;
    {
      const std::lock_guard guard{mutex_};
      is_chosen = now_.view.epoch == expected && next.epoch == expected + 1;
      if (is_chosen) now_ = {std::move(next), {now_.chosen_in.round + 1, {}, 0}};
    }
    done(is_chosen ? std::error_code{} : make_error_code(errc::stale_epoch), look());
  }
  void renew(const replica_id& who, std::uint64_t epoch, done_handler done) override {
    std::error_code error = errc::timed_out;
    {
      const std::lock_guard guard{mutex_};
      const auto& in = now_.view.replicas;
      const bool is_heard = std::find(ignored_.begin(), ignored_.end(), who.node) == ignored_.end();
      const bool is_listed = std::any_of(in.begin(), in.end(), [&](const member& m) { return m.id == who; });
      if (is_heard) error = epoch != now_.view.epoch ? make_error_code(errc::stale_epoch) : std::error_code{};
      if (is_heard && !error && !is_listed) error = errc::not_serving;
      if (!error) last_yes_[{who, epoch}] = clock::now();
    }
    done(error);
  }
  void quiet(std::uint64_t epoch, const ballot& /*chosen_in*/, duration length, std::vector<replica_id> whom,
             quiet_handler done) override {
    bool is_quiet = true;
    {
      const std::lock_guard guard{mutex_};
      for (const auto& [said, at] : last_yes_) {
        const bool is_asked_for = whom.empty() || std::find(whom.begin(), whom.end(), said.first) != whom.end();
        if (is_asked_for && said.second < epoch && clock::now() - at < length) is_quiet = false;
      }
    }
    done({}, is_quiet);
  }

private:
  [[nodiscard]] chosen_view look() const {
    const std::lock_guard guard{mutex_};
    return now_;
  }

  mutable std::mutex mutex_;
  chosen_view now_;
  std::map<std::pair<replica_id, std::uint64_t>, time_point> last_yes_;  // to whom, of which epoch
  std::vector<node_id> ignored_;
};

}  // namespace artillery::replication

#pragma once

#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "artillery/replication/quorum_authority.hpp"
#include "loopback_chain.hpp"
#include "tool/scratch_directory.hpp"

namespace artillery::replication {

using view_outcome = outcome<view>;
using alarm_outcome = outcome<quorum_event>;

/// What an authority's handler was called with; calls without an answer stay open.
struct told_of_views {
  std::error_code error;
  chosen_view now;
  bool fences = false;
};
using authority_outcome = outcome<told_of_views>;

/// Voters of one register with real sockets and directories, on one context that this test's thread runs. Each is a
/// process that can be killed and started again.
class loopback_register {
public:
  explicit loopback_register(std::size_t voters) : processes_(voters) {
    for (std::size_t i = 0; i < voters; ++i) start(i, config_of(i));
    REQUIRE(until([&] { return all_listen(); }));
    for (std::size_t i = 0; i < voters; ++i) places_.push_back({node(i), at(i).local_endpoint()});
    for (std::size_t i = 0; i < voters; ++i) REQUIRE_FALSE(at(i).use_voters(places_));
  }

  static node_id node(std::size_t number) { return {1, number + 1}; }

  [[nodiscard]] quorum_config config_of(std::size_t number) {
    quorum_config config;
    config.cluster = "test";
    config.node = node(number);
    config.directory = directory(number);
    config.voters = places_;
    if (number < places_.size()) config.bind = places_[number].at;
    config.resend = 5ms;
    config.contention = 2ms;
    config.patience = 500ms;
    config.log = [this](log_level level, std::string_view, std::string_view message) {
      if (level == log_level::error) errors_ += std::string{message} + "\n";
    };
    return config;
  }

  /// A view of the replicas of these nodes.
  static view first(const std::vector<std::size_t>& of, duration lease = 2s) {
    std::vector<member> replicas;
    for (const std::size_t one : of) replicas.push_back({name_of(one), endpoint::v4(127, 0, 0, 1, 9)});
    return first_view(1, replicas, lease);
  }
  static view after(const chosen_view& before, const std::vector<std::size_t>& of) {
    view next = before.view;
    ++next.epoch;
    next.replicas = first(of).replicas;
    return next;
  }

  run_outcome start(std::size_t number, quorum_config config) {
    run_outcome ended;
    processes_.at(number) = std::make_unique<quorum_authority>(io_.get_executor(), std::move(config));
    processes_[number]->async_run(ended);
    return ended;
  }
  /// Starts it anew; it has to listen.
  void restart(std::size_t number) {
    kill(number);
    start(number, config_of(number));
    REQUIRE(until([&] { return !at(number).local_endpoint().none(); }));
  }
  void kill(std::size_t number) {
    processes_.at(number).reset();
    net::run_ready(io_);
  }

  [[nodiscard]] asio::io_context& io() noexcept { return io_; }
  [[nodiscard]] quorum_authority& at(std::size_t number) { return *processes_.at(number); }
  [[nodiscard]] const std::vector<voter_place>& places() const noexcept { return places_; }
  [[nodiscard]] std::string directory(std::size_t number) const { return scratch_.file(std::to_string(number)); }
  [[nodiscard]] const std::string& errors() const noexcept { return errors_; }

  [[nodiscard]] std::string file(std::size_t number) const {
    std::ifstream in{directory(number) + "/voter", std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  void overwrite(std::size_t number, const std::string& contents) const {
    std::ofstream{directory(number) + "/voter", std::ios::binary} << contents;
  }

  [[nodiscard]] std::uint64_t figure(std::size_t number, std::string_view name) {
    std::uint64_t found = 0;
    at(number).metrics([&](std::string_view each, std::uint64_t value) {
      if (each == name) found = value;
    });
    return found;
  }

  template <class Predicate>
  [[nodiscard]] bool until(Predicate done) {
    return net::runs_until(io_, done);
  }
  template <class Outcome>
  [[nodiscard]] Outcome wait(Outcome result) {
    REQUIRE(until([&] { return result.done(); }));
    return result;
  }

  // --- calls, run until they are answered ---
  [[nodiscard]] view_outcome found(std::size_t number, view first) {
    view_outcome done;
    at(number).async_found(std::move(first), done);
    return wait(done);
  }
  [[nodiscard]] authority_outcome begin_read(std::size_t number) {
    authority_outcome done;
    at(number).read([done](std::error_code error, const chosen_view& newest, bool fences) {
      done(error, {error, newest, fences});
    });
    return done;
  }
  [[nodiscard]] authority_outcome read(std::size_t number) { return wait(begin_read(number)); }
  [[nodiscard]] authority_outcome begin_swap(std::size_t number, view next) {
    authority_outcome done;
    const std::uint64_t expected = next.epoch - 1;
    at(number).compare_and_swap(expected, std::move(next), [done](std::error_code error, const chosen_view& now) {
      done(error, {error, now, false});
    });
    return done;
  }
  [[nodiscard]] authority_outcome swap(std::size_t number, view next) {
    return wait(begin_swap(number, std::move(next)));
  }
  [[nodiscard]] std::error_code renew(std::size_t number, const replica_id& who, std::uint64_t epoch) {
    run_outcome done;
    at(number).renew(who, epoch, [done](std::error_code error) { done(error); });
    return wait(done).error();
  }
  [[nodiscard]] bool is_quiet(std::size_t number, const chosen_view& since, duration length) {
    outcome<bool> done;
    at(number).quiet(since.view.epoch, since.chosen_in, length, {},
                     [done](std::error_code error, bool quiet) { done(error, quiet); });
    REQUIRE_FALSE(wait(done).error());
    return done.result();
  }
  [[nodiscard]] quorum_alarm alarm(std::size_t number) {
    alarm_outcome next;
    at(number).async_next_event(next);
    return std::get<quorum_alarm>(wait(next).result());
  }

private:
  [[nodiscard]] bool all_listen() const {
    for (const auto& one : processes_) {
      if (one->local_endpoint().none()) return false;
    }
    return true;
  }

  tests::scratch_directory scratch_;
  asio::io_context io_;
  std::vector<std::unique_ptr<quorum_authority>> processes_;
  std::vector<voter_place> places_;
  std::string errors_;
};

}  // namespace artillery::replication

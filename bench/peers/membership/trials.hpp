#pragma once

#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "crowd.hpp"
#include "samples.hpp"

namespace peers {

/// What is said at the start of a cluster has been said by then.
inline constexpr std::chrono::seconds settling{5};

struct settings {
  std::vector<library> libraries;
  std::vector<std::size_t> sizes{8, 32, 64};
  int rounds = 5;                  ///< of starting all at once
  int events = 200;                ///< of each size
  int kills = 20;                  ///< and as many leaves
  std::chrono::seconds quiet{60};  ///< how long is watched what nothing happens in
  std::vector<std::string> only;   ///< groups of measures; none: all
};

/// The measurements, in groups. What takes the processor's time is done by one cluster after the other, in rounds; what
/// is mostly waiting by one cluster of each library side by side, so that the machine is the same to all.
class trials {
public:
  trials(settings wanted, std::string directory, int interrupt);

  /// All groups wanted. Throws tool::failure when nodes do not do what was asked of them.
  void run();
  [[nodiscard]] const std::vector<sample>& samples() const noexcept { return samples_; }

  [[nodiscard]] static std::vector<std::string> groups();

private:
  using crowds = std::vector<std::unique_ptr<crowd>>;

  void views();
  void idle();
  void events();
  void kills();
  void leaves();
  void loss();
  void stopped();
  void starved();

  /// Where one size is enough: 32, or the largest.
  [[nodiscard]] std::size_t usual_size() const;
  [[nodiscard]] static std::vector<crowd*> all_of(const crowds& them);
  [[nodiscard]] std::unique_ptr<crowd> gather(library of, std::size_t size) const;
  [[nodiscard]] artillery::duration join_all(crowd& of) const;
  /// One of each library, with full views.
  [[nodiscard]] crowds assemble(std::size_t size) const;
  void send_events(const crowds& among, measure latency, measure missed);
  /// Starts it again in each and waits until all know of it.
  void bring_back(const crowds& among, std::size_t victim, bool measured);
  void wait_for_full_views(const crowds& among) const;
  void lose(unsigned percent, measure counted);
  void keep(measure what, const crowd& of, double value);

  settings wanted_;
  std::string directory_;
  patience patience_;
  std::mt19937_64 payloads_{1};
  std::vector<sample> samples_;
};

}  // namespace peers

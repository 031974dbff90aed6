#pragma once

#include <string>

#include "artillery/clock.hpp"

namespace demo {

/// The account of a run on standard output: numbered steps, what came of each, and how long it took.
class account {
public:
  void title(const std::string& text) const;
  /// Begins a step; its time runs from here.
  void step(const std::string& what);
  /// One line of what came of it.
  void line(const std::string& text) const;
  /// The same, with a time of its own.
  void line(const std::string& text, artillery::duration took) const;
  /// Ends the step.
  void done(const std::string& text);

  [[nodiscard]] artillery::time_point step_began() const noexcept { return step_began_; }
  [[nodiscard]] artillery::duration total() const noexcept { return artillery::clock::now() - began_; }

private:
  artillery::time_point began_ = artillery::clock::now();
  artillery::time_point step_began_ = began_;
  int steps_ = 0;
};

}  // namespace demo

#pragma once

#include <exception>

namespace artillery::detail {

/// Thrown where a core finds a promise of its own broken. Drivers catch it, poison the object (it stops serving and
/// sending) and end `async_run` with `errc::invariant_broken`; the simulator lets it end the run.
class broken_invariant final : public std::exception {
public:
  broken_invariant(const char* condition, const char* file, unsigned line) noexcept
      : condition_{condition}, file_{file}, line_{line} {}
  [[nodiscard]] const char* what() const noexcept override { return condition_; }
  [[nodiscard]] const char* file() const noexcept { return file_; }
  [[nodiscard]] unsigned line() const noexcept { return line_; }

private:
  const char* condition_;
  const char* file_;
  unsigned line_;
};

[[noreturn]] inline void break_invariant(const char* condition, const char* file, unsigned line) {
  throw broken_invariant{condition, file, line};
}

}  // namespace artillery::detail

/// An O(1) check that stays in release builds. Not for bad input: that is expected, counted and dropped.
#define ARTILLERY_INVARIANT(condition) \
  ((condition) ? static_cast<void>(0) : ::artillery::detail::break_invariant(#condition, __FILE__, __LINE__))

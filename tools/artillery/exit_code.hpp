#pragma once

#include <stdexcept>
#include <string>

namespace tool {

/// What the command says to whoever started it. Documented in docs/command.md and in `artillery --help`; scripts rely
/// on the numbers.
enum class exit_code : int {
  done = 0,
  failed = 1,             ///< refused or broken; the text says why, and nothing changed unless it says so
  wrong_use = 2,          ///< the command line is wrong
  unreachable = 3,        ///< no agent listens there, or it is not ours to talk to
  timed_out = 4,          ///< no answer in time; nothing was asked that changes anything
  outcome_unknown = 5,    ///< a write, or a message, that may or may not have happened
  absent = 6,             ///< `get`: there is no such object
  condition_not_met = 7,  ///< `cas`, and `del` with a condition: the object is not as was asked; nothing changed
  not_confirmed = 8,      ///< `chain repair --force` without --yes: it told what may be lost; nothing was done
};

/// Ends the command with a text for people and a number for scripts.
class failure : public std::runtime_error {
public:
  failure(exit_code code, const std::string& text) : std::runtime_error{text}, code_{code} {}
  [[nodiscard]] exit_code code() const noexcept { return code_; }

private:
  exit_code code_;
};

}  // namespace tool

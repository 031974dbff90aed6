#include "account.hpp"

#include "notation.hpp"
#include "output/print.hpp"

namespace demo {

namespace {

/// Times stand in a column of their own, right-aligned.
constexpr std::size_t time_column = 92;

std::string with_time(std::string text, artillery::duration took) {
  const std::string time = tool::to_milliseconds(took);
  const std::size_t used = text.size() + time.size();
  return text.append(used < time_column ? time_column - used : 1, ' ') + time + '\n';
}

}  // namespace

void account::title(const std::string& text) const {
  tool::output::write(text + '\n');
}

void account::step(const std::string& what) {
  step_began_ = artillery::clock::now();
  tool::output::write('\n' + std::to_string(++steps_) + ". " + what + '\n');
}

void account::line(const std::string& text) const {
  tool::output::write("   " + text + '\n');
}

void account::line(const std::string& text, artillery::duration took) const {
  tool::output::write(with_time("   " + text, took));
}

void account::done(const std::string& text) {
  tool::output::write(with_time("   => " + text, artillery::clock::now() - step_began_));
}

}  // namespace demo

#include "interruption.hpp"

#include <atomic>

namespace simulator {

namespace {

std::atomic<bool> came{false};
static_assert(std::atomic<bool>::is_always_lock_free, "or a signal's handler must not touch it");

void take_note(int /*signal*/) {
  came = true;
}

}  // namespace

interruption::interruption() {
  came = false;
  struct sigaction first{};
  first.sa_handler = take_note;
  first.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  ::sigaction(SIGINT, &first, &before_);
}

interruption::~interruption() {
  ::sigaction(SIGINT, &before_, nullptr);
}

bool interruption::has_come() const noexcept {
  return came;
}

}  // namespace simulator

#include "console.hpp"

#include <ostream>
#include <utility>

namespace simulator {

namespace {

using namespace std::chrono_literals;

/// Often enough to look alive, seldom enough to cost nothing.
constexpr auto interval = 200ms;

std::string clock_text(std::uint64_t seconds) {
  if (seconds < 120) return std::to_string(seconds) + " s";
  if (seconds < 7200) return std::to_string(seconds / 60) + " min";
  return std::to_string(seconds / 3600) + " h " + std::to_string(seconds % 3600 / 60) + " min";
}

}  // namespace

progress::progress(const console& where, std::string what) : where_{where}, what_{std::move(what)}, shown_{start_} {}

progress::~progress() {
  if (where_.terminal) where_.err << "\r\033[K" << std::flush;
}

void progress::show(std::uint64_t done, std::uint64_t total, const std::string& remark) {
  const auto now = std::chrono::steady_clock::now();
  if (!where_.terminal || now - shown_ < interval) return;
  shown_ = now;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const double rate = static_cast<double>(done) / seconds;
  where_.err << '\r' << what_ << ": " << done;
  if (total > 0 && rate > 0) {
    where_.err << " of " << total << ", " << static_cast<std::uint64_t>(rate) << "/s, "
               << clock_text(static_cast<std::uint64_t>(static_cast<double>(total - done) / rate)) << " left";
  }
  where_.err << remark << "\033[K" << std::flush;
}

}  // namespace simulator

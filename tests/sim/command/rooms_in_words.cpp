#include "rooms_in_words.hpp"

#include <array>
#include <chrono>
#include <string_view>

#include "notation.hpp"

namespace simulator {

namespace sim = artillery::sim;

std::string counted(std::uint64_t number, const std::string& what) {
  return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

std::string time_text(artillery::duration time) {
  return tool::to_text(std::chrono::duration_cast<std::chrono::milliseconds>(time));
}

std::string choice_text(std::uint64_t number, artillery::duration at) {
  return "#" + std::to_string(number) + " at " + time_text(at);
}

std::string faults_text(const sim::link_faults& faults) {
  const std::array<std::pair<std::string_view, std::uint64_t>, 6> shares{{{"loss", faults.loss},
                                                                          {"duplication", faults.duplication},
                                                                          {"reorder", faults.reorder},
                                                                          {"corruption", faults.corruption},
                                                                          {"garbage", faults.garbage},
                                                                          {"reset", faults.stream_reset}}};
  std::string text =
      "takes " + tool::to_text(faults.delay_min) + " and on average " + tool::to_text(faults.delay_mean) + " more";
  for (const auto& [name, share] : shares) {
    if (share != 0) text += ", " + std::string{name} + " " + std::to_string(share) + "/1000";
  }
  if (faults.stream_bytes_per_ms != 0)
    text += ", " + std::to_string(faults.stream_bytes_per_ms) + " bytes of a stream per ms";
  return text;
}

}  // namespace simulator

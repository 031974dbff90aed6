#pragma once

#include <cstdint>

#include "agent/report.hpp"
#include "options.hpp"

namespace tool::agent {

/// The agent's own account of its events on standard output. It never waits for whoever reads that: an agent that stood
/// still would be taken for dead by the others. Lines that find no room are dropped, and an `overflow` event says how
/// many.
class line_printer {
public:
  explicit line_printer(output_format format) noexcept : format_{format} {}

  void print(const nlohmann::json& event);

private:
  [[nodiscard]] bool has_room() const;
  void write(const nlohmann::json& event) const;

  output_format format_;
  std::uint64_t lost_ = 0;
};

}  // namespace tool::agent

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "arguments.hpp"
#include "console.hpp"
#include "sim/run_result.hpp"
#include "totals.hpp"

namespace simulator {

/// What a run of seeds prints, in the three formats: something for a seed as it ends, then all of it together.
class seeds_report {
public:
  seeds_report(const seeds_arguments& given, const console& where) : given_{given}, where_{where} {}

  /// What the only seed draws, before it is run.
  void draws(const room& of, std::uint64_t seed) const;
  void seed(std::uint64_t seed, const artillery::sim::run_result& result) const;
  void end(const room& of, const totals& sum, const std::vector<shortfall>& missing) const;

private:
  [[nodiscard]] std::string replay(std::uint64_t seed) const;
  void failures_as_text(const totals& sum) const;
  void as_text(const room& of, const totals& sum, const std::vector<shortfall>& missing) const;
  void as_json(const room& of, const totals& sum, const std::vector<shortfall>& missing) const;

  const seeds_arguments& given_;
  const console& where_;
};

}  // namespace simulator

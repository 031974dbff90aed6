#include "notation.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <ctime>
#include <limits>
#include <utility>

namespace tool {

namespace {

struct unit {
  std::string_view name;
  std::uint64_t nanoseconds;
};

/// From the largest to the smallest, so that the first that divides is the one to write.
constexpr std::array<unit, 6> units{{{"h", 3'600'000'000'000},
                                     {"m", 60'000'000'000},
                                     {"s", 1'000'000'000},
                                     {"ms", 1'000'000},
                                     {"us", 1'000},
                                     {"ns", 1}}};
constexpr std::uint64_t duration_max = 24 * units[0].nanoseconds;

std::pair<std::string_view, std::string_view> split_number(std::string_view text) noexcept {
  std::size_t digits = text.find_first_not_of("0123456789");
  if (digits == std::string_view::npos) digits = text.size();
  return {text.substr(0, digits), text.substr(digits)};
}

/// `tenths` as a number with one digit behind the point.
std::string with_one_decimal(std::uint64_t tenths) {
  return std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10);
}

}  // namespace

std::optional<std::uint64_t> parse_number(std::string_view text) noexcept {
  std::uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<artillery::duration> parse_duration(std::string_view text) noexcept {
  auto [digits, name] = split_number(text);
  auto number = parse_number(digits);
  if (!number) return std::nullopt;
  for (const unit& one : units) {
    if (one.name != name) continue;
    if (*number > duration_max / one.nanoseconds) return std::nullopt;
    return artillery::duration{static_cast<artillery::duration::rep>(*number * one.nanoseconds)};
  }
  return std::nullopt;
}

std::string to_text(artillery::duration value) {
  auto nanoseconds = static_cast<std::uint64_t>(value.count() < 0 ? 0 : value.count());
  if (nanoseconds == 0) return "0s";
  for (const unit& one : units) {
    if (nanoseconds % one.nanoseconds == 0)
      return std::to_string(nanoseconds / one.nanoseconds) + std::string{one.name};
  }
  return std::to_string(nanoseconds) + "ns";
}

std::string to_age_text(artillery::duration value) {
  const auto seconds = std::max<std::int64_t>(std::chrono::duration_cast<std::chrono::seconds>(value).count(), 0);
  const std::int64_t minutes = seconds / 60;
  const std::int64_t hours = minutes / 60;
  const auto both = [](std::int64_t large, const char* unit, std::int64_t small, const char* small_unit) {
    return std::to_string(large) + unit + ' ' + std::to_string(small) + small_unit;
  };
  if (minutes == 0) return std::to_string(seconds) + 's';
  if (hours == 0) return both(minutes, "m", seconds % 60, "s");
  return hours < 24 ? both(hours, "h", minutes % 60, "m") : both(hours / 24, "d", hours % 24, "h");
}

std::string to_milliseconds(artillery::duration value) {
  auto nanoseconds = static_cast<std::uint64_t>(value.count() < 0 ? 0 : value.count());
  return with_one_decimal(nanoseconds / 100'000) + " ms";
}

std::string time_text() {
  using namespace std::chrono;
  const auto now = time_point_cast<milliseconds>(system_clock::now());
  const std::time_t seconds = system_clock::to_time_t(now);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::string text(20, '\0');
  text.resize(std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts));
  const std::string fraction = std::to_string(1000 + now.time_since_epoch().count() % 1000);
  return text + '.' + fraction.substr(1) + 'Z';
}

std::optional<std::size_t> parse_size(std::string_view text) noexcept {
  auto [digits, name] = split_number(text);
  auto number = parse_number(digits);
  std::uint64_t factor = 0;
  if (name.empty() || name == "B") factor = 1;
  if (name == "K" || name == "KiB") factor = 1024;
  if (name == "M" || name == "MiB") factor = 1024 * 1024;
  if (!number || factor == 0 || *number > std::numeric_limits<std::size_t>::max() / factor) return std::nullopt;
  return static_cast<std::size_t>(*number * factor);
}

std::string to_size_text(std::uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  if (bytes < 1024 * 1024) return with_one_decimal(bytes * 10 / 1024) + " KiB";
  return with_one_decimal(bytes / 1024 * 10 / 1024) + " MiB";
}

std::optional<artillery::replication::version> parse_version(std::string_view text) noexcept {
  std::size_t point = text.find('.');
  if (point == std::string_view::npos) return std::nullopt;
  auto epoch = parse_number(text.substr(0, point));
  auto seq = parse_number(text.substr(point + 1));
  if (!epoch || !seq || *epoch == 0 || *seq == 0) return std::nullopt;
  return artillery::replication::version{*epoch, *seq};
}

std::string to_text(const artillery::replication::version& value) {
  return std::to_string(value.epoch) + '.' + std::to_string(value.seq);
}

std::optional<artillery::replication::consistency> parse_consistency(std::string_view text) noexcept {
  constexpr std::string_view bounded = "bounded:";
  if (text == "strong") return artillery::replication::strong;
  if (text == "eventual") return artillery::replication::eventual;
  if (!text.starts_with(bounded)) return std::nullopt;
  text.remove_prefix(bounded.size());
  if (auto age = parse_duration(text)) return artillery::replication::bounded(*age);
  auto records = parse_number(text);
  if (!records || *records > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return artillery::replication::bounded(static_cast<std::uint32_t>(*records));
}

std::string to_text(const artillery::replication::consistency& value) {
  using kind = artillery::replication::consistency::kind;
  switch (value.what()) {
    case kind::strong: return "strong";
    case kind::eventual: return "eventual";
    case kind::bounded_time: return "bounded:" + to_text(value.staleness());
    case kind::bounded_records: return "bounded:" + std::to_string(value.records());
  }
  return "strong";
}

std::optional<std::pair<std::string, std::string>> parse_tag(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) return std::nullopt;
  return std::pair{std::string{text.substr(0, equals)}, std::string{text.substr(equals + 1)}};
}

}  // namespace tool

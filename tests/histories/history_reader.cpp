#include <algorithm>
#include <istream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "history_file.hpp"

namespace histories {
namespace {

using nlohmann::json;
using operation = artillery::sim::history_operation;
namespace replication = artillery::replication;

/// What is wrong with a line. Does not leave this file.
class wrong : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

const json& field(const json& line, const char* name) {
  const auto found = line.find(name);
  if (found == line.end()) throw wrong{std::string{"lacks '"} + name + "'"};
  return *found;
}

std::int64_t number(const json& value, const std::string& name, std::int64_t max) {
  const bool fits = value.is_number_unsigned() && value.get<std::uint64_t>() <= static_cast<std::uint64_t>(max);
  if (!fits) throw wrong{"'" + name + "' is no whole number from 0 to " + std::to_string(max)};
  return value.get<std::int64_t>();
}

constexpr std::int64_t int64_max = std::numeric_limits<std::int64_t>::max();

std::uint32_t small_number(const json& line, const char* name) {
  return static_cast<std::uint32_t>(number(field(line, name), name, operation::anyone - 1));
}

std::string word(const json& line, const char* name) {
  const json& value = field(line, name);
  if (!value.is_string()) throw wrong{std::string{"'"} + name + "' is no text"};
  return value.get<std::string>();
}

bool flag(const json& line, const char* name) {
  const json& value = field(line, name);
  if (!value.is_boolean()) throw wrong{std::string{"'"} + name + "' is neither true nor false"};
  return value.get<bool>();
}

/// A text, or the name that stands for one of which only length and checksum are known.
std::string text_or_digest(const json& line, const char* name) {
  const json& value = field(line, name);
  if (value.is_object()) {
    const std::int64_t size = number(field(value, "size"), "size", int64_max);
    const std::int64_t crc = number(field(value, "crc32c"), "crc32c", std::numeric_limits<std::uint32_t>::max());
    return std::string{'\0'} + std::to_string(size) + " bytes, crc32c " + std::to_string(crc);
  }
  std::string text = word(line, name);
  if (text.starts_with('\0')) throw wrong{std::string{"'"} + name + "' begins with NUL: give its size and crc32c"};
  return text;
}

replication::version version(const json& line, const char* name) {
  const json& value = field(line, name);
  if (!value.is_array() || value.size() != 2) throw wrong{std::string{"'"} + name + "' is not [epoch, seq]"};
  const auto part = [&](std::size_t i) { return static_cast<std::uint64_t>(number(value[i], name, int64_max)); };
  return {part(0), part(1)};
}

/// That of a write: places are counted from 1.
replication::version place(const json& line, const char* name) {
  const replication::version v = version(line, name);
  if (v.epoch == 0 || v.seq == 0) throw wrong{std::string{"'"} + name + "' names no place: both count from 1"};
  return v;
}

artillery::time_point moment(const json& line, const char* name) {
  return artillery::time_point{artillery::duration{number(field(line, name), name, int64_max - 1)}};
}

replication::consistency level(const json& line) {
  const json& value = field(line, "level");
  if (value == "strong") return replication::strong;
  if (value == "eventual") return replication::eventual;
  if (value.is_object() && value.contains("bounded_ns")) {
    return replication::bounded(artillery::duration{number(value["bounded_ns"], "bounded_ns", int64_max)});
  }
  if (value.is_object() && value.contains("bounded_records")) {
    const std::int64_t records = number(value["bounded_records"], "bounded_records", operation::anyone);
    return replication::bounded(static_cast<std::uint32_t>(records));
  }
  throw wrong{"'level' is not \"strong\", \"eventual\", {\"bounded_ns\": n} or {\"bounded_records\": n}"};
}

replication::condition condition(const json& line) {
  if (!line.contains("condition")) return {};
  const json& value = line["condition"];
  if (value == "if_absent") return replication::condition::absent();
  if (value.is_object() && value.contains("if_version")) return replication::condition::is(place(value, "if_version"));
  throw wrong{"'condition' is neither \"if_absent\" nor {\"if_version\": [epoch, seq]}"};
}

operation::kind kind(const json& line) {
  const std::string name = word(line, "kind");
  if (name == "read") return operation::kind::read;
  if (name == "put") return operation::kind::put;
  if (name == "erase") return operation::kind::erase;
  throw wrong{"'kind' is not \"read\", \"put\" or \"erase\""};
}

operation::outcome outcome(const json& line) {
  const std::string name = word(line, "outcome");
  if (name == "done") return operation::outcome::done;
  if (name == "void") return operation::outcome::void_;
  if (name == "pending") return operation::outcome::pending;
  throw wrong{"'outcome' is not \"done\", \"void\" or \"pending\""};
}

void take_answer(const json& line, operation& op) {
  if (op.is_write()) {
    op.applied = flag(line, "applied");
    if (op.applied || line.contains("version")) op.version = place(line, "version");
    return;
  }
  op.found = flag(line, "found");
  op.local = flag(line, "local");
  if (line.contains("as_of")) op.as_of = version(line, "as_of");
  if (op.found) {
    op.value = text_or_digest(line, "value");
    op.version = place(line, "version");
  } else if (line.contains("version")) {
    throw wrong{"found nothing, and has a 'version'"};
  }
}

operation operation_in(const json& line) {
  operation op;
  op.client = small_number(line, "client");
  op.what = kind(line);
  op.key = text_or_digest(line, "key");
  if (op.is_write()) {
    op.when = condition(line);
    if (op.what == operation::kind::put) op.value = text_or_digest(line, "value");
  } else {
    op.level = level(line);
    if (line.contains("asked")) op.asked = small_number(line, "asked");
  }
  op.invoked_at = moment(line, "invoked_ns");
  op.came_to = outcome(line);
  if (op.came_to == operation::outcome::pending) {
    if (line.contains("completed_ns")) throw wrong{"is pending, and has 'completed_ns'"};
    return op;
  }
  op.completed_at = moment(line, "completed_ns");
  if (op.completed_at < op.invoked_at) throw wrong{"is completed before it is invoked"};
  if (op.came_to == operation::outcome::done) take_answer(line, op);
  return op;
}

header header_in(const json& line) {
  if (word(line, "format") != "artillery-history") throw wrong{"'format' is not \"artillery-history\""};
  if (number(field(line, "version"), "version", int64_max) != format_version) {
    throw wrong{"'version' is not " + std::to_string(format_version)};
  }
  if (word(line, "unit") != "ns") throw wrong{"'unit' is not \"ns\""};
  return {word(line, "recorder"), word(line, "clock")};
}

json object_in(const std::string& text) {
  if (text.size() > line_size_max) throw wrong{"is longer than " + std::to_string(line_size_max) + " bytes"};
  json line = json::parse(text, nullptr, false);
  if (line.is_discarded()) throw wrong{"is not JSON"};
  if (!line.is_object()) throw wrong{"is not a JSON object"};
  return line;
}

/// Gives calls and answers their places. What happened at the same nanosecond counts as concurrent: calls go first.
void number_calls(artillery::sim::history& operations) {
  std::vector<std::tuple<artillery::time_point, bool, std::size_t>> moments;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const operation& op = operations[i];
    moments.emplace_back(op.invoked_at, false, i);
    if (op.came_to != operation::outcome::pending) moments.emplace_back(op.completed_at, true, i);
  }
  std::sort(moments.begin(), moments.end());
  std::uint64_t order = 0;
  for (const auto& [when, is_answer, i] : moments) {
    (is_answer ? operations[i].completed : operations[i].invoked) = ++order;
  }
}

}  // namespace

std::optional<bad_line> read(std::istream& in, recording& into) {
  recording taken;
  std::map<std::string, std::size_t> puts;  // line by value
  std::string text;
  std::size_t lines = 0;
  try {
    for (; std::getline(in, text); ++lines) {
      const json line = object_in(text);
      if (lines == 0) {
        taken.about = header_in(line);
        continue;
      }
      operation op = operation_in(line);
      if (op.what == operation::kind::put) {
        const auto [put, is_new] = puts.emplace(op.value, lines + 1);
        if (!is_new) throw wrong{"puts the same value as line " + std::to_string(put->second)};
      }
      taken.operations.push_back(std::move(op));
    }
    if (lines == 0) throw wrong{"the header is missing"};
  } catch (const wrong& why) {
    return bad_line{lines + 1, why.what()};
  }
  number_calls(taken.operations);
  into = std::move(taken);
  return std::nullopt;
}

}  // namespace histories

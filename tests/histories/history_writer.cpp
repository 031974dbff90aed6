#include <nlohmann/json.hpp>
#include <ostream>

#include "base/crc32c.hpp"
#include "history_file.hpp"

namespace histories {
namespace {

using json = nlohmann::ordered_json;
using operation = artillery::sim::history_operation;
namespace replication = artillery::replication;

bool is_utf8(const std::string& text) {
  try {
    static_cast<void>(json(text).dump());
    return true;
  } catch (const json::type_error&) {
    return false;
  }
}

/// A text as it is, or what tells it from others. Texts that begin with NUL are the reader's, for the latter.
json text_or_digest(const std::string& text) {
  const bool is_plain = text.size() <= text_size_max && !text.starts_with('\0') && is_utf8(text);
  if (is_plain) return text;
  return {{"size", text.size()}, {"crc32c", artillery::detail::crc32c(artillery::as_bytes(text))}};
}

json pair_of(const replication::version& v) {
  return json::array({v.epoch, v.seq});
}

std::int64_t nanoseconds(artillery::time_point when) {
  return when.time_since_epoch().count();
}

json level_of(const replication::consistency& level) {
  using kind = replication::consistency::kind;
  switch (level.what()) {
    case kind::bounded_time: return {{"bounded_ns", level.staleness().count()}};
    case kind::bounded_records: return {{"bounded_records", level.records()}};
    case kind::eventual: return "eventual";
    case kind::strong: break;
  }
  return "strong";
}

void put_write(json& line, const operation& op) {
  using kind = replication::condition::kind;
  if (op.what == operation::kind::put) line["value"] = text_or_digest(op.value);
  if (op.when.what() == kind::if_absent) line["condition"] = "if_absent";
  if (op.when.what() == kind::if_version) line["condition"] = {{"if_version", pair_of(op.when.expected())}};
}

void put_answer(json& line, const operation& op) {
  if (op.is_write()) {
    line["applied"] = op.applied;
  } else {
    line["found"] = op.found;
    if (op.found) line["value"] = text_or_digest(op.value);
    line["local"] = op.local;
    if (!op.as_of.none()) line["as_of"] = pair_of(op.as_of);
  }
  if (!op.version.none()) line["version"] = pair_of(op.version);
}

const char* name_of(operation::kind what) {
  switch (what) {
    case operation::kind::put: return "put";
    case operation::kind::erase: return "erase";
    case operation::kind::read: break;
  }
  return "read";
}

const char* name_of(operation::outcome came_to) {
  switch (came_to) {
    case operation::outcome::done: return "done";
    case operation::outcome::void_: return "void";
    case operation::outcome::pending: break;
  }
  return "pending";
}

json line_of(const operation& op) {
  json line{{"client", op.client}, {"kind", name_of(op.what)}, {"key", text_or_digest(op.key)}};
  if (op.is_write()) {
    put_write(line, op);
  } else {
    line["level"] = level_of(op.level);
    if (op.asked != operation::anyone) line["asked"] = op.asked;
  }
  line["invoked_ns"] = nanoseconds(op.invoked_at);
  line["outcome"] = name_of(op.came_to);
  if (op.came_to != operation::outcome::pending) line["completed_ns"] = nanoseconds(op.completed_at);
  if (op.came_to == operation::outcome::done) put_answer(line, op);
  return line;
}

}  // namespace

void write(std::ostream& out, const header& about, const artillery::sim::history& operations) {
  const json first{{"format", "artillery-history"},
                   {"version", format_version},
                   {"recorder", about.recorder},
                   {"clock", about.clock},
                   {"unit", "ns"}};
  out << first.dump() << '\n';
  for (const operation& op : operations) out << line_of(op).dump() << '\n';
}

}  // namespace histories

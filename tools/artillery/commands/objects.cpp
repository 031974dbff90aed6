#include <string_view>

#include "byte_json.hpp"
#include "commands/commands.hpp"
#include "commands/file_content.hpp"
#include "control/client.hpp"
#include "notation.hpp"
#include "output/event_text.hpp"
#include "output/print.hpp"
#include "output/table.hpp"

namespace tool {

namespace {

using nlohmann::json;

constexpr std::size_t value_columns_max = 60;

std::string op_of(write_options::kind what) {
  switch (what) {
    case write_options::kind::put: return "put";
    case write_options::kind::cas: return "cas";
    case write_options::kind::del: return "del";
  }
  return "put";
}

std::string value_of(const write_options& options) {
  if (!options.file.empty()) return read_content(options.file, control::body_max);
  if (options.value == "-") return read_content("-", control::body_max);
  return *options.value;
}

json request_of(const write_options& options) {
  json request{{"op", op_of(options.what)}, {"key", bytes_to_json(options.key)}};
  if (options.what == write_options::kind::cas) {
    request["expected"] = nullptr;
    if (!options.expected.none()) request["expected"] = to_text(options.expected);
  }
  return request;
}

control::message ask(const write_options& options) {
  // First the value: when it cannot be read nobody needs to be asked.
  if (options.what == write_options::kind::del)
    return control::client{options.common.socket_path()}.request(request_of(options), options.common.timeout);
  const std::string value = value_of(options);
  return control::client{options.common.socket_path()}.request(request_of(options), value, options.common.timeout);
}

std::string read_text(const json& answer, std::string_view value, bool with_value) {
  output::table table{with_value ? std::vector<std::string>{"KEY", "VERSION", "SIZE", "READ", "VALUE"}
                                 : std::vector<std::string>{"KEY", "VERSION", "SIZE", "READ"}};
  std::vector<std::string> row{output::field_text(answer, "key"), output::field_text(answer, "version"),
                               to_size_text(value.size()), answer.value("local", false) ? "here" : "elsewhere"};
  if (with_value) row.push_back(output::printable(value, value_columns_max));
  table.add(std::move(row));
  return table.text();
}

}  // namespace

exit_code run(const get_options& options) {
  control::client client{options.common.socket_path()};
  json request{{"op", "get"}, {"key", bytes_to_json(options.key)}, {"consistency", to_text(options.consistency)}};
  control::message reply = client.request(std::move(request), options.common.timeout);
  json& answer = reply.head;
  answer.erase("ok");
  answer.erase("body");
  answer["key"] = bytes_to_json(options.key);
  const bool found = answer.value("found", false);
  if (!found) {
    if (options.common.format != output_format::table) output::print(options.common.format, answer, {});
    throw failure{exit_code::absent, "there is no object '" + output::printable(options.key) + "'"};
  }
  if (options.raw) {
    output::write(reply.body);
    return exit_code::done;
  }
  answer["size"] = reply.body.size();
  if (options.output.empty()) {
    answer["value"] = bytes_to_json(reply.body);
  } else {
    write_content(options.output, reply.body);
    answer["output"] = options.output;
  }
  output::print(options.common.format, answer, read_text(answer, reply.body, options.output.empty()));
  return exit_code::done;
}

exit_code run(const write_options& options) {
  control::message reply = ask(options);
  json& answer = reply.head;
  answer.erase("ok");
  answer["key"] = bytes_to_json(options.key);
  const bool applied = answer.value("applied", false);
  output::table table{{"KEY", applied ? "VERSION" : "VERSION THERE"}};
  const std::string version = output::field_text(answer, "version");
  table.add({options.key, version.empty() ? "absent" : version});
  output::print(options.common.format, answer, applied ? table.text() : std::string{});
  if (applied) return exit_code::done;
  throw failure{exit_code::condition_not_met, "not written: '" + output::printable(options.key) + "' is " +
                                                  (version.empty() ? std::string{"absent"} : "at version " + version)};
}

}  // namespace tool

#include "output/print.hpp"

#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <system_error>

#include "byte_json.hpp"
#include "exit_code.hpp"
#include "output/event_text.hpp"

namespace tool::output {

namespace {

std::string indented(const nlohmann::json& value) {
  return value.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

}  // namespace

void write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      throw failure{exit_code::failed, "cannot write to standard output: " + std::generic_category().message(errno)};
    }
  }
}

void print(output_format format, const nlohmann::json& value, std::string_view text) {
  switch (format) {
    case output_format::table: return write(text);
    case output_format::json: return write(indented(value));
    case output_format::jsonl: return write(to_line(value) + '\n');
  }
}

void print_rows(output_format format, const nlohmann::json& rows, std::string_view text) {
  if (format != output_format::jsonl) return print(format, rows, text);
  std::string lines;
  for (const nlohmann::json& row : rows) lines += to_line(row) + '\n';
  write(lines);
}

void print_event(output_format format, const nlohmann::json& event) {
  write((format == output_format::table ? event_text(event) : to_line(event)) + '\n');
}

}  // namespace tool::output

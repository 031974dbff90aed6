#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "options.hpp"

namespace tool::output {

/// Writes to standard output, all of it and at once. Fails when that is closed or full.
void write(std::string_view bytes);

/// One value: as `text` for people, else as JSON (indented, or on one line).
void print(output_format format, const nlohmann::json& value, std::string_view text);

/// Rows: as `text` for people, else as a JSON array, or one on a line each.
void print_rows(output_format format, const nlohmann::json& rows, std::string_view text);

/// A stream has no end to close an array with: JSON means a line for each event.
void print_event(output_format format, const nlohmann::json& event);

}  // namespace tool::output

// Plays scenario files and compares their traces: `./dev scenarios`, or `./dev scenarios --rewrite` to take over what
// the cores do now. docs/scenarios.md says how to write one.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/assert.hpp"
#include "scenarios/difference.hpp"
#include "scenarios/room.hpp"

namespace scenarios = artillery::scenarios;
namespace fs = std::filesystem;

namespace {

constexpr const char* usage =
    "artillery_scenarios [--rewrite] [<file>…]\n"
    "\n"
    "Plays the scenarios in the files, or all under tests/scenarios, and compares what happens with the trace below\n"
    "each file's rule. --rewrite replaces the traces instead; commit one only if you understand what changed.\n"
    "Exit codes: 0 all as written, 1 something differs, 2 the command line is wrong.\n";

std::string read_all(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  if (!in) throw std::runtime_error{"cannot be read"};
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void write_all(const fs::path& file, const std::string& text) {
  std::ofstream out{file, std::ios::binary | std::ios::trunc};
  out << text;
  if (!out.flush()) throw std::runtime_error{"cannot be written"};
}

std::string name_of(const fs::path& file) {
  return file.parent_path().filename().string() + "/" + file.stem().string();
}

/// True when the file is as it should be.
bool play(const fs::path& file, bool rewrite) {
  const scenarios::script script = scenarios::parse_script(read_all(file));
  const auto room = scenarios::make_room(fs::absolute(file).parent_path().filename().string());
  if (room == nullptr) throw std::runtime_error{"its folder has not the name of a room"};
  const std::string trace = scenarios::perform(script, *room);
  const std::string difference = scenarios::difference(script.trace, trace);
  if (difference.empty()) {
    std::printf("%s: ok\n", name_of(file).c_str());
    return true;
  }
  if (rewrite) {
    write_all(file, scenarios::with_trace(script, trace));
    std::printf("%s: rewritten\n", name_of(file).c_str());
    return true;
  }
  std::printf("%s: the trace differs; - as written, + as it happened:\n%s", name_of(file).c_str(), difference.c_str());
  std::printf("./dev scenarios --rewrite %s takes it over\n", file.c_str());
  return false;
}

bool play_and_report(const fs::path& file, bool rewrite) {
  try {
    return play(file, rewrite);
  } catch (const artillery::detail::broken_invariant& broken) {
    std::printf("%s: a core broke a promise of its own: %s (%s:%u)\n", file.c_str(), broken.what(), broken.file(),
                broken.line());
  } catch (const std::exception& error) {
    std::printf("%s: %s\n", file.c_str(), error.what());
  }
  return false;
}

std::vector<fs::path> all_scenarios() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator{ARTILLERY_SCENARIOS}) {
    const bool in_room = entry.path().parent_path() != fs::path{ARTILLERY_SCENARIOS};
    if (in_room && entry.path().extension() == ".txt") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

int main(int count, char** arguments) {
  bool rewrite = false;
  std::vector<fs::path> files;
  for (const std::string& argument : std::vector<std::string>(arguments + 1, arguments + count)) {
    if (argument == "--help" || argument == "-h") {
      std::fputs(usage, stdout);
      return 0;
    }
    if (argument == "--rewrite") {
      rewrite = true;
    } else if (argument.starts_with("-")) {
      std::fprintf(stderr, "artillery_scenarios: there is no option %s\n%s", argument.c_str(), usage);
      return 2;
    } else {
      files.emplace_back(argument);
    }
  }
  if (files.empty()) files = all_scenarios();
  bool all_well = !files.empty();
  for (const fs::path& file : files) all_well = play_and_report(file, rewrite) && all_well;
  return all_well ? 0 : 1;
}

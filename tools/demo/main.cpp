#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

#include "account.hpp"
#include "agents.hpp"
#include "exit_code.hpp"
#include "files.hpp"
#include "notation.hpp"
#include "scratch.hpp"
#include "steps.hpp"

namespace {

using tool::exit_code;
using tool::failure;

constexpr const char* debian_licences = "/usr/share/common-licenses";

constexpr const char* footer =
    R"(Ends with 0 when everything was as it must be, with 1 when not (it says what), with 2 on wrong use. Leaves no process
behind, however it ends.)";

/// Without a directory: what every Debian has, or else the licences of this project.
std::string default_directory() {
  std::error_code ignored;
  return std::filesystem::is_directory(debian_licences, ignored) ? debian_licences : ARTILLERY_LICENCES;
}

void run(const std::string& directory, const std::string& program) {
  const demo::collection files = demo::collect(directory);
  if (::access(program.c_str(), X_OK) != 0)
    throw failure{exit_code::wrong_use,
                  "--artillery: cannot run '" + program + "'; the path of the artillery command is allowed"};
  const auto interrupt = demo::interrupts();
  const demo::scratch_directory scratch;
  demo::account told;
  demo::agents crowd{program, scratch.path(), interrupt.number()};
  told.title("artillery demo: three agents replicate the files below " + directory);
  try {
    demo::start_agents(crowd, told);
    demo::form_cluster(crowd, told);
    demo::form_chain(crowd, told);
    demo::put_files(crowd, files, told);
    demo::read_files(crowd, files, told);
    demo::send_event(crowd, told);
    const auto writes = demo::begin_writes(crowd, told);
    for (const auto which : {demo::end_of_chain::head, demo::end_of_chain::tail}) {
      demo::agent& killed = demo::kill(crowd, which, *writes, told);
      demo::bring_back(crowd, killed, *writes, told);
    }
    demo::end_writes(crowd, *writes, told);
    demo::read_files(crowd, files, told);
    demo::stop_agents(crowd, told);
  } catch (const std::exception& failed) {
    throw failure{exit_code::failed, std::string{failed.what()} + '\n' + crowd.remarks()};
  }
  told.title("\nDone in " + tool::to_milliseconds(told.total()) + ".");
}

}  // namespace

int main(int count, char** words) {
  std::string directory = default_directory();
  std::string program;
  CLI::App app{
      "Three agents on this machine find each other and replicate files; head and tail of the chain are killed and "
      "come back.",
      "artillery_demo"};
  app.add_option("DIR", directory, "Directory whose files are replicated")->type_name("DIR")->default_str(directory);
  app.add_option("--artillery", program, "The command; by default the one that was built with this program")
      ->type_name("PATH");
  app.footer(footer);
  try {
    app.parse(count, words);
  } catch (const CLI::CallForHelp&) {
    return std::fputs(app.help().c_str(), stdout) < 0 ? 1 : 0;
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "artillery_demo: %s\n", error.what());
    return static_cast<int>(exit_code::wrong_use);
  }
  try {
    run(directory, program.empty() ? demo::command_beside_us() : program);
    return 0;
  } catch (const failure& failed) {
    std::fprintf(stderr, "\nartillery_demo: failed: %s\n", failed.what());
    return static_cast<int>(failed.code());
  } catch (const std::exception& unforeseen) {
    std::fprintf(stderr, "\nartillery_demo: failed: %s\n", unforeseen.what());
    return 1;
  }
}

#include <cstdio>
#include <exception>
#include <string>
#include <variant>
#include <vector>

#include "agent/agent.hpp"
#include "command_line.hpp"
#include "commands/commands.hpp"
#include "exit_code.hpp"

namespace {

int report(tool::exit_code code, const char* text) {
  std::fprintf(stderr, "artillery: %s\n", text);
  return static_cast<int>(code);
}

}  // namespace

int main(int count, char** words) {
  try {
    const tool::command command = tool::parse_command_line({words + 1, words + count});
    return static_cast<int>(std::visit([](const auto& options) { return tool::run(options); }, command));
  } catch (const tool::help_requested& help) {
    return std::fputs(help.text.c_str(), stdout) < 0 || std::fflush(stdout) != 0 ? 1 : 0;
  } catch (const tool::failure& failed) {
    return report(failed.code(), failed.what());
  } catch (const std::exception& unforeseen) {
    return report(tool::exit_code::failed, unforeseen.what());
  }
}

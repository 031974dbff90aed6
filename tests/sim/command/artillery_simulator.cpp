// `./dev sim`: runs seeds of the simulator and reports what they came to, makes a failing seed small, replays those
// that failed once, and shows that planted mistakes are found.
#include <unistd.h>

#include <iostream>
#include <string>
#include <vector>

#include "commands.hpp"
#include "room.hpp"

int main(int count, char** words) {
  const simulator::console console{std::cout, std::cerr, ::isatty(STDERR_FILENO) == 1};
  return simulator::run_command({words + 1, words + count}, simulator::rooms(), console);
}

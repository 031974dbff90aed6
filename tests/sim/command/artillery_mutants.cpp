// `./dev sim mutants`: the simulator's command in a program whose cores have mistakes to plant.
#include <unistd.h>

#include <iostream>

#include "commands.hpp"
#include "mutants.hpp"

int main(int count, char** words) {
  const simulator::console console{std::cout, std::cerr, ::isatty(STDERR_FILENO) == 1};
  return simulator::run_command({words + 1, words + count}, simulator::rooms_with_mutants(), console);
}

#pragma once

#include <unistd.h>

#include <exception>
#include <iostream>
#include <string_view>

#include "command_line.hpp"
#include "console.hpp"
#include "exit_code.hpp"

namespace simulator {

/// What `main` of a program of its own does around its work: help to standard output, and whatever goes wrong in words
/// behind the program's name, with the exit code that fits.
template <class Work>
int run_program(std::string_view name, Work work) {
  const console where{std::cout, std::cerr, ::isatty(STDERR_FILENO) == 1};
  try {
    return work(where);
  } catch (const tool::help_requested& help) {
    where.out << help.text << std::flush;
    return where.out ? 0 : 1;
  } catch (const tool::failure& failed) {
    where.err << name << ": " << failed.what() << "\n";
    return static_cast<int>(failed.code());
  } catch (const std::exception& unforeseen) {
    where.err << name << ": " << unforeseen.what() << "\n";
    return 1;
  }
}

}  // namespace simulator

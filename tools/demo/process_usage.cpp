#include "process_usage.hpp"

#include <time.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace demo {

process_usage usage_of(pid_t process) {
  process_usage used;
  clockid_t clock{};
  timespec spent{};
  if (::clock_getcpuclockid(process, &clock) == 0 && ::clock_gettime(clock, &spent) == 0)
    used.cpu_seconds = static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) / 1e9;
  std::ifstream pages{"/proc/" + std::to_string(process) + "/statm"};
  double whole = 0;
  double resident = 0;
  if (pages >> whole >> resident)
    used.resident_mebibytes = resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
  std::ifstream mapped{"/proc/" + std::to_string(process) + "/smaps_rollup"};
  for (std::string word; mapped >> word;) {
    double kibibytes = 0;
    if ((word == "Private_Clean:" || word == "Private_Dirty:") && mapped >> kibibytes)
      used.own_mebibytes += kibibytes / 1024;
  }
  return used;
}

}  // namespace demo

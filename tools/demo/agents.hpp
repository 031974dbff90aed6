#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "artillery/clock.hpp"
#include "child.hpp"
#include "control/client.hpp"

namespace demo {

/// What an agent told of, and when that reached us.
struct heard {
  artillery::time_point at;
  nlohmann::json event;
};

/// One agent as a process.
struct agent {
  std::string name;
  std::string id;  ///< once it is ready
  std::string socket;
  std::string remarks_file;
  std::vector<std::string> words;  ///< of its command line
  std::unique_ptr<child> process;
  std::vector<heard> events;
  bool expected_to_end = false;

  /// The first event of that name, after `since`, that `matches`; null when there is none.
  [[nodiscard]] const heard* find(std::string_view name, const std::function<bool(const nlohmann::json&)>& matches = {},
                                  artillery::time_point since = {}) const;
};

/// The agents of one run, and the waiting for what they tell.
class agents {
public:
  /// `interrupt` becomes readable when the run is to be given up (a signalfd).
  agents(std::string program, std::string directory, int interrupt);

  /// Starts one more. It finds the others by broadcast at `discovery_port`.
  agent& start(const std::string& name, const std::string& cluster, std::uint16_t discovery_port, std::size_t expect);
  /// Starts one more with these options, beside its name, directory and socket; `prefix` begins the command line.
  agent& start(const std::string& name, const std::vector<std::string>& options,
               const std::vector<std::string>& prefix = {});
  /// Starts one again that has ended, with the directory that it had.
  void restart(agent& ended);

  /// Reads what they tell until `holds`, or fails: when `limit` is over (the text says what was `awaited`), when an
  /// agent ends unexpectedly, or when we are interrupted.
  void wait_until(const std::function<bool()>& holds, artillery::duration limit, const std::string& awaited);

  /// Fails when an agent has ended unexpectedly.
  void require_all_running();

  /// A connection to that agent, which an interrupt ends, too.
  [[nodiscard]] tool::control::client connect(const agent& to) const;

  [[nodiscard]] std::vector<std::unique_ptr<agent>>& all() noexcept { return all_; }
  /// Those that were not told to end.
  [[nodiscard]] std::vector<agent*> living();

  /// The last remarks of each, for the account of a failure.
  [[nodiscard]] std::string remarks() const;

private:
  void read_output();

  std::string program_;
  std::string directory_;
  int interrupt_;
  std::vector<std::unique_ptr<agent>> all_;
};

}  // namespace demo

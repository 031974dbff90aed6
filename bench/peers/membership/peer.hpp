#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "artillery/clock.hpp"
#include "child.hpp"

namespace peers {

/// What a node told of another one, and when it was told so.
struct report {
  artillery::time_point at;
  std::string kind;  ///< joined, failed, left
  std::string about;
};

/// A node of some library as a process, and all that it told.
class peer {
public:
  /// `words` start it; it is called `name`.
  peer(std::string name, std::vector<std::string> words, std::string remarks_file);

  void start();
  void tell(const std::string& command) const { process_->tell(command); }
  void signal(int number) const { process_->signal(number); }
  /// Ends it in whatever way, and waits for that.
  void end();
  /// Takes in what it said.
  void listen();

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] demo::child& process() const noexcept { return *process_; }
  /// It was started, and nobody ended it.
  [[nodiscard]] bool lives() const noexcept { return process_ != nullptr; }
  /// It listens, since its last start.
  [[nodiscard]] bool ready() const noexcept { return ready_; }
  /// Its leave is over.
  [[nodiscard]] bool gone() const noexcept { return gone_; }
  /// How many others it holds for present.
  [[nodiscard]] std::size_t view_size() const noexcept { return view_.size(); }
  /// When it last learnt of one that joined.
  [[nodiscard]] artillery::time_point last_join() const noexcept { return last_join_; }
  [[nodiscard]] const std::vector<report>& reports() const noexcept { return reports_; }
  /// When it first told so of that one since then.
  [[nodiscard]] std::optional<artillery::time_point> told(std::string_view kind, std::string_view about,
                                                          artillery::time_point since) const;
  /// When it was given that event.
  [[nodiscard]] std::optional<artillery::time_point> heard(const std::string& event) const;
  /// Commands that it could not obey, as it said.
  [[nodiscard]] std::size_t refusals() const noexcept { return refusals_; }

private:
  void take(std::string_view line);

  std::string name_;
  std::vector<std::string> words_;
  std::string remarks_file_;
  std::unique_ptr<demo::child> process_;
  bool ready_ = false;
  bool gone_ = false;
  std::set<std::string, std::less<>> view_;
  artillery::time_point last_join_{};
  std::vector<report> reports_;
  std::unordered_map<std::string, artillery::time_point> events_;
  std::size_t refusals_ = 0;
};

}  // namespace peers

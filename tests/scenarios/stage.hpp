#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "artillery/sim.hpp"
#include "scenarios/script.hpp"
#include "scenarios/trace.hpp"

namespace artillery::scenarios {

/// One message as it leaves its sender.
struct utterance {
  std::string from;
  std::string to;
  bytes message;
  bool on_stream = false;
  bool first = false;        ///< of its sender on this stream
  bool opened_here = false;  ///< its sender opened the stream
};

/// A message in a person's words. The kind is what scripts call it.
struct described {
  std::string kind;
  std::string text;
};

/// What a stage asks of the room that plays on it.
class narrator {
public:
  virtual described describe(const utterance& what) = 0;
  /// A host has just handled something: time to tell what is new there.
  virtual void after_input(const std::string& host) = 0;

protected:
  narrator() = default;
  ~narrator() = default;
  narrator(const narrator&) = default;
  narrator& operator=(const narrator&) = default;
};

/// A simulated world whose network does what the script says: every message takes the same time and arrives, unless a
/// command lost it, held it back or broke its stream. Everything that is sent is told in the trace.
class stage {
public:
  /// `stream_arrow` stands between the two ends of what travels on a stream.
  stage(duration delay, bool with_clock, std::string stream_arrow)
      : story{with_clock}, delay_{delay}, stream_arrow_{std::move(stream_arrow)}, world_{1, fixed(delay)} {}

  void play(narrator& room) { narrator_ = &room; }

  // --- hosts ---
  void add(const std::string& name, const endpoint& at, std::unique_ptr<sim::program> actor);
  void restart(const std::string& name, std::unique_ptr<sim::program> actor);
  /// One that finds these records on its disk; a write takes two milliseconds or so.
  void add_with_disk(const std::string& name, const endpoint& at, std::unique_ptr<sim::program> actor,
                     const std::vector<bytes>& records);
  /// Of one that is down.
  void lose_disk(const std::string& name) { world_.set_disk(hosts_.at(name), {}); }
  [[nodiscard]] bool has(const std::string& name) const { return hosts_.contains(name); }
  [[nodiscard]] bool is_up(const std::string& name) const { return world_.is_up(hosts_.at(name)); }
  [[nodiscard]] const endpoint& at(const std::string& name) const { return world_.at(hosts_.at(name)); }
  /// The actor on a host; null while it is down.
  [[nodiscard]] sim::program* actor(const std::string& name);
  /// False when the host is down.
  bool call(const std::string& name, std::function<void(sim::program&, time_point, network_effects&)> input);
  /// Who is at an endpoint; its text when nobody is.
  [[nodiscard]] std::string name_at(const endpoint& at) const;

  // --- the script ---
  /// The commands that mean the same in every room; false: it is not one of them.
  bool obey(const command& what);
  void run_for(duration length) { world_.run_for(length); }
  [[nodiscard]] bool run_until(const std::function<bool()>& done, duration deadline) {
    return world_.run_until(done, deadline);
  }
  void later(duration after, std::function<void()> what) { world_.schedule(world_.now() + after, std::move(what)); }
  [[nodiscard]] time_point now() const noexcept { return world_.now(); }
  void tell(const std::string& kind, const std::string& text) { story.tell(kind, text, world_.now()); }

  trace story;

private:
  class tap;
  class tapped;

  enum class fate { lost, held, breaks };
  /// What happens to some messages from one host to another; `*` stands for any host.
  struct rule {
    fate what;
    std::string from;
    std::string to;
    std::set<std::string> kinds;  // none: all; "datagrams": all that are no frames of a stream
    std::uint64_t times_left;
  };
  struct held_message {
    std::string from;
    std::string to;
    connection on;
    bytes message;
    described what;
    bool on_stream;
  };

  [[nodiscard]] static sim::link_faults fixed(duration delay, std::uint32_t stream_reset = 0) {
    return {.delay_min = delay, .delay_mean = duration{0}, .stream_reset = stream_reset};
  }

  void handle(const std::string& host, const std::function<void()>& input);
  void pass_on(const utterance& said, const connection& to, network_effects& out);
  [[nodiscard]] rule* rule_for(const utterance& said, const std::string& kind);
  [[nodiscard]] bool is_behind_held(const utterance& said, const connection& to) const;
  [[nodiscard]] std::string remark_of(const utterance& said, const connection& to) const;
  void tell_message(const utterance& said, const described& what, const std::string& remark);

  [[nodiscard]] const std::string& known(const command& what, std::size_t place, bool or_any = false) const;
  bool obey_faults(const command& what);
  void make_rule(const command& what, fate outcome);
  void release(const command& what);
  void split(const command& what);

  duration delay_;
  std::string stream_arrow_;
  sim::world world_;
  narrator* narrator_ = nullptr;
  std::map<std::string, sim::host> hosts_;
  std::vector<rule> rules_;
  std::deque<held_message> held_;
  std::set<std::pair<std::string, std::string>> cuts_;
  std::set<std::pair<std::string, std::uint64_t>> broken_;  // streams that a command broke, by the end that broke
  /// What a host says while it handles an input is told after what the input changed there.
  std::vector<std::function<void()>> unsaid_;
  bool in_input_ = false;
};

}  // namespace artillery::scenarios

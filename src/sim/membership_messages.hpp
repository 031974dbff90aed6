#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <system_error>

#include "membership/core.hpp"

namespace artillery::sim {

/// A book of the messages that members send to each other alone: what each promise about them is held against. Each is
/// named by its call, a number that no other call of the run has.
class message_book {
public:
  /// The payload of a message: its call, then as many bytes as wanted.
  [[nodiscard]] static bytes payload(std::uint64_t call, std::size_t more);
  [[nodiscard]] static std::uint64_t call_of(bytes_view payload);

  /// `process` sends; numbers grow from call to call.
  void sent(std::uint64_t call, std::size_t process, const node_id& sender, const node_id& addressee, bool reliable);
  /// Each of these says what is wrong with that, or nothing.
  [[nodiscard]] std::string refused(std::uint64_t call);
  [[nodiscard]] std::string given(const node_id& to, const membership::message& what);
  [[nodiscard]] std::string ended(std::size_t process, const membership::finished_call& what);

  /// Reliable calls of a process that have not ended.
  [[nodiscard]] std::size_t under_way(std::size_t process) const;
  /// What became of one: it ended without an error and is where it should be.
  [[nodiscard]] bool has_arrived(std::uint64_t call) const;

  struct totals {
    std::uint64_t sent = 0;
    std::uint64_t given = 0;
    std::uint64_t failed = 0;  ///< reliable ones that ended in an error
  };
  [[nodiscard]] const totals& seen() const noexcept { return totals_; }

private:
  struct entry {
    std::size_t process = 0;
    node_id sender;
    node_id addressee;
    bool reliable = false;
    bool given = false;
    bool ended = false;
    bool unsent = false;  // its end said that nothing was sent
  };

  std::map<std::uint64_t, entry> entries_;
  std::map<std::pair<std::size_t, node_id>, std::uint64_t> last_reliable_;  // by sender's process and addressee
  totals totals_;
};

}  // namespace artillery::sim

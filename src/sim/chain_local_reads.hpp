#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "replication/core.hpp"
#include "replication/local_read.hpp"
#include "sim/chain_store.hpp"

namespace artillery::sim {

/// What one key of a `try_read` came to.
struct tried_read {
  replication::request_id request = 0;
  replication::local_read result;
  time_point fetched_at;  ///< on the replica's clock
};

/// The other threads of a replica's process that call `try_read`: the very steps of local_read.hpp, note → fetch of
/// each key → check, with pauses between them in which the replica goes on. The clock is sampled at the check.
class local_reads {
public:
  using answered = std::function<void(const tried_read&)>;

  local_reads(std::shared_ptr<const chain_store> objects, const replication::published& here, detail::random random,
              duration pause_max);

  struct call {
    replication::request_id request = 0;
    std::string key;
  };
  /// A call for one key or many; `answered` follows for each of them, in a later `step`.
  void begin(std::vector<call> keys, time_point now);
  /// Calls from now on read this store.
  void look_at(std::shared_ptr<const chain_store> objects) { objects_ = std::move(objects); }
  /// Does what is due by now.
  void step(time_point now, const answered& done);
  [[nodiscard]] std::optional<time_point> next_deadline() const;

private:
  /// A call between two of its steps.
  struct reader {
    std::vector<call> keys;
    replication::read_note noted;
    std::vector<replication::stored> found;
    std::vector<time_point> fetched_at;
    time_point next;
  };

  [[nodiscard]] time_point after_pause(time_point now);
  void check(reader& read, time_point now, const answered& done) const;

  std::shared_ptr<const chain_store> objects_;
  const replication::published& here_;
  detail::random random_;
  duration pause_max_;
  std::vector<reader> readers_;
};

}  // namespace artillery::sim

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "artillery/sim.hpp"
#include "replication/view_authority.hpp"

namespace artillery::sim {

/// The authority over a chain's views in a simulated world, whatever is behind it: it answers the replicas' questions
/// and knows which views were chosen.
class simulated_authority {
public:
  /// Who asks: a process, which may be gone when the answer comes.
  struct asker {
    std::size_t at = 0;  ///< which of the chain's hosts
    std::uint64_t process = 0;
    replication::replica_id who;
  };
  using deliver = std::function<void(const asker&, const replication::authority_answer&)>;

  simulated_authority(const simulated_authority&) = delete;
  simulated_authority& operator=(const simulated_authority&) = delete;
  virtual ~simulated_authority() = default;

  /// All hosts of the chain are there.
  virtual void begin() {}
  virtual void ask(const asker& who, const replication::authority_question& question) = 0;
  /// Nothing passes between this host of the chain and the authority.
  virtual void cut_off(std::size_t index) = 0;
  virtual void mend() = 0;
  /// No more delays than needed, and nothing goes wrong.
  virtual void calm() = 0;
  /// The process on this host of the chain has ended, and what there is of the authority in it.
  virtual void went_down(std::size_t /*index*/) {}
  virtual void is_back(std::size_t /*index*/) {}
  /// Whether the process on this host asks an authority of which nothing comes any more, since another took its place.
  [[nodiscard]] virtual bool asks_lost_voters(std::size_t /*index*/) const { return false; }
  /// Whether views can still change when this host of the chain is gone for good.
  [[nodiscard]] virtual bool can_do_without(std::size_t /*index*/) const { return true; }

  /// Takes note of what was chosen, and tells what is wrong: a view that is none of R1's steps from the one before,
  /// say. To be called after every event of the world.
  [[nodiscard]] virtual const std::optional<std::string>& fault() { return fault_; }

  /// All the views that were chosen, by epoch.
  [[nodiscard]] const std::map<std::uint64_t, replication::view>& chosen() const noexcept { return chosen_; }
  [[nodiscard]] const replication::view& newest() const noexcept { return chosen_.rbegin()->second; }
  using counters = std::vector<std::pair<std::string, std::uint64_t>>;
  [[nodiscard]] virtual counters figures() const { return {}; }

protected:
  explicit simulated_authority(replication::view genesis);

  void choose(const replication::view& next);
  /// The first view of a chain that takes the place of the one so far.
  void begin_again(const replication::view& first);
  void blame(std::string what);

private:
  void check_step(const replication::view& before, const replication::view& after);

  std::map<std::uint64_t, replication::view> chosen_;
  std::optional<std::string> fault_;
};

}  // namespace artillery::sim

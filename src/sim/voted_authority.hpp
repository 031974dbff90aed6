#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "artillery/sim.hpp"
#include "base/random.hpp"
#include "replication/proposer.hpp"
#include "sim/register_checks.hpp"
#include "sim/register_voter.hpp"
#include "sim/simulated_authority.hpp"

namespace artillery::sim {

/// Of voters and those who ask them.
inline constexpr const char* voted_cluster = "sim";

/// What the register behind a chain is like, and what goes wrong with it.
struct voted_manners {
  /// To one voter at one time.
  struct fault {
    enum class kind : std::uint8_t { none, crash, lose_disk, pause };

    static constexpr std::array<std::string_view, 4> kind_names{"none", "crash", "lose_disk", "pause"};

    duration at{};
    kind what = kind::none;
    duration length{};
    std::uint64_t draw = 0;
  };

  std::size_t voters = 3;
  replication::proposer_config proposer;  ///< how soon and how long it asks
  link_faults links;                      ///< between a process and the voters
  disk_faults disks;
  std::vector<std::int32_t> clock_drift;  ///< of each voter
  std::vector<fault> faults;
};

/// The real authority: acceptors on disks that may fail, and a proposer for each process of the chain, over datagrams.
///
/// The first voters belong to the chain's hosts and go down with them; where there are more, the others are witnesses.
/// Proposers live as long as the process that asks through them.
class voted_authority final : public simulated_authority {
public:
  voted_authority(world& in, const replication::view& genesis, const voted_manners& manners, std::size_t chain_hosts,
                  std::uint64_t seed, deliver answer);
  ~voted_authority() override;

  void begin() override;
  void ask(const asker& who, const replication::authority_question& question) override;
  void cut_off(std::size_t index) override;
  void mend() override;
  void calm() override;
  void went_down(std::size_t index) override;
  void is_back(std::size_t index) override;
  [[nodiscard]] const std::optional<std::string>& fault() override;
  [[nodiscard]] counters figures() const override;

private:
  class asking_program;

  static endpoint voter_place(std::size_t i) { return endpoint::v4(10, 0, 4, static_cast<std::uint8_t>(i), 7400); }
  static endpoint asker_place(std::size_t i) { return endpoint::v4(10, 0, 5, static_cast<std::uint8_t>(i), 7400); }
  static replication::view with_voters(replication::view genesis, std::size_t voters);

  void add_voter(std::size_t i);
  std::unique_ptr<program> voter(std::size_t i);
  std::unique_ptr<program> proposer(std::size_t index);
  void set_links(const link_faults& faults);
  void strike(const voted_manners::fault& fault);
  void stop_voter(std::size_t i);
  void start_voter(std::size_t i);
  void start_the_silent();
  void lose_disk(std::size_t i);
  void told(const asker& who, const replication::authority_answer& answer);

  world& world_;
  voted_manners manners_;
  std::size_t chain_hosts_;
  detail::random seeds_;
  deliver answer_;
  register_checks checks_;
  std::vector<voter_disk> disks_;
  std::vector<std::uint64_t> disk_lives_;
  std::vector<host> voter_hosts_;
  std::vector<host> asker_hosts_;
  std::vector<bool> is_lost_;
  bool is_calm_ = false;
  std::uint64_t crashes_ = 0;
  std::uint64_t disks_lost_ = 0;
  std::uint64_t pauses_ = 0;
};

}  // namespace artillery::sim

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
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
  [[nodiscard]] bool can_do_without(std::size_t index) const override;
  [[nodiscard]] const std::optional<std::string>& fault() override;
  [[nodiscard]] counters figures() const override;

  // --- voted_force.cpp: another register takes the place of one that lost its majority ---
  using read_over = std::function<void(std::error_code)>;
  /// Whether the voter on this host of the chain is up and sound.
  [[nodiscard]] bool has_voter(std::size_t index) const;
  /// All voters but one are gone, for good unless somebody finds them.
  void lose_voters_but(std::size_t kept);
  void find_voters();
  [[nodiscard]] bool has_lost_voters() const;
  /// The process on this host reads the register; nothing more is heard when it ends.
  void read_at(std::size_t index, read_over done);
  /// What forbids to force another register at this host, as the process there judges.
  [[nodiscard]] std::error_code objection_at(std::size_t index, std::error_code read, const replication::view& known,
                                             const replication::replica_id& survivor) const;
  /// What the voter on this host has accepted.
  [[nodiscard]] const replication::view& accepted_at(std::size_t index) const;
  /// The newest view that voters told the process there of, chosen or not.
  [[nodiscard]] const replication::view& told_at(std::size_t index) const;
  /// The voter there is that of a register of its own from now on; false: there is no view to begin with. Whoever runs
  /// elsewhere goes on asking the voters of before; whoever starts asks the new one.
  bool force_at(std::size_t index, const replication::view& known, const replication::replica_id& survivor);
  [[nodiscard]] bool asks_lost_voters(std::size_t index) const override;

private:
  class asking_program;
  /// What took the place of a register that lost its majority.
  struct forced_register {
    std::size_t at = 0;  ///< whose voter is its only one
    replication::replica_id voter;
    register_checks checks;
    std::uint64_t lost_epoch = 0;  ///< the newest of the lost register
  };

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
  [[nodiscard]] const voter_program* voter_at(std::size_t i) const;
  [[nodiscard]] const asking_program* asker_at(std::size_t index) const;
  void check_lost();
  void told(register_checks& checks, const asker& who, const replication::authority_answer& answer);

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
  std::vector<bool> is_gone_;    // voters that nobody starts again
  std::vector<bool> asks_lost_;  // by host of the chain: its process asks voters of a register that is lost
  std::optional<forced_register> forced_;
  bool is_calm_ = false;
  std::uint64_t crashes_ = 0;
  std::uint64_t disks_lost_ = 0;
  std::uint64_t pauses_ = 0;
};

}  // namespace artillery::sim

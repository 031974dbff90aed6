#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "artillery/sim.hpp"
#include "base/random.hpp"
#include "replication/view_authority.hpp"

namespace artillery::sim {

/// How an authority answers.
struct authority_manners {
  duration delay_max = std::chrono::milliseconds{2};  ///< of each way
  std::uint32_t lost = 0;                             ///< questions or answers, in thousandths
  std::uint32_t unknown = 0;                          ///< outcomes of a compare-and-swap that are not told, likewise
  bool fences = true;                                 ///< a read ends what its asker proposed before
  bool tells_quiet = true;                            ///< gates may end early
};

/// The authority over a chain's views as it should be: one register that everybody reaches, with delays, lost questions
/// and lost answers. What is behind it is not simulated here.
class plain_authority {
public:
  /// Who asks: a process, which may be gone when the answer comes.
  struct asker {
    host at = 0;
    std::uint64_t process = 0;
    replication::replica_id who;
  };
  using deliver = std::function<void(const asker&, const replication::authority_answer&)>;

  plain_authority(world& in, replication::view genesis, const authority_manners& manners, std::uint64_t seed,
                  deliver answer);

  void ask(const asker& who, const replication::authority_question& question);
  /// Nothing passes between this host and the authority.
  void cut_off(host which) { away_.push_back(which); }
  /// Nor between any host and it.
  void silence() { is_silent_ = true; }
  void mend() {
    away_.clear();
    is_silent_ = false;
  }
  /// No more delays than needed, and nothing is lost.
  void calm() { manners_ = {.delay_max = std::chrono::milliseconds{1}, .fences = manners_.fences}; }

  /// All the views that were chosen, by epoch.
  [[nodiscard]] const std::map<std::uint64_t, replication::view>& chosen() const noexcept { return chosen_; }
  [[nodiscard]] const replication::view& newest() const noexcept { return chosen_.rbegin()->second; }
  /// A view that is none of R1's steps from the one before.
  [[nodiscard]] const std::optional<std::string>& fault() const noexcept { return fault_; }

private:
  [[nodiscard]] bool is_lost(host from);
  [[nodiscard]] duration delay();
  void decide(const asker& who, const replication::authority_question& question);
  void reply(const asker& who, replication::authority_answer answer);
  [[nodiscard]] replication::authority_answer answer_to(const asker& who, const replication::authority_read& read);
  [[nodiscard]] replication::authority_answer answer_to(const asker& who, const replication::authority_cas& cas);
  [[nodiscard]] replication::authority_answer answer_to(const asker& who, const replication::authority_renew& renewal);
  [[nodiscard]] replication::authority_answer answer_to(const asker& who, const replication::authority_quiet& quiet);
  void check_step(const replication::view& before, const replication::view& after);

  world& world_;
  authority_manners manners_;
  detail::random random_;
  deliver answer_;
  std::map<std::uint64_t, replication::view> chosen_;
  std::map<std::uint64_t, time_point> last_yes_;                    // by epoch
  std::map<std::uint64_t, replication::question_id> fenced_up_to_;  // by process
  std::vector<host> away_;
  bool is_silent_ = false;
  std::optional<std::string> fault_;
};

}  // namespace artillery::sim

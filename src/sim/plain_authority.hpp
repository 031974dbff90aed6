#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "artillery/sim.hpp"
#include "base/random.hpp"
#include "replication/view_authority.hpp"
#include "sim/simulated_authority.hpp"

namespace artillery::sim {

/// How an authority answers.
struct authority_manners {
  duration delay_max = std::chrono::milliseconds{2};  ///< of each way
  std::uint32_t lost = 0;                             ///< questions or answers, in thousandths
  std::uint32_t unknown = 0;                          ///< outcomes of a compare-and-swap that are not told, likewise
  bool fences = true;                                 ///< a read ends what its asker proposed before
  bool tells_quiet = true;                            ///< gates may end early
};

/// The authority as it should be: one register that everybody reaches, with delays, lost questions
/// and lost answers. What is behind it is not simulated here.
class plain_authority final : public simulated_authority {
public:
  plain_authority(world& in, replication::view genesis, const authority_manners& manners, std::uint64_t seed,
                  deliver answer);

  void ask(const asker& who, const replication::authority_question& question) override;
  void cut_off(std::size_t index) override { away_.push_back(index); }
  void mend() override { away_.clear(); }
  void calm() override { manners_ = {.delay_max = std::chrono::milliseconds{1}, .fences = manners_.fences}; }

private:
  [[nodiscard]] bool is_lost(std::size_t from);
  [[nodiscard]] duration delay();
  void decide(const asker& who, const replication::authority_question& question);
  void reply(const asker& who, replication::authority_answer answer);
  [[nodiscard]] replication::authority_answer answer_to(const asker& who, const replication::authority_read& read);
  [[nodiscard]] replication::authority_answer answer_to(const asker& who, const replication::authority_cas& cas);
  [[nodiscard]] replication::authority_answer answer_to(const asker& who, const replication::authority_renew& renewal);
  [[nodiscard]] replication::authority_answer answer_to(const asker& who, const replication::authority_quiet& quiet);

  world& world_;
  authority_manners manners_;
  detail::random random_;
  deliver answer_;
  std::map<std::pair<replication::replica_id, std::uint64_t>, time_point> last_yes_;  // to whom, of which epoch
  std::map<std::uint64_t, replication::question_id> fenced_up_to_;                    // by process
  std::vector<std::size_t> away_;
};

}  // namespace artillery::sim

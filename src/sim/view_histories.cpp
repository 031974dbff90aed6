#include "sim/view_histories.hpp"

#include "sim/chain_checks.hpp"
#include "sim/linearizability.hpp"
#include "sim/session_checks.hpp"

namespace artillery::sim {
namespace {

constexpr std::uint64_t order_steps_max = 200'000;

}  // namespace

std::optional<std::string> check_view_histories(const view_observer& observer, const history& seen,
                                                std::size_t searched, chain_figures& figures) {
  journal committed;
  if (auto fault = observer.check_versions()) return fault;
  if (auto fault = observer.committed_log(committed)) return fault;
  if (auto fault = check_applied_once(committed)) return fault;
  if (auto fault = observer.check_eventual_reads(seen)) return fault;
  if (auto fault = check_sessions(seen, committed)) return fault;
  history lasting = seen;
  std::erase_if(lasting,
                [](const history_operation& op) { return !op.is_write() && op.level == replication::eventual; });
  if (auto fault = check_against_log(lasting, committed)) return fault;
  if (auto fault = check_monotone_reads(lasting)) return fault;
  for (std::size_t key = 0; key < searched; ++key) {
    const std::string name(1, static_cast<char>('a' + key));
    switch (search_order(lasting, name, order_steps_max)) {
      case search_result::ok: ++figures.orders_searched; break;
      case search_result::gave_up: ++figures.searches_given_up; break;
      case search_result::violated: return "no order explains the operations on '" + name + "'";
    }
  }
  return std::nullopt;
}

}  // namespace artillery::sim

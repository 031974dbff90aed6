#include "replication/authority_calls.hpp"

#include <utility>
#include <variant>

namespace artillery::replication {
namespace {

void put(authority& decides, const replica_id& /*who*/, const authority_read& asked, authority_told told) {
  decides.read([id = asked.id, told = std::move(told)](std::error_code error, const chosen_view& newest, bool fences) {
    if (error == errc::invalid_configuration) return told(error, {});
    if (!error) told({}, authority_view{.id = id, .newest = newest, .fences = fences});
  });
}

void put(authority& decides, const replica_id& /*who*/, const authority_cas& asked, authority_told told) {
  decides.compare_and_swap(
      asked.expected, asked.next,
      [id = asked.id, told = std::move(told)](std::error_code error, const chosen_view& now) {
        using outcome = authority_cas_done::outcome;
        const bool is_refused = error == errc::stale_epoch;
        if (error && !is_refused) return told({}, authority_cas_done{.id = id, .what = outcome::unknown, .now = {}});
        told({}, authority_cas_done{.id = id, .what = is_refused ? outcome::refused : outcome::chosen, .now = now});
      });
}

void put(authority& decides, const replica_id& who, const authority_renew& asked, authority_told told) {
  decides.renew(who, asked.epoch, [id = asked.id, told = std::move(told)](std::error_code error) {
    const bool is_told = !error || error == errc::stale_epoch || error == errc::not_serving;
    if (is_told) told({}, authority_renewed{.id = id, .yes = !error});
  });
}

void put(authority& decides, const replica_id& /*who*/, const authority_quiet& asked, authority_told told) {
  decides.quiet(asked.epoch, asked.chosen_in, asked.quiet, asked.whom,
                [id = asked.id, told = std::move(told)](std::error_code error, bool is_quiet) {
                  told({}, authority_quieted{.id = id, .yes = !error && is_quiet});
                });
}

}  // namespace

void put_question(authority& decides, const replica_id& who, const authority_question& question, authority_told told) {
  std::visit([&](const auto& asked) { put(decides, who, asked, std::move(told)); }, question);
}

}  // namespace artillery::replication

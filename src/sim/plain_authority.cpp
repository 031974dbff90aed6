#include "sim/plain_authority.hpp"

#include <algorithm>
#include <utility>

#include "replication/next_view.hpp"

namespace artillery::sim {

using namespace replication;

plain_authority::plain_authority(world& in, view genesis, const authority_manners& manners, std::uint64_t seed,
                                 deliver answer)
    : simulated_authority{std::move(genesis)},
      world_{in},
      manners_{manners},
      random_{seed},
      answer_{std::move(answer)} {}

bool plain_authority::is_lost(std::size_t from) {
  const bool drawn = random_.chance(manners_.lost, 1000);
  return drawn || std::find(away_.begin(), away_.end(), from) != away_.end();
}

duration plain_authority::delay() {
  const auto longest = static_cast<std::uint64_t>(manners_.delay_max.count());
  // Mostly quick, now and then as slow as can be.
  const std::uint64_t bound = random_.chance(1, 4) ? longest : longest / 8 + 1;
  return duration{static_cast<duration::rep>(random_.below(bound + 1))};
}

void plain_authority::ask(const asker& who, const authority_question& question) {
  if (is_lost(who.at)) return;
  world_.schedule(world_.now() + delay(), [this, who, question] { decide(who, question); });
}

void plain_authority::decide(const asker& who, const authority_question& question) {
  std::optional<authority_answer> answer;
  if (const auto* cas = std::get_if<authority_cas>(&question); cas && cas->id < fenced_up_to_[who.process]) return;
  std::visit([&](const auto& asked) { answer = answer_to(who, asked); }, question);
  if (is_lost(who.at)) return;
  reply(who, std::move(*answer));
}

void plain_authority::reply(const asker& who, authority_answer answer) {
  world_.schedule(world_.now() + delay(), [this, who, told = std::move(answer)] { answer_(who, told); });
}

authority_answer plain_authority::answer_to(const asker& who, const authority_read& read) {
  if (manners_.fences) {
    question_id& fenced = fenced_up_to_[who.process];
    fenced = std::max(fenced, read.id);
  }
  return authority_view{.id = read.id, .newest = {newest(), {}}, .fences = manners_.fences};
}

authority_answer plain_authority::answer_to(const asker& /*who*/, const authority_cas& cas) {
  using fate = authority_cas_done::outcome;
  authority_cas_done done{.id = cas.id, .what = fate::refused, .now = {}};
  if (newest().epoch == cas.expected) {
    choose(cas.next);
    world_.note("view", cas.next.epoch);
    done.what = fate::chosen;
  }
  if (random_.chance(manners_.unknown, 1000)) {
    done.what = fate::unknown;
    return done;
  }
  done.now = chosen_view{newest(), {}};
  return done;
}

authority_answer plain_authority::answer_to(const asker& who, const authority_renew& renewal) {
  const bool yes = newest().epoch == renewal.epoch && is_replica(newest(), who.who);
  if (yes) last_yes_[{who.who, renewal.epoch}] = world_.now();
  return authority_renewed{.id = renewal.id, .yes = yes};
}

authority_answer plain_authority::answer_to(const asker& /*who*/, const authority_quiet& quiet) {
  bool yes = manners_.tells_quiet;
  for (const auto& [said, at] : last_yes_) {
    const auto& [to, epoch] = said;
    const bool is_asked_for =
        quiet.whom.empty() || std::find(quiet.whom.begin(), quiet.whom.end(), to) != quiet.whom.end();
    if (is_asked_for && epoch < quiet.epoch && world_.now() - at < quiet.quiet) yes = false;
  }
  return authority_quieted{.id = quiet.id, .yes = yes};
}

}  // namespace artillery::sim

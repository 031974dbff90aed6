#include "node/chain_bootstrap.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace artillery::detail {

namespace {

bool on(const chain_list& list, std::uint64_t incarnation) {
  return std::find(list.begin(), list.end(), incarnation) != list.end();
}

std::string_view value_of(const membership::tag_map& tags, std::string_view key) {
  const auto found = tags.find(std::string{key});
  return found == tags.end() ? std::string_view{} : std::string_view{found->second};
}

std::string short_names(const std::vector<node_id>& ids) {
  std::string text;
  for (const node_id& id : ids) text += (text.empty() ? "" : ", ") + to_short_string(id);
  return text;
}

std::string explain(chain_conflict::reason why, const std::vector<node_id>& nodes) {
  const std::string who = short_names(nodes);
  switch (why) {
    case chain_conflict::reason::contradiction:
      return "the nodes " + who +
             " have confirmed lists of replicas that exclude each other, so that a chain can be founded with none of "
             "them; stop all of these nodes and start them again";
    case chain_conflict::reason::member_lost:
      return "the nodes " + who +
             " have confirmed a list of replicas on which a node is missing that did not confirm it before it went; if "
             "it does not come back from a broken network, stop all of these nodes and start them again";
    case chain_conflict::reason::two_chains:
      return "there are two chains, because their nodes did not see each other when they were founded, or one was "
             "forced to take the place of the other, of which somebody is still there: " +
             who +
             "; keep the one whose data is wanted, stop the nodes of the other, and start them again with no directory "
             "or an empty one";
    case chain_conflict::reason::other_genesis: break;  // the register's to find out
  }
  return {};
}

}  // namespace

chain_bootstrap::chain_bootstrap(bootstrap_config config) : config_{std::move(config)} {
  learn({});
}

void chain_bootstrap::observe(const std::vector<membership::member>& others, time_point now) {
  learn(others);
  decide(now);
}

void chain_bootstrap::expire(time_point now) {
  if (deadline_ && now >= *deadline_) decide(now);
}

void chain_bootstrap::belong(std::uint64_t genesis, time_point now) {
  if (own_ == 0) replace(genesis, now);
}

void chain_bootstrap::replace(std::uint64_t genesis, time_point now) {
  own_ = genesis;
  refresh_self();
  decide(now);
}

void chain_bootstrap::reached(time_point now) {
  if (!hearsay()) return;
  reached_ = true;
  decide(now);
}

membership::tag_map chain_bootstrap::tags() const {
  // Whoever uses a chain that others have is no candidate for another one: the data is in that.
  if (config_.expect == 0 || (found_ != 0 && reached_ && confirmed_.empty())) return {};
  membership::tag_map tags;
  tags.emplace(node_config::replica_tag, to_string(replica_tag{config_.self.at, config_.self.id.incarnation,
                                                               config_.expect, config_.voter_port}));
  if (own_ != 0) {
    tags.emplace(node_config::chain_tag, to_string(chain_tag{{}, own_}));
  } else if (!confirmed_.empty()) {
    tags.emplace(node_config::chain_tag, to_string(chain_tag{confirmed_, 0}));
  }
  return tags;
}

std::optional<std::uint64_t> chain_bootstrap::chain() const noexcept {
  if (own_ != 0) return own_;
  return found_ != 0 ? std::optional{found_} : std::nullopt;
}

chain_state chain_bootstrap::state() const noexcept {
  if (config_.expect == 1 || own_ != 0 || (found_ != 0 && reached_)) return chain_state::formed;
  if (conflict_) return chain_state::conflict;
  return confirmed_.empty() ? chain_state::waiting : chain_state::confirming;
}

// ---- what is known --------------------------------------------------------------------------------------------------

void chain_bootstrap::learn(const std::vector<membership::member>& others) {
  lives_.clear();
  malformed_ = 0;
  for (const membership::member& other : others) {
    if (other.id != config_.self.id.node) learn_one(other);
  }
  if (config_.expect != 0) lives_.push_back({config_.self, config_.voter_port, config_.expect, {}, 0, true});
  drop_ambiguous_lives();
  std::sort(lives_.begin(), lives_.end(), [](const life& a, const life& b) { return a.who.id.node < b.who.id.node; });
  refresh_self();
}

void chain_bootstrap::learn_one(const membership::member& other) {
  const std::string_view replica = value_of(other.tags, node_config::replica_tag);
  if (replica.empty()) return;  // a client, or one that does not take part
  const std::string_view chain = value_of(other.tags, node_config::chain_tag);
  const auto tag = parse_replica_tag(replica);
  const auto said = parse_chain_tag(chain);
  // What a life confirms has itself on it; anything else is a forgery or a bug, and nothing to build on.
  const bool speaks_for_others = said && said->genesis == 0 && !on(said->list, tag ? tag->incarnation : 0);
  if (!tag || (!chain.empty() && !said) || speaks_for_others) {
    ++malformed_;
    return;
  }
  const bool present =
      other.state == membership::member_state::alive || other.state == membership::member_state::suspect;
  life one{{{other.id, tag->incarnation}, tag->at}, tag->voter_port, tag->expect, {}, 0, present};
  if (said) {
    one.confirmed = said->list;
    one.genesis = said->genesis;
  }
  lives_.push_back(std::move(one));
}

/// Two nodes of one incarnation: a list could mean either of them. By chance this never happens.
void chain_bootstrap::drop_ambiguous_lives() {
  std::vector<std::uint64_t> seen;
  for (const life& one : lives_) seen.push_back(one.incarnation());
  std::sort(seen.begin(), seen.end());
  const std::size_t before = lives_.size();
  std::erase_if(lives_, [&](const life& one) {
    const auto [first, last] = std::equal_range(seen.begin(), seen.end(), one.incarnation());
    return last - first > 1 && one.who.id != config_.self.id;
  });
  malformed_ += before - lives_.size();
}

void chain_bootstrap::refresh_self() {
  for (life& one : lives_) {
    if (one.who.id != config_.self.id) continue;
    one.confirmed = own_ == 0 ? confirmed_ : chain_list{};
    one.genesis = own_;
  }
}

const chain_bootstrap::life* chain_bootstrap::find(std::uint64_t incarnation) const noexcept {
  const auto found =
      std::find_if(lives_.begin(), lives_.end(), [&](const life& one) { return one.incarnation() == incarnation; });
  return found == lives_.end() ? nullptr : &*found;
}

/// Whether a life is of those with which this node could be in a chain, or of whose chain it could be a client.
bool chain_bootstrap::relevant(const life& one) const noexcept {
  return one.expect > 1 && (config_.expect == 0 || config_.expect == one.expect);
}

/// The geneses of those who are present, each once, ascending.
std::vector<std::uint64_t> chain_bootstrap::chains() const {
  std::vector<std::uint64_t> all;
  for (const life& one : lives_) {
    if (relevant(one) && one.present && one.genesis != 0) all.push_back(one.genesis);
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

/// What anybody has confirmed, each list once, ascending.
std::vector<chain_list> chain_bootstrap::lists() const {
  std::vector<chain_list> all;
  for (const life& one : lives_) {
    if (relevant(one) && one.confirmed.size() == one.expect) all.push_back(one.confirmed);
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

bool chain_bootstrap::held_by_present(const chain_list& list) const {
  return std::any_of(lives_.begin(), lives_.end(),
                     [&](const life& one) { return one.present && one.confirmed == list; });
}

// ---- the rules ------------------------------------------------------------------------------------------------------

void chain_bootstrap::decide(time_point now) {
  deadline_.reset();
  remark_.clear();
  if (config_.expect == 1) return;
  find_chain();
  if (!chain() && confirmed_.empty() && config_.expect > 1) {
    consider_proposals();
    if (confirmed_.empty()) consider_proposing(now);
  }
  find_founders();
  if (own_ != 0 || (found_ != 0 && reached_))
    remark_.clear();
  else if (found_ != 0)
    remark_ = "found a chain; waiting for one of its replicas to answer";
  else if (!founders_.empty())
    remark_ = "founding the chain; waiting for the votes of all its nodes";
  else if (!confirmed_.empty())
    remark_ = missing_confirmations();
  else if (remark_.empty())
    remark_ = "waiting for others to form a chain";
  judge(now);
}

/// Goes by the node's own chain for ever; by another one as long as somebody of it is there, and longer once it was
/// reached, until there is but one other.
void chain_bootstrap::find_chain() {
  if (own_ != 0) {
    found_ = 0;
  } else {
    const std::vector<std::uint64_t> all = chains();
    const bool is_there = std::find(all.begin(), all.end(), found_) != all.end();
    if (!is_there && all.size() == 1) {
      found_ = all.front();
      reached_ = false;
    } else if (!is_there && !reached_) {
      found_ = 0;
    }
  }
  reachable_.clear();
  for (const life& one : lives_) {
    if (one.present && one.genesis != 0 && one.genesis == chain()) reachable_.push_back(one.who);
  }
}

void chain_bootstrap::find_founders() {
  founders_.clear();
  if (own_ != 0 || confirmed_.empty()) return;
  const bool all_confirmed = std::all_of(confirmed_.begin(), confirmed_.end(), [this](std::uint64_t incarnation) {
    const life* one = find(incarnation);
    return one != nullptr && one->confirmed == confirmed_;
  });
  if (all_confirmed) founders_ = confirmed_who_;
}

void chain_bootstrap::confirm(const chain_list& list) {
  confirmed_ = list;
  confirmed_who_.clear();
  for (const std::uint64_t incarnation : list) {
    const life& one = *find(incarnation);
    confirmed_who_.push_back({one.who, one.who.at.with_port(one.voter_port)});
  }
  refresh_self();
}

bool chain_bootstrap::can_confirm(const chain_list& list) const {
  if (list.size() != config_.expect || !on(list, config_.self.id.incarnation)) return false;
  node_id last;
  for (const std::uint64_t incarnation : list) {
    const life* one = find(incarnation);
    if (one == nullptr || !one->present || one->expect != config_.expect || one->who.id.node <= last) return false;
    if (one->genesis != 0 || (!one->confirmed.empty() && one->confirmed != list)) return false;
    last = one->who.id.node;
  }
  return true;
}

void chain_bootstrap::consider_proposals() {
  for (const chain_list& list : lists()) {
    if (!can_confirm(list)) continue;
    confirm(list);
    return;
  }
}

std::vector<const chain_bootstrap::life*> chain_bootstrap::candidates() const {
  std::vector<const life*> found;
  for (const life& one : lives_) {
    if (one.present && one.expect == config_.expect) found.push_back(&one);
  }
  return found;
}

void chain_bootstrap::consider_proposing(time_point now) {
  const std::vector<const life*> known = candidates();
  std::vector<replication::replica_id> ids;
  for (const life* one : known) ids.push_back(one->who.id);
  if (ids != last_candidates_) {
    last_candidates_ = std::move(ids);
    stable_since_ = now;
  }
  const auto is_taken = [](const life* one) { return !one->confirmed.empty() || one->genesis != 0; };
  if (std::any_of(known.begin(), known.end(), is_taken)) {
    remark_ = "waiting for a chain that others are forming";
    return;
  }
  if (known.size() < config_.expect) {
    remark_ = "waiting for " + std::to_string(config_.expect - known.size()) +
              " more: " + std::to_string(known.size()) + " of the expected " + std::to_string(config_.expect) +
              " nodes are known";
    return;
  }
  if (known.front()->who.id != config_.self.id) {
    remark_ = "waiting for " + to_short_string(known.front()->who.id.node) + ", which has the lowest id, to propose";
    return;
  }
  if (now < stable_since_ + config_.settle) {
    remark_ = "enough nodes are known; waiting for more to show up";
    wake_at(stable_since_ + config_.settle);
    return;
  }
  chain_list list;
  for (std::size_t i = 0; i < config_.expect; ++i) list.push_back(known[i]->incarnation());
  confirm(list);
}

void chain_bootstrap::wake_at(time_point when) {
  deadline_ = deadline_ ? std::min(*deadline_, when) : when;
}

// ---- when it does not come to a chain -------------------------------------------------------------------------------

void chain_bootstrap::judge(time_point now) {
  const auto found = find_conflict();
  if (found != supposed_conflict_) {
    supposed_conflict_ = found;
    supposed_since_ = now;
  }
  if (!found) {
    conflict_.reset();
  } else if (now >= supposed_since_ + config_.settle) {
    conflict_ = found;
  } else {
    wake_at(supposed_since_ + config_.settle);  // a confirmation may be on its way that makes all well
  }
  if (state() == chain_state::conflict) remark_ = conflict_->explanation;
}

template <class Predicate>
std::vector<node_id> chain_bootstrap::present_nodes(Predicate of) const {
  std::vector<node_id> ids;
  for (const life& one : lives_) {
    if (one.present && relevant(one) && of(one)) ids.push_back(one.who.id.node);
  }
  return ids;
}

std::optional<chain_conflict> chain_bootstrap::find_conflict() const {
  if (chains().size() > 1) {
    constexpr auto why = chain_conflict::reason::two_chains;
    std::vector<node_id> nodes = present_nodes([](const life& one) { return one.genesis != 0; });
    std::string explanation = explain(why, nodes);
    return chain_conflict{why, std::move(nodes), std::move(explanation)};
  }
  if (chain()) return std::nullopt;
  return find_conflict_of_lists();
}

std::optional<chain_conflict> chain_bootstrap::find_conflict_of_lists() const {
  std::vector<chain_list> held = lists();
  std::erase_if(held, [this](const chain_list& list) { return !held_by_present(list); });
  if (held.empty()) return std::nullopt;
  auto why = chain_conflict::reason::member_lost;
  for (const chain_list& list : held) {
    const auto dead = why_dead(list);
    if (!dead) return std::nullopt;  // this one may still get there
    if (*dead == chain_conflict::reason::contradiction) why = *dead;
  }
  std::vector<node_id> nodes =
      present_nodes([&](const life& one) { return std::find(held.begin(), held.end(), one.confirmed) != held.end(); });
  std::string explanation = explain(why, nodes);
  return chain_conflict{why, std::move(nodes), std::move(explanation)};
}

/// Why a chain cannot be founded with a list, as far as one can see; nothing when it can.
std::optional<chain_conflict::reason> chain_bootstrap::why_dead(const chain_list& list) const {
  std::optional<chain_conflict::reason> why;
  for (const std::uint64_t incarnation : list) {
    const life* one = find(incarnation);
    // All must vote for it: who is gone before the chain is founded is missed, whatever it confirmed.
    if (one == nullptr || !one->present)
      why = chain_conflict::reason::member_lost;
    else if (!one->confirmed.empty() && one->confirmed != list)
      return chain_conflict::reason::contradiction;
  }
  return why;
}

std::string chain_bootstrap::missing_confirmations() const {
  std::vector<node_id> missing;
  for (const founder& each : confirmed_who_) {
    const life* one = find(each.replica.id.incarnation);
    if (one == nullptr || one->confirmed != confirmed_) missing.push_back(each.replica.id.node);
  }
  return "waiting for confirmation by " + short_names(missing);
}

}  // namespace artillery::detail

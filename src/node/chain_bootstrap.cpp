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
             " have confirmed lists of replicas that exclude each other, so that none of them can be in force; stop "
             "all "
             "of these nodes and start them again";
    case chain_conflict::reason::member_lost:
      return "the nodes " + who +
             " have confirmed a list of replicas on which a node is missing that did not confirm it before it went; if "
             "it does not come back from a broken network, stop all of these nodes and start them again";
    case chain_conflict::reason::two_chains:
      return "two chains are in force, because their nodes did not see each other when they formed them: " + who +
             "; keep the one whose data is wanted, and stop the nodes of the other and start them again";
  }
  return {};
}

}  // namespace

chain_bootstrap::chain_bootstrap(bootstrap_config config) : config_{std::move(config)} {
  learn({});
  if (config_.expect == 1) {
    confirm({config_.self.id.incarnation});
    use(confirmed_);
  }
}

void chain_bootstrap::observe(const std::vector<membership::member>& others, time_point now) {
  learn(others);
  decide(now);
}

void chain_bootstrap::expire(time_point now) {
  if (deadline_ && now >= *deadline_) decide(now);
}

void chain_bootstrap::reached(time_point now) {
  if (!hearsay()) return;
  reached_ = true;
  decide(now);
}

membership::tag_map chain_bootstrap::tags() const {
  // Whoever uses a chain that others formed is no candidate for another one: the data is in that.
  const bool client = view_ && here() == replication::role::none && reached_;
  if (config_.expect == 0 || (client && confirmed_.empty())) return {};
  membership::tag_map tags;
  tags.emplace(node_config::replica_tag,
               to_string(replica_tag{config_.self.at, config_.self.id.incarnation, config_.expect}));
  if (confirmed_.size() > 1) {
    const bool formed = here() != replication::role::none;
    tags.emplace(node_config::chain_tag, to_string(chain_tag{confirmed_, formed}));
  }
  return tags;
}

replication::role chain_bootstrap::here() const noexcept {
  using replication::role;
  if (current_.empty() || current_ != confirmed_) return role::none;
  if (current_.size() == 1) return role::single;
  if (current_.front() == config_.self.id.incarnation) return role::head;
  return current_.back() == config_.self.id.incarnation ? role::tail : role::middle;
}

chain_state chain_bootstrap::state() const noexcept {
  if (view_ && !hearsay()) return chain_state::formed;
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
  if (config_.expect != 0) lives_.push_back({config_.self, config_.expect, {}, false, true});
  drop_ambiguous_lives();
  std::sort(lives_.begin(), lives_.end(), [](const life& a, const life& b) { return a.who.id.node < b.who.id.node; });
  refresh_self();
}

void chain_bootstrap::learn_one(const membership::member& other) {
  const std::string_view replica = value_of(other.tags, node_config::replica_tag);
  if (replica.empty()) return;  // a client, or one that does not take part
  const std::string_view chain = value_of(other.tags, node_config::chain_tag);
  const auto tag = parse_replica_tag(replica);
  const auto confirmed = parse_chain_tag(chain);
  // What a life confirms has itself on it; anything else is a forgery or a bug, and nothing to build on.
  if (!tag || (!chain.empty() && (!confirmed || !on(confirmed->list, tag->incarnation)))) {
    ++malformed_;
    return;
  }
  const bool present =
      other.state == membership::member_state::alive || other.state == membership::member_state::suspect;
  life one{{{other.id, tag->incarnation}, tag->at}, tag->expect, {}, false, present};
  if (confirmed) {
    one.confirmed = confirmed->list;
    one.formed = confirmed->formed;
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
    one.confirmed = confirmed_;
    one.formed = here() != replication::role::none;
  }
}

const chain_bootstrap::life* chain_bootstrap::find(std::uint64_t incarnation) const noexcept {
  const auto found =
      std::find_if(lives_.begin(), lives_.end(), [&](const life& one) { return one.incarnation() == incarnation; });
  return found == lives_.end() ? nullptr : &*found;
}

/// Whether what a life has confirmed is about a chain that this node could be a replica or a client of.
bool chain_bootstrap::relevant(const life& one) const noexcept {
  return one.confirmed.size() > 1 && one.confirmed.size() == one.expect &&
         (config_.expect == 0 || config_.expect == one.expect);
}

/// What anybody has confirmed, each list once, ascending.
std::vector<chain_list> chain_bootstrap::lists() const {
  std::vector<chain_list> all;
  for (const life& one : lives_) {
    if (relevant(one)) all.push_back(one.confirmed);
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

bool chain_bootstrap::in_force(const chain_list& list) const {
  const bool told =
      std::any_of(lives_.begin(), lives_.end(), [&](const life& one) { return one.formed && one.confirmed == list; });
  return told || std::all_of(list.begin(), list.end(), [&](std::uint64_t incarnation) {
           const life* one = find(incarnation);
           return one != nullptr && one->confirmed == list;
         });
}

bool chain_bootstrap::held_by_present(const chain_list& list) const {
  return std::any_of(lives_.begin(), lives_.end(),
                     [&](const life& one) { return one.present && one.confirmed == list; });
}

// ---- the rules ------------------------------------------------------------------------------------------------------

void chain_bootstrap::decide(time_point now) {
  deadline_.reset();
  remark_.clear();
  adopt();
  if (!view_ && confirmed_.empty() && config_.expect > 1) {
    consider_proposals();
    if (confirmed_.empty()) consider_proposing(now);
    adopt();
  }
  if (hearsay())
    remark_ = "found a chain; waiting for one of its replicas to answer";
  else if (view_)
    remark_.clear();
  else if (!confirmed_.empty())
    remark_ = missing_confirmations();
  else if (remark_.empty())
    remark_ = "waiting for others to form a chain";
  judge(now);
}

void chain_bootstrap::confirm(const chain_list& list) {
  confirmed_ = list;
  confirmed_who_.clear();
  for (const std::uint64_t incarnation : list) confirmed_who_.push_back(find(incarnation)->who);
  refresh_self();
}

/// Goes by a list that is in force: by this node's own for ever, by another one as long as one of its replicas is
/// there.
void chain_bootstrap::adopt() {
  if (here() != replication::role::none) return use(current_);
  const std::vector<chain_list> found = usable();
  const auto is_found = [&](const chain_list& list) {
    return std::find(found.begin(), found.end(), list) != found.end();
  };
  if (!confirmed_.empty() && is_found(confirmed_)) {
    use(confirmed_);
  } else if (is_found(current_)) {
    use(current_);
  } else if (found.size() == 1) {
    use(found.front());
  } else if (!current_.empty()) {
    reachable_.clear();
    if (reached_) return;
    current_.clear();
    view_.reset();
  }
}

void chain_bootstrap::use(const chain_list& list) {
  if (list != current_) reached_ = false;
  current_ = list;
  refresh_self();
  view_ = make_view(list);
  reachable_.clear();
  for (const std::uint64_t incarnation : list) {
    const life* one = find(incarnation);
    if (one != nullptr && one->present) reachable_.push_back(one->who.at);
  }
}

/// Lists in force that somebody present holds, this node included.
std::vector<chain_list> chain_bootstrap::usable() const {
  std::vector<chain_list> found = lists();
  std::erase_if(found, [&](const chain_list& list) { return !in_force(list) || !held_by_present(list); });
  return found;
}

bool chain_bootstrap::can_confirm(const chain_list& list) const {
  if (list.size() != config_.expect || !on(list, config_.self.id.incarnation)) return false;
  node_id last;
  for (const std::uint64_t incarnation : list) {
    const life* one = find(incarnation);
    if (one == nullptr || !one->present || one->expect != config_.expect || one->who.id.node <= last) return false;
    if (!one->confirmed.empty() && one->confirmed != list) return false;
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
  if (std::any_of(known.begin(), known.end(), [](const life* one) { return !one->confirmed.empty(); })) {
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

replication::view chain_bootstrap::make_view(const chain_list& list) const {
  replication::view made;
  made.chain = config_.chain;
  made.epoch = 1;
  if (list == confirmed_) {
    made.replicas = confirmed_who_;
  } else {
    for (const std::uint64_t incarnation : list) {
      const life* one = find(incarnation);
      made.replicas.push_back(one != nullptr ? one->who : replication::member{{{}, incarnation}, {}});
    }
  }
  for (const replication::member& replica : made.replicas) made.readers.push_back(replica.id);
  return made;
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

std::optional<chain_conflict> chain_bootstrap::find_conflict() const {
  if (config_.expect == 1) return std::nullopt;
  const auto conflict = [this](chain_conflict::reason why, const std::vector<chain_list>& among) {
    std::vector<node_id> nodes = holders(among);
    std::string explanation = explain(why, nodes);
    return chain_conflict{why, std::move(nodes), std::move(explanation)};
  };
  const std::vector<chain_list> in_use = usable();
  if (in_use.size() > 1) return conflict(chain_conflict::reason::two_chains, in_use);
  if (view_ || !in_use.empty()) return std::nullopt;

  std::vector<chain_list> held = lists();
  std::erase_if(held, [this](const chain_list& list) { return !held_by_present(list); });
  if (held.empty()) return std::nullopt;
  auto why = chain_conflict::reason::member_lost;
  for (const chain_list& list : held) {
    const auto dead = why_dead(list);
    if (!dead) return std::nullopt;  // this one may still get there
    if (*dead == chain_conflict::reason::contradiction) why = *dead;
  }
  return conflict(why, held);
}

/// Why a list that is not in force cannot come into force, as far as one can see; nothing when it can.
std::optional<chain_conflict::reason> chain_bootstrap::why_dead(const chain_list& list) const {
  std::optional<chain_conflict::reason> why;
  for (const std::uint64_t incarnation : list) {
    const life* one = find(incarnation);
    if (one != nullptr && one->confirmed == list) continue;
    if (one != nullptr && !one->confirmed.empty()) return chain_conflict::reason::contradiction;
    if (one == nullptr || !one->present) why = chain_conflict::reason::member_lost;
  }
  return why;
}

/// The present nodes that have confirmed one of these lists.
std::vector<node_id> chain_bootstrap::holders(const std::vector<chain_list>& of) const {
  std::vector<node_id> ids;
  for (const life& one : lives_) {
    if (one.present && std::find(of.begin(), of.end(), one.confirmed) != of.end()) ids.push_back(one.who.id.node);
  }
  return ids;
}

std::string chain_bootstrap::missing_confirmations() const {
  std::vector<node_id> missing;
  for (const replication::member& replica : confirmed_who_) {
    const life* one = find(replica.id.incarnation);
    if (one == nullptr || one->confirmed != confirmed_) missing.push_back(replica.id.node);
  }
  return "waiting for confirmation by " + short_names(missing);
}

}  // namespace artillery::detail

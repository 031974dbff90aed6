#include "scenarios/membership_words.hpp"

#include <array>

#include "artillery/membership/types.hpp"

namespace artillery::scenarios {

using namespace membership;

namespace {

const described unreadable{"unreadable", "(unreadable)"};

/// Every node begins at boot 1 and incarnation 0: only what is later is worth a word.
std::string life_text(std::uint64_t boot, std::uint64_t incarnation) {
  std::string text = boot == 1 ? "" : "boot " + std::to_string(boot);
  if (incarnation == 0) return text;
  if (!text.empty()) text += ", ";
  return text + "incarnation " + std::to_string(incarnation);
}

std::string in_brackets(const std::string& text) {
  return text.empty() ? "" : " (" + text + ")";
}

std::string life_of(const member& who) {
  return in_brackets(life_text(who.boot, who.incarnation));
}

std::string event_place(std::uint64_t sequence, const std::string& origin) {
  return "event " + std::to_string(sequence) + " of " + origin;
}

read_message read_whole(const utterance& what) {
  const std::uint32_t cluster = detail::cluster_tag(config{}.cluster);
  return what.on_stream ? read_frame(what.message, cluster, what.first) : read_datagram(what.message, cluster);
}

}  // namespace

std::string tags_text(const tag_map& tags) {
  std::string text;
  for (const auto& [key, value] : tags) text += (text.empty() ? "" : " ") + key + ":" + value;
  return text;
}

std::string membership_words::name_of(const node_id& id) const {
  const auto found = full_names_.find(id);
  return found == full_names_.end() ? to_short_string(id) : found->second;
}

std::string membership_words::name_of(short_name name) const {
  const auto found = short_names_.find(name.value);
  return found == short_names_.end() ? "?" : found->second;
}

std::string membership_words::claim_text(const claim& what) const {
  std::string life = life_text(what.boot, what.incarnation);
  if (what.state == member_state::suspect) life += (life.empty() ? "says " : ", says ") + name_of(what.accuser);
  return name_of(what.about) + " " + std::string{to_string(what.state)} + in_brackets(life);
}

std::string membership_words::list_of(const view_summary& what) const {
  std::string text;
  for (const view_entry& entry : what.entries) text += " " + name_of(entry.name);
  return text;
}

std::string membership_words::list_of(const event_summary& what) const {
  std::string text;
  for (const event_entry& entry : what.entries) {
    text += (text.empty() ? " " : ", ") + name_of(entry.origin) + " up to " + std::to_string(entry.base);
  }
  return text.empty() ? " nothing" : text;
}

std::string membership_words::list_of(const push_pull& what) const {
  std::string text;
  for (const push_pull_entry& entry : what.entries) text += (text.empty() ? " " : ", ") + claim_text(entry.claim);
  return text;
}

described membership_words::describe_body(const message_body& body) const {
  if (std::holds_alternative<ping>(body)) return {"ping", "ping"};
  if (std::holds_alternative<ack>(body)) return {"ack", "ack"};
  if (const auto* m = std::get_if<ping_request>(&body)) {
    return {"ping_request",
            "ping_request for " + name_of(m->target) + ", " + std::to_string(m->left_ms) + " ms of patience left"};
  }
  if (std::holds_alternative<nack>(body)) return {"nack", "nack"};
  if (std::holds_alternative<stranger>(body)) return {"stranger", "stranger: that one is not here"};
  if (std::holds_alternative<gossip>(body)) return {"gossip", "gossip"};
  if (std::holds_alternative<announce>(body)) return {"announce", "announce"};
  if (const auto* m = std::get_if<view_summary>(&body)) {
    if (m->step == repair_step::claims) return {"view_summary", "what differs"};
    const bool answers = m->step == repair_step::answer;
    return {"view_summary", (answers ? "view_summary, an answer: I know" : "view_summary: I know") + list_of(*m)};
  }
  if (const auto* m = std::get_if<event_summary>(&body)) {
    // What lists one origin only asks for what is missing of it.
    const std::string purpose = !m->complete ? "event_summary, what else is there? I have"
                                : m->answer  ? "event_summary, an answer: I have"
                                             : "event_summary: I have";
    return {"event_summary", purpose + list_of(*m)};
  }
  if (const auto* m = std::get_if<direct>(&body)) {
    return {"direct", "message " + std::to_string(m->number) + ", " + m->topic + " " + payload_text(m->payload)};
  }
  if (const auto* m = std::get_if<reply>(&body)) {
    const std::string question = " question " + std::to_string(m->question);
    return {"reply", m->answers ? "reply to" + question + " " + payload_text(m->payload) : "reply: I have" + question};
  }
  if (const auto* m = std::get_if<reply_receipt>(&body)) {
    return {"reply_receipt", "receipt of the reply to question " + std::to_string(m->question)};
  }
  if (const auto* m = std::get_if<event_request>(&body)) {
    return {"event_request", "event_request for " + event_place(m->number, name_of(m->origin))};
  }
  if (const auto* m = std::get_if<event_reply>(&body)) {
    return {"event_reply", m->found ? "event_reply" : "event_reply: not here"};
  }
  if (const auto* m = std::get_if<receipt>(&body)) {
    return {"receipt", "receipt of message " + std::to_string(m->number) + ": " + std::string{to_string(m->verdict)}};
  }
  const auto& m = std::get<push_pull>(body);
  const std::string purpose = m.answer ? "push_pull, an answer:" : m.joining ? "push_pull to join:" : "push_pull:";
  return {"push_pull", purpose + list_of(m)};
}

void membership_words::learn_names(const utterance& what) {
  const read_message read = read_whole(what);
  if (read.error) return;
  const auto learn = [this](const claim& told) {
    if (told.facts && !full_names_.contains(told.about)) name_node(told.about, told.facts->name);
  };
  for (const claim& each : read.value.items.claims) learn(each);
  const auto* all = std::get_if<push_pull>(&read.value.body);
  if (all == nullptr) return;
  for (const push_pull_entry& each : all->entries) learn(each.claim);
}

/// News that rides along follows a '+'. Pings, acks and gossip that carry it are kinds of their own.
described membership_words::describe(const utterance& what) const {
  const read_message read = read_whole(what);
  if (read.error) return unreadable;
  described result = describe_body(read.value.body);
  const items& news = read.value.items;
  if (news.claims.empty() && news.events.empty()) return result;
  std::string separator = std::holds_alternative<gossip>(read.value.body) ? ": " : " + ";
  for (const claim& each : news.claims) {
    result.text += separator + claim_text(each);
    separator = " + ";
  }
  for (const event_record& each : news.events) {
    result.text += separator + (each.fetch_size > 0 ? "notice of " : "");
    result.text += event_place(each.sequence, name_of(each.origin));
    separator = " + ";
  }
  const bool probing = std::holds_alternative<ping>(read.value.body) || std::holds_alternative<ack>(read.value.body);
  if (probing) result.kind += "_with_news";
  return result;
}

std::string membership_words::payload_text(const bytes& payload) {
  constexpr std::size_t shown_max = 40;
  const std::string text{payload.text()};
  if (text.size() <= shown_max) return "'" + text + "'";
  return "'" + text.substr(0, text.find_last_not_of('.') + 1) + "…' of " + std::to_string(text.size()) + " bytes";
}

std::string membership_words::member_text(const member& who) {
  return who.name + " " + std::string{to_string(who.state)} + life_of(who);
}

std::string membership_words::event_text(const std::string& host, const event& what) const {
  if (const auto* e = std::get_if<joined>(&what)) return host + ": " + e->member.name + " joined" + life_of(e->member);
  if (const auto* e = std::get_if<suspected>(&what)) return host + " suspects " + e->member.name + life_of(e->member);
  if (const auto* e = std::get_if<recovered>(&what)) {
    return host + ": " + e->member.name + " recovered" + life_of(e->member);
  }
  if (const auto* e = std::get_if<failed>(&what)) return host + ": " + e->member.name + " failed" + life_of(e->member);
  if (const auto* e = std::get_if<left>(&what)) {
    return host + ": " + e->member.name + " left" + (e->reason.empty() ? "" : " (" + e->reason + ")");
  }
  if (const auto* e = std::get_if<updated>(&what)) {
    return host + ": " + e->member.name + " has the tags " + tags_text(e->member.tags) + life_of(e->member);
  }
  if (const auto* e = std::get_if<conflict>(&what)) {
    return host + ": " + e->second.name + life_of(e->second) + " has the name of another" + life_of(e->first);
  }
  if (const auto* e = std::get_if<user_event>(&what)) {
    return host + " hears " + e->topic + " " + payload_text(e->payload) + " from " + name_of(e->origin);
  }
  if (const auto* e = std::get_if<message>(&what)) {
    return host + " is told " + e->topic + " " + payload_text(e->payload) + " by " + name_of(e->origin);
  }
  if (const auto* e = std::get_if<query>(&what)) {
    return host + " is asked " + e->topic + " " + payload_text(e->payload) + " by " + name_of(e->origin);
  }
  if (const auto* e = std::get_if<gap>(&what)) {
    const std::string last = e->count == 1 ? "" : ".." + std::to_string(e->first + e->count - 1);
    return host + " could not have event " + std::to_string(e->first) + last + " of " + name_of(e->origin);
  }
  if (const auto* e = std::get_if<paused>(&what)) {
    return host + " did not run for " +
           std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(e->length).count()) + " ms";
  }
  if (const auto* e = std::get_if<moved>(&what)) return host + " moved to " + to_string(e->after);
  return host + " was too slow: events are lost";
}

}  // namespace artillery::scenarios

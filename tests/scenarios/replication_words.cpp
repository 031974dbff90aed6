#include "scenarios/replication_words.hpp"

#include "base/wire.hpp"
#include "replication/checkpoint.hpp"
#include "replication/next_view.hpp"

namespace artillery::scenarios {

using namespace replication;

namespace {

const described unreadable{"unreadable", "(unreadable)"};
constexpr std::size_t value_shown_max = 24;
constexpr std::size_t start_shown = 4;

std::string number(std::uint64_t value) {
  return std::to_string(value);
}

std::string status_text(reply_status status) {
  switch (status) {
    case reply_status::ok: return "ok";
    case reply_status::stale_epoch: return "stale epoch";
    case reply_status::not_serving: return "not serving";
    case reply_status::not_head: return "not the head";
    case reply_status::busy: return "busy";
    case reply_status::unknown_session: return "unknown session";
    case reply_status::token_void: return "token void";
    case reply_status::too_large: return "too large";
    case reply_status::invalid: return "invalid";
  }
  return "?";
}

std::string condition_text(const condition& when) {
  switch (when.what()) {
    case condition::kind::always: return "";
    case condition::kind::if_absent: return " if absent";
    case condition::kind::if_version: return " if version " + number(when.expected().seq);
  }
  return "?";
}

std::string effect_text(const object_effect& what) {
  const std::string key{what.key.text()};
  return what.what == object_effect::kind::erase ? key + " erased" : key + "=" + value_text(what.value.text());
}

std::string checkpoint_text(const checkpoint_part& part) {
  switch (part.what) {
    case checkpoint_part::stage::begin: return "begins, at " + number(part.base.seq);
    case checkpoint_part::stage::sessions: return number(part.sessions.size()) + " sessions";
    case checkpoint_part::stage::objects: return number(part.objects.size()) + " objects";
    case checkpoint_part::stage::end: return "is complete";
  }
  return "?";
}

}  // namespace

std::string value_text(std::string_view value) {
  if (value.size() <= value_shown_max) return std::string{value};
  return std::string{value.substr(0, start_shown)} + " (" + number(value.size()) + " bytes)";
}

std::string result_text(const write_result& what) {
  if (what.applied) return "applied, version " + number(what.version.seq);
  return what.version.none() ? "condition failed: absent"
                             : "condition failed: the version is " + number(what.version.seq);
}

std::string level_text(const consistency& level) {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  switch (level.what()) {
    case consistency::kind::strong: return "strong";
    case consistency::kind::bounded_time:
      return "at most " + number(static_cast<std::uint64_t>(duration_cast<milliseconds>(level.staleness()).count())) +
             " ms old";
    case consistency::kind::bounded_records: return "at most " + number(level.records()) + " behind";
    case consistency::kind::eventual: return "eventual";
  }
  return "?";
}

/// Every replica begins at incarnation 1: only a later one is worth a word.
std::string replication_words::name_of(const replica_id& who) const {
  const auto found = nodes_.find(who.node);
  const std::string name = found == nodes_.end() ? to_short_string(who.node) : found->second;
  return who.incarnation == 1 ? name : name + ", incarnation " + number(who.incarnation);
}

std::string replication_words::text_of(const view& what) const {
  const auto names = [this](const std::vector<member>& of) {
    std::string all;
    for (const member& each : of) all += " " + name_of(each.id);
    return all;
  };
  std::string text = "epoch " + number(what.epoch) + ":" + names(what.replicas);
  if (!what.learners.empty()) text += "; learners" + names(what.learners);
  std::string others;
  for (const replica_id& reader : what.readers) {
    if (!is_replica(what, reader)) others += " " + name_of(reader);
  }
  if (!others.empty()) text += "; may still read:" + others;
  return text;
}

std::string replication_words::session(std::uint64_t number) {
  const auto [found, fresh] = sessions_.emplace(number, "s" + std::to_string(sessions_.size() + 1));
  return found->second;
}

std::string replication_words::question(const std::string& asker, std::uint64_t number) {
  auto& asked = questions_[asker];
  const auto [found, fresh] = asked.emplace(number, asked.size() + 1);
  return std::to_string(found->second);
}

described replication_words::describe(const utterance& what) {
  if (what.first) return describe_handshake(what);
  const auto header = decode_header(what.message);
  if (!header) return unreadable;
  switch (header->kind) {
    case frame_kind::read:
    case frame_kind::read_reply:
    case frame_kind::write:
    case frame_kind::write_reply: return describe_of_clients(header->kind, what.message);
    default: return describe_of_chain(header->kind, what);
  }
}

described replication_words::describe_handshake(const utterance& what) const {
  const std::uint32_t cluster = detail::cluster_tag(replica_config{}.cluster);
  std::error_code error;
  if (!what.opened_here) {
    const auto answer = decode_welcome(what.message, cluster, error);
    if (!answer) return unreadable;
    if (answer->status != reply_status::ok) {
      return {"welcome", "refused by " + name_of(answer->from) + ": " + status_text(answer->status)};
    }
    return {"welcome", "welcome from " + name_of(answer->from) + ": last " + number(answer->last.seq) + ", commit " +
                           number(answer->commit)};
  }
  const auto greeting = decode_hello(what.message, cluster, error);
  if (!greeting) return unreadable;
  const std::string in_epoch = ", epoch " + number(greeting->epoch);
  switch (greeting->role) {
    case link_role::client: return {"hello", "hello from a client"};
    case link_role::predecessor: return {"hello", "hello from the predecessor " + name_of(greeting->from) + in_epoch};
    case link_role::reader: return {"hello", "hello from the reader " + name_of(greeting->from) + in_epoch};
    case link_role::learner: return {"hello", "hello from the learner " + name_of(greeting->from) + in_epoch};
    case link_role::restarted:
      return {"hello", "hello from " + name_of(greeting->from) + ", which restarted" + in_epoch};
  }
  return unreadable;
}

described replication_words::describe_of_chain(frame_kind kind, const utterance& what) {
  const bytes& frame = what.message;
  switch (kind) {
    case frame_kind::append: {
      const auto records = decode_append(frame, replica_config{}.value_size_max);
      if (!records || records->empty()) return unreadable;
      std::string text = "append " + number(records->front().seq);
      if (records->size() > 1) text += ".." + number(records->back().seq);
      std::string separator = ": ";
      for (const record& each : *records) {
        text += separator + record_text(each);
        separator = ", ";
      }
      return {"append", text};
    }
    case frame_kind::ack: {
      const auto ack = decode_ack(frame);
      return ack ? described{"ack", "ack " + number(ack->watermark)} : unreadable;
    }
    case frame_kind::watermark_query: {
      const auto query = decode_watermark_query(frame);
      return query ? described{"watermark_query", "watermark_query " + question(what.from, query->question)}
                   : unreadable;
    }
    case frame_kind::watermark_reply: {
      const auto reply = decode_watermark_reply(frame);
      if (!reply) return unreadable;
      const std::string answer =
          reply->status == reply_status::ok ? "watermark " + number(reply->watermark) : status_text(reply->status);
      return {"watermark_reply", answer + " (answers query " + question(what.to, reply->question) + ")"};
    }
    case frame_kind::view_request: return {"view", "view_request"};
    case frame_kind::view_reply: {
      const auto chain = decode_view(frame);
      return chain ? described{"view", "view of epoch " + number(chain->epoch)} : unreadable;
    }
    case frame_kind::checkpoint: {
      const auto part = decode_checkpoint(frame, replica_config{}.value_size_max);
      return part ? described{"checkpoint", "checkpoint: " + checkpoint_text(*part)} : unreadable;
    }
    case frame_kind::position: {
      const auto position = decode_position(frame);
      return position ? described{"position",
                                  "holds " + number(position->last.seq) + ", parts taken " + number(position->parts)}
                      : unreadable;
    }
    case frame_kind::committed: {
      const auto watermark = decode_committed(frame);
      return watermark ? described{"committed", "committed " + number(*watermark)} : unreadable;
    }
    case frame_kind::lapsed: return {"lapsed", "lapsed: nobody renews its lease"};
    case frame_kind::ping: return {"ping", "ping"};
    case frame_kind::pong: return {"ping", "pong"};
    default: return unreadable;
  }
}

described replication_words::describe_of_clients(frame_kind kind, const bytes& frame) {
  if (kind == frame_kind::read) {
    const auto request = decode_read_request(frame);
    if (!request) return unreadable;
    return {"read", "read " + std::string{as_text(request->key)} + " (" + level_text(request->level) + ")"};
  }
  if (kind == frame_kind::read_reply) {
    const auto reply = decode_read_reply(frame);
    if (!reply) return unreadable;
    if (reply->status != reply_status::ok) return {"read_reply", status_text(reply->status)};
    if (!reply->result.found()) return {"read_reply", "absent"};
    return {"read_reply",
            value_text(reply->result.value->text()) + " (version " + number(reply->result.version.seq) + ")"};
  }
  if (kind == frame_kind::write) {
    const auto request = decode_write_request(frame);
    return request ? described{"write", request_text(*request)} : unreadable;
  }
  const auto reply = decode_write_reply(frame);
  if (!reply) return unreadable;
  if (reply->status != reply_status::ok) return {"write_reply", status_text(reply->status)};
  if (reply->session != 0) return {"write_reply", "session " + session(reply->session) + " is open"};
  return {"write_reply", result_text(reply->result)};
}

std::string replication_words::record_text(const record& what) {
  switch (what.what) {
    case record::kind::open_session: {
      const std::string text = "session " + session(what.session) + " opens";
      return what.number == 0 ? text : text + " and " + session(what.number) + " ends";
    }
    case record::kind::close_session: return "session " + session(what.session) + " ends";
    case record::kind::write: break;
  }
  if (!what.result.applied) return "no effect (a condition failed)";
  if (what.effects.empty()) return "no effect";
  std::string text;
  for (const object_effect& effect : what.effects) text += (text.empty() ? "" : " and ") + effect_text(effect);
  return text;
}

std::string replication_words::request_text(const write_request& what) {
  switch (what.what) {
    case write_request::kind::open_session: return "a session, please";
    case write_request::kind::close_session: return "session " + session(what.session) + " ends";
    case write_request::kind::put:
    case write_request::kind::erase: break;
  }
  const std::string key{what.key.text()};
  const std::string act =
      what.what == write_request::kind::put ? "put " + key + "=" + value_text(what.value.text()) : "erase " + key;
  return act + condition_text(what.when) + " (" + session(what.session) + ", number " + number(what.number) + ")";
}

}  // namespace artillery::scenarios

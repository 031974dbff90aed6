// What happens in a small chain, in words.
#include <string>

#include "base/wire.hpp"
#include "sim/explore_chain.hpp"

namespace artillery::sim {

using namespace replication;

namespace {

std::string words_of(const write_request& request) {
  switch (request.what) {
    case write_request::kind::put:
      return "write " + std::to_string(request.number) + " (" + std::string{request.value.text()} + ")";
    case write_request::kind::erase: return "write " + std::to_string(request.number) + " (erase)";
    case write_request::kind::open_session: return "open session";
    case write_request::kind::close_session: return "close session";
  }
  return {};
}

std::string words_of(const bytes& frame) {
  std::error_code error;
  const std::uint32_t cluster = detail::cluster_tag(replica_config{}.cluster);
  if (decode_hello(frame, cluster, error)) return "hello";
  if (const auto m = decode_welcome(frame, cluster, error)) {
    if (m->status != reply_status::ok) return "refusal";
    return "welcome (holds " + std::to_string(m->last.seq) + ", commit " + std::to_string(m->commit) + ")";
  }
  const auto header = decode_header(frame);
  switch (header ? header->kind : frame_kind::hello) {
    case frame_kind::append: {
      const auto records = decode_append(frame, frame.size());
      if (!records || records->empty()) return "append";
      return "append " + std::to_string(records->front().seq) + ".." + std::to_string(records->back().seq);
    }
    case frame_kind::ack: return "ack " + std::to_string(decode_ack(frame).value_or(watermark_ack{}).watermark);
    case frame_kind::watermark_query: return "watermark question";
    case frame_kind::watermark_reply: {
      const auto reply = decode_watermark_reply(frame);
      return "watermark " + std::to_string(reply ? reply->watermark : 0);
    }
    case frame_kind::read: return "read";
    case frame_kind::read_reply: {
      const auto reply = decode_read_reply(frame);
      return "answer of version " + std::to_string(reply ? reply->result.version.seq : 0) + " to a read";
    }
    case frame_kind::write: {
      const auto request = decode_write_request(frame);
      return request ? words_of(*request) : "write";
    }
    case frame_kind::write_reply: {
      const auto reply = decode_write_reply(frame);
      return "answer of version " + std::to_string(reply ? reply->result.version.seq : 0) + " to a write";
    }
    case frame_kind::ping: return "ping";
    case frame_kind::pong: return "pong";
    default: return "frame";
  }
}

}  // namespace

std::string chain_setup::name_of(std::size_t node) const {
  if (!is_replica(node)) return node == scope_.replicas ? "the writer" : "the reader";
  return "replica " + std::to_string(node);
}

std::string chain_setup::describe(const state& at, const explore_choice& choice) const {
  const auto stream = [&] {
    const explore_network::stream& s = at.network.streams()[choice.place];
    return "stream " + std::to_string(s.number) + " of " + name_of(s.opener) + " to " + name_of(s.acceptor);
  };
  switch (choice.what) {
    case kind::deliver: {
      const explore_network::stream& s = at.network.streams()[choice.place];
      const explore_network::arrival& first = s.to[choice.first].front();
      const std::string to = name_of(s.node(choice.first));
      if (first.what == explore_network::arrival::kind::up) return to + " hears that " + stream() + " is up";
      if (first.what == explore_network::arrival::kind::down) return to + " hears that " + stream() + " is down";
      return to + " receives " + words_of(first.content) + " on " + stream();
    }
    case kind::step: {
      if (choice.first == step_flush) return name_of(choice.place) + " sends what it gathered";
      const stepping_read& read = at.stepping[choice.place];
      const char* next = read.at == stepping_read::phase::noted ? " fetches the object" : " checks what it fetched";
      return "a read at " + name_of(read.replica) + next;
    }
    case kind::expire:
      return choice.first == expire_idle ? "nothing is under way, and time passes at " + name_of(choice.place)
                                         : name_of(choice.place) + " tries again";
    case kind::hasten: return "time passes at " + name_of(choice.place);
    case kind::ask: {
      if (choice.place == ask_read) return "a read is asked for at " + name_of(choice.first);
      const write& wanted = scope_.writes[at.writes_asked];
      const bool always = wanted.when.what() == condition::kind::always;
      return "the writer asks for a write (" + std::string{wanted.value.text()} + (always ? ")" : ", if absent)");
    }
    case kind::cut:
      return stream() + " breaks, after " + std::to_string(choice.first) + " more to its opener and " +
             std::to_string(choice.second) + " more to the other end";
    case kind::crash:
      return name_of(choice.place) + " crashes, " + (choice.first != 0 ? "and" : "but nothing of") +
             " what it sent arrives";
    case kind::restart: return name_of(choice.place) + " comes back as a stranger";
    case kind::lose:
    case kind::duplicate: break;
  }
  return {};
}

}  // namespace artillery::sim

#include "sim/chain_stranger.hpp"

#include <algorithm>

#include "base/wire.hpp"

namespace artillery::sim {

using namespace replication;

namespace {

std::vector<std::byte> whole(const frame& made) {
  std::vector<std::byte> all = made.header;
  for (const bytes& part : made.body) all.insert(all.end(), part.view().begin(), part.view().end());
  return all;
}

}  // namespace

stranger_program::stranger_program(const view& chain, std::uint64_t seed) : chain_{chain}, random_{seed} {}

void stranger_program::start(time_point /*now*/, network_effects& /*out*/) {}

void stranger_program::pester(const endpoint& replica, network_effects& out) {
  if (attempts_.size() == streams_max) {
    out.close(attempts_.front().stream);
    attempts_.erase(attempts_.begin());
  }
  attempts_.push_back({next_stream_, static_cast<pretence>(random_.below(5)), replica});
  out.open(next_stream_, replica);
  next_stream_ += 2;
}

void stranger_program::leave(network_effects& out) {
  for (const attempt& one : attempts_) out.close(one.stream);
  attempts_.clear();
}

void stranger_program::link(const connection& which, link_state state, time_point /*now*/, network_effects& out) {
  const auto one =
      std::find_if(attempts_.begin(), attempts_.end(), [&](const attempt& a) { return a.stream == which.number; });
  if (one == attempts_.end()) return;
  if (state == link_state::up) say_hello(*one, out);
  if (state == link_state::down) attempts_.erase(one);
}

void stranger_program::receive(const connection& from, const bytes& /*message*/, time_point /*now*/,
                               network_effects& out) {
  const auto one =
      std::find_if(attempts_.begin(), attempts_.end(), [&](const attempt& a) { return a.stream == from.number; });
  if (one != attempts_.end()) be_rude(from.number, out);
}

std::vector<std::byte> stranger_program::client_hello(std::uint32_t cluster) const {
  frame made;
  encode(made, cluster, hello{.role = link_role::client, .chain = chain_.chain, .epoch = chain_.epoch, .from = {}});
  return whole(made);
}

std::vector<std::byte> stranger_program::draw_noise() {
  std::vector<std::byte> noise(static_cast<std::size_t>(random_.below(80)));
  for (std::byte& each : noise) each = static_cast<std::byte>(random_.below(256));
  return noise;
}

void stranger_program::say_hello(const attempt& one, network_effects& out) {
  const std::uint32_t cluster = detail::cluster_tag(replica_config{}.cluster);
  std::vector<std::byte> said;
  switch (one.as) {
    case pretence::noise: said = draw_noise(); break;
    case pretence::other_cluster: said = client_hello(cluster + 1); break;
    case pretence::damaged_hello: {
      said = client_hello(cluster);
      const std::uint64_t bit = random_.below(said.size() * 8);
      said[static_cast<std::size_t>(bit / 8)] ^= std::byte{1} << static_cast<int>(bit % 8);
      break;
    }
    case pretence::other_life: {
      replica_id self = chain_.replicas[static_cast<std::size_t>(random_.below(chain_.replicas.size()))].id;
      self.incarnation += 1'000'000;
      const link_role role = random_.chance(1, 2) ? link_role::predecessor : link_role::reader;
      frame made;
      encode(made, cluster, hello{.role = role, .chain = chain_.chain, .epoch = chain_.epoch, .from = self});
      said = whole(made);
      break;
    }
    case pretence::rude_client: said = client_hello(cluster); break;
  }
  out.send(connection::stream(one.stream), said);
}

/// A frame that is well-formed and not a client's to send, or a client's that means nothing.
std::vector<std::byte> stranger_program::draw_frame() {
  frame made;
  const std::uint64_t number = random_.below(1000);
  switch (random_.below(7)) {
    case 0: encode(made, chain_.epoch, watermark_ack{.watermark = number}); break;
    case 1: encode(made, chain_.epoch, watermark_query{number}); break;
    case 2: encode(made, chain_.epoch, watermark_reply{number, reply_status::ok, number}); break;
    case 3: {
      append_encoder records{made, chain_.epoch, number + 1};
      records.add({.seq = number + 1, .epoch = chain_.epoch, .result = {}, .effects = {}});
      records.finish();
      break;
    }
    case 4: {
      const std::string key(static_cast<std::size_t>(random_.between(1, 2 * key_size_max)), 'a');
      const session_token made_up{{}, number % 2 == 0 ? version{} : version{chain_.epoch, number}};
      encode(made, chain_.epoch - random_.below(2), read_request{number, strong, made_up, as_bytes(key)});
      break;
    }
    case 5:
      // In a session that nobody opened.
      encode(made, chain_.epoch,
             write_request{.request = number,
                           .session = random_.next(),
                           .number = 1,
                           .lowest = 1,
                           .when = {},
                           .key = "a",
                           .value = "a stranger's",
                           .checksum = 0});
      break;
    default: encode_bare(made, frame_kind::pong, chain_.epoch + random_.below(2)); break;
  }
  return whole(made);
}

void stranger_program::be_rude(std::uint64_t stream, network_effects& out) {
  std::vector<std::byte> said = draw_frame();
  switch (random_.below(4)) {
    case 0: said = draw_noise(); break;
    case 1: said.resize(static_cast<std::size_t>(random_.below(said.size()))); break;
    case 2: {
      const std::vector<std::byte> other = draw_frame();
      const auto cut = static_cast<std::ptrdiff_t>(random_.below(std::min(said.size(), other.size())));
      said.assign(said.begin(), said.begin() + cut);
      said.insert(said.end(), other.begin() + cut, other.end());
      break;
    }
    default: break;
  }
  out.send(connection::stream(stream), said);
}

}  // namespace artillery::sim

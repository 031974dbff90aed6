#include "sim/membership_forgery.hpp"

#include <algorithm>
#include <cstring>

namespace artillery::sim {
namespace {

using membership::claim;
using membership::member_state;

constexpr std::size_t noise_max = 600;
constexpr std::uint64_t made_up_max = 6;
constexpr std::uint64_t acks = 64;
constexpr std::uint64_t requests = 600;
constexpr std::byte unspoken_version{9};

bytes packed(const membership::message_body& body, std::uint32_t cluster, const std::vector<claim>& claims = {},
             const std::vector<membership::event_record>& events = {}) {
  std::vector<std::byte> buffer;
  membership::datagram_writer writer{buffer, cluster, membership::datagram_size_most};
  writer.begin(body);
  for (const claim& c : claims) static_cast<void>(writer.add(c));
  for (const membership::event_record& e : events) static_cast<void>(writer.add(e));
  return bytes::copy(writer.seal());
}

std::shared_ptr<const membership::facts> facts_at(const endpoint& at) {
  return std::make_shared<const membership::facts>(membership::facts{.name = "forged", .at = at, .tags = {}});
}

claim claim_of(const forgery_target& of, member_state state) {
  claim c{.about = of.id,
          .boot = of.boot,
          .incarnation = 0,
          .state = state,
          .accuser = {},
          .facts = state == member_state::alive ? facts_at(of.at) : nullptr};
  if (state != member_state::alive) c.accuser = membership::shorten(of.id);
  return c;
}

member_state any_state(detail::random& random) {
  return static_cast<member_state>(random.below(4));
}

bytes noise(detail::random& random) {
  const std::size_t size = static_cast<std::size_t>(random.below(noise_max)) + 1;
  bytes_buffer raw{size};
  for (std::size_t i = 0; i < size; ++i) raw.data()[i] = static_cast<std::byte>(random.below(256));
  return std::move(raw).freeze(size);
}

bytes joined_parts(bytes_view front, bytes_view back) {
  bytes_buffer whole{front.size() + back.size()};
  std::memcpy(whole.data(), front.data(), front.size());
  std::memcpy(whole.data() + front.size(), back.data(), back.size());
  return std::move(whole).freeze(front.size() + back.size());
}

bytes changed(const bytes& message, std::size_t at, std::byte flip) {
  bytes_buffer copy{message.size()};
  std::memcpy(copy.data(), message.view().data(), message.size());
  copy.data()[at] ^= flip;
  return std::move(copy).freeze(message.size());
}

/// Members of nowhere; some are said to listen where a real one does.
std::vector<claim> strangers(const forgery_target& of, detail::random& random, std::vector<node_id>& made_up) {
  std::vector<claim> claims;
  const std::uint64_t count = random.between(1, made_up_max);
  for (std::uint64_t i = 0; i < count; ++i) {
    const bool on_real_address = random.chance(1, 4);
    const endpoint nowhere = endpoint::v4(192, 0, 2, static_cast<std::uint8_t>(random.between(1, 250)), 7946);
    const forgery_target who{random.identity(), 1, on_real_address ? of.at : nowhere};
    made_up.push_back(who.id);
    claims.push_back(claim_of(who, member_state::alive));
  }
  return claims;
}

claim far_ahead(const forgery_target& of, detail::random& random) {
  claim c = claim_of(of, any_state(random));
  const bool by_boot = random.chance(1, 2);
  const std::uint64_t beyond = random.between(1, 1U << 20U);
  if (by_boot) {
    // Above what anybody may believe: the bound counts from the later one of the accused and the hearer.
    c.boot = of.boot + membership::boot_jump_max + (beyond << 20U);
  } else {
    c.incarnation = membership::incarnation_max + beyond;
  }
  return c;
}

/// Of an earlier boot anything may have been true once; of this one that it was alive at first.
claim old_news(const forgery_target& of, detail::random& random) {
  const std::uint64_t boot = random.between(1, of.boot);
  claim c = claim_of(of, boot < of.boot ? any_state(random) : member_state::alive);
  c.boot = boot;
  if (boot < of.boot) c.incarnation = random.below(1'000);
  return c;
}

membership::event_record far_event(const forgery_target& of, detail::random& random) {
  const std::uint64_t sequence = membership::sequence_jump_max * random.between(2, 1'000);
  return {.origin = membership::shorten(of.id),
          .boot = of.boot,
          .sequence = sequence,
          .previous = sequence - 1,
          .lamport = random.next(),
          .topic = "left",
          .payload = noise(random)};
}

/// To whoever reads it, from the one that it speaks of.
membership::direct far_message(const forgery_target& of, const forgery_target& to, detail::random& random) {
  return {.sender = membership::shorten(of.id),
          .boot = of.boot,
          .addressee = membership::address_tag(to.id, to.boot),
          .number = membership::message_jump_max * random.between(3, 1'000),
          .topic = "to one",
          .payload = noise(random)};
}

std::vector<bytes> stray_acks(std::uint32_t cluster, detail::random& random) {
  std::vector<bytes> all;
  for (std::uint64_t i = 0; i < acks; ++i) {
    all.push_back(
        packed(membership::ack{.sequence = static_cast<std::uint32_t>(random.next()), .digests = {}}, cluster));
  }
  return all;
}

std::vector<bytes> flood(const forgery_target& of, std::uint32_t cluster) {
  std::vector<bytes> all;
  for (std::uint64_t i = 0; i < requests; ++i) {
    all.push_back(packed(membership::ping_request{.sequence = static_cast<std::uint32_t>(i),
                                                  .target = membership::shorten(of.id),
                                                  .addressee = membership::address_tag(of.id, of.boot),
                                                  .left_ms = 500},
                         cluster));
  }
  return all;
}

}  // namespace

std::vector<bytes> forge(forgery kind, const forgery_target& of, const forgery_target& to, std::uint32_t cluster,
                         detail::random& random, std::vector<node_id>& made_up) {
  const bytes sound = packed(membership::gossip{}, cluster, {claim_of(of, member_state::alive)});
  const auto place = static_cast<std::size_t>(random.below(sound.size()));
  switch (kind) {
    case forgery::noise: return {noise(random)};
    case forgery::damaged: return {changed(sound, place, std::byte{1} << static_cast<int>(random.below(8)))};
    case forgery::cut_short: return {bytes::copy(sound.view().first(place))};
    case forgery::spliced: {
      const bytes other = packed(membership::announce{}, cluster, {claim_of(of, member_state::alive)});
      const std::size_t from = std::min(place, other.size());
      return {joined_parts(sound.view().first(place), other.view().subspan(from))};
    }
    case forgery::other_version: return {changed(sound, 1, unspoken_version)};
    case forgery::other_cluster: return {packed(membership::gossip{}, cluster + 1, strangers(of, random, made_up))};
    case forgery::made_up: return {packed(membership::gossip{}, cluster, strangers(of, random, made_up))};
    case forgery::far_ahead: return {packed(membership::gossip{}, cluster, {far_ahead(of, random)})};
    case forgery::old_news: return {packed(membership::gossip{}, cluster, {old_news(of, random)})};
    case forgery::far_event: {
      const bytes event = packed(membership::gossip{}, cluster, {}, {far_event(of, random)});
      return {event, packed(far_message(of, to, random), cluster)};
    }
    case forgery::stray_acks: return stray_acks(cluster, random);
    case forgery::flood: return flood(of, cluster);
  }
  return {};
}

}  // namespace artillery::sim

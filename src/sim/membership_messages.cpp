#include "sim/membership_messages.hpp"

#include <algorithm>
#include <cstring>

namespace artillery::sim {
namespace {

std::string call_name(std::uint64_t call) {
  return "message " + std::to_string(call);
}

}  // namespace

bytes message_book::payload(std::uint64_t call, std::size_t more) {
  bytes_buffer raw{sizeof(call) + more};
  std::memset(raw.data(), 0, sizeof(call) + more);
  for (std::size_t i = 0; i < sizeof(call); ++i) raw.data()[i] = static_cast<std::byte>(call >> (8 * i));
  return std::move(raw).freeze(sizeof(call) + more);
}

std::uint64_t message_book::call_of(bytes_view payload) {
  std::uint64_t call = 0;
  for (std::size_t i = 0; i < sizeof(call) && i < payload.size(); ++i) {
    call |= std::to_integer<std::uint64_t>(payload[i]) << (8 * i);
  }
  return call;
}

void message_book::sent(std::uint64_t call, std::size_t process, const node_id& sender, const node_id& addressee,
                        bool reliable) {
  ++totals_.sent;
  entries_[call] = {.process = process, .sender = sender, .addressee = addressee, .reliable = reliable};
}

std::string message_book::refused(std::uint64_t call) {
  const entry gone = entries_[call];
  entries_.erase(call);
  --totals_.sent;
  return gone.given ? call_name(call) + " was refused and arrived" : "";
}

std::string message_book::given(const node_id& to, const membership::message& what) {
  const std::uint64_t call = call_of(what.payload.view());
  const auto found = entries_.find(call);
  if (found == entries_.end()) return "a message that nobody sent was given to somebody";
  entry& e = found->second;
  if (e.addressee != to) return call_name(call) + " was given to somebody whom it was not for";
  if (e.sender != what.origin) return call_name(call) + " was given under another's name";
  if (std::exchange(e.given, true)) return call_name(call) + " was given twice";
  ++totals_.given;
  if (e.unsent) return call_name(call) + " was given though its sender was told that it was not sent";
  if (!e.reliable) return {};
  std::uint64_t& last = last_reliable_[{e.process, e.addressee}];
  if (last > call) return call_name(call) + " was given after message " + std::to_string(last) + " of its sender";
  last = call;
  return {};
}

std::string message_book::ended(std::size_t process, const membership::finished_call& what) {
  const auto found = entries_.find(what.call);
  if (found == entries_.end() || found->second.process != process) return call_name(what.call) + " ended elsewhere";
  entry& e = found->second;
  if (std::exchange(e.ended, true)) return call_name(what.call) + " ended twice";
  if (!e.reliable) return {};
  if (what.error) ++totals_.failed;
  if (!what.error && !e.given) return call_name(what.call) + " is said to have arrived, and nobody was given it";
  e.unsent = what.error && what.error != errc::timed_out && what.error != errc::outcome_unknown;
  if (e.unsent && e.given) return call_name(what.call) + " is said not to have been sent, and was given to somebody";
  return {};
}

std::size_t message_book::under_way(std::size_t process) const {
  return static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(), [&](const auto& each) {
    return each.second.process == process && each.second.reliable && !each.second.ended;
  }));
}

bool message_book::has_arrived(std::uint64_t call) const {
  const auto found = entries_.find(call);
  return found != entries_.end() && found->second.given && found->second.ended;
}

}  // namespace artillery::sim

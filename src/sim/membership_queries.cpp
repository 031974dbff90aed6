#include "sim/membership_queries.hpp"

#include <algorithm>
#include <cstring>

#include "sim/membership_messages.hpp"

namespace artillery::sim {
namespace {

std::string query_name(std::uint64_t call) {
  return "query " + std::to_string(call);
}

}  // namespace

bytes query_book::payload(std::uint64_t call) {
  return message_book::payload(call, 0);
}

bytes query_book::answer_to(const membership::query& asked, const node_id& by, std::size_t more) {
  bytes_buffer raw{sizeof(std::uint64_t) * 2 + more};
  std::memset(raw.data(), 0, sizeof(std::uint64_t) * 2 + more);
  const std::uint64_t call = message_book::call_of(asked.payload.view());
  for (std::size_t i = 0; i < sizeof(call); ++i) {
    raw.data()[i] = static_cast<std::byte>(call >> (8 * i));
    raw.data()[sizeof(call) + i] = static_cast<std::byte>(by.low >> (8 * i));
  }
  return std::move(raw).freeze(sizeof(std::uint64_t) * 2 + more);
}

void query_book::asked(std::uint64_t call, std::size_t process, const node_id& by, std::vector<node_id> named) {
  ++totals_.asked;
  entry& e = entries_[call];
  e.process = process;
  e.by = by;
  e.named = std::move(named);
}

std::string query_book::heard(std::size_t process, const node_id& id, const membership::query& what) {
  const std::uint64_t call = message_book::call_of(what.payload.view());
  const auto found = entries_.find(call);
  if (found == entries_.end()) return "a question that nobody asked was told to somebody";
  entry& e = found->second;
  ++totals_.heard;
  if (e.by != what.origin) return query_name(call) + " was told under another's name";
  const bool named = e.named.empty() || std::find(e.named.begin(), e.named.end(), id) != e.named.end();
  if (!named) return query_name(call) + " was told to somebody who was not asked";
  if (!e.heard_by.insert(process).second) return query_name(call) + " was told twice";
  return {};
}

std::string query_book::came(std::size_t process, const membership::query_news& what) {
  const auto found = entries_.find(what.call);
  if (found == entries_.end() || found->second.process != process) return query_name(what.call) + " is another's";
  entry& e = found->second;
  if (e.ended) return query_name(what.call) + " goes on after its end";
  if (const auto* end = std::get_if<membership::query_end>(&what.what)) {
    e.ended = true;
    e.end = *end;
    const bool sound = end->answered == e.answered_by.size() && end->heard >= end->answered;
    return sound ? "" : query_name(what.call) + " ended with counts that are wrong";
  }
  const auto& answer = std::get<membership::answer>(what.what);
  const bytes_view raw = answer.payload.view();
  const bool own = raw.size() >= 16 && message_book::call_of(raw) == what.call &&
                   message_book::call_of(raw.subspan(8)) == answer.from.low;
  if (!own) return query_name(what.call) + " was answered with what is the answer to another, or another's";
  ++totals_.answers;
  if (!e.answered_by.insert(answer.from).second) return query_name(what.call) + " was answered twice by one member";
  return {};
}

std::size_t query_book::open(std::size_t process) const {
  return static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(), [&](const auto& each) {
    return each.second.process == process && !each.second.ended;
  }));
}

membership::query_end query_book::end_of(std::uint64_t call) const {
  const auto found = entries_.find(call);
  return found == entries_.end() ? membership::query_end{} : found->second.end;
}

}  // namespace artillery::sim

#include "replication/register_codec.hpp"

#include <utility>

#include "replication/message.hpp"

namespace artillery::replication {

namespace {

/// More is no view: four lists of the longest members there are, and some room.
constexpr std::size_t view_size_max = view_replicas_max * 4 * 64;

}  // namespace

void put_ballot(detail::writer& out, const ballot& value) {
  out.put(value.round).put(value.proposer).put(value.incarnation);
}

ballot take_ballot(detail::reader& in) noexcept {
  ballot result;
  result.round = in.take<std::uint64_t>();
  result.proposer = in.take_node_id();
  result.incarnation = in.take<std::uint64_t>();
  if (result.round == 0 && result != ballot{}) in.fail();
  return result;
}

void put_view(detail::writer& out, const view& value) {
  std::vector<std::byte> body;
  encode_view_body(body, value);
  out.put_sized(body);
}

view take_view(detail::reader& in) {
  const bytes_view body = in.take_sized(view_size_max);
  if (in.failed()) return {};
  auto decoded = decode_view_body(body);
  if (decoded && !check_view(*decoded)) return std::move(*decoded);
  in.fail();
  return {};
}

}  // namespace artillery::replication

#include "replication/read_service.hpp"

#include "replication/message.hpp"

namespace artillery::replication {

std::optional<direct_read> note_direct_read(bytes_view frame, const published& here) noexcept {
  const auto header = decode_header(frame);
  if (!header || header->kind != frame_kind::read) return std::nullopt;
  const auto request = decode_read_request(frame);
  if (!request) return std::nullopt;
  const read_note noted = note(here);
  if (noted.epoch == 0 || header->epoch != noted.epoch) return std::nullopt;
  return direct_read{request->request, request->key, request->level, noted};
}

bool check_direct_read(const direct_read& read, const published& here, const stored& found, time_point now,
                       std::vector<std::byte>& header) {
  if (check(here.load(), read.noted, found, read.level, now) != local_verdict::answer) return false;
  const read_reply reply{.request = read.request,
                         .status = reply_status::ok,
                         .result = result_of(found, as_of(read.noted, found), true),
                         .checksum = found.checksum};
  encode_header(header, read.noted.epoch, reply);
  return true;
}

}  // namespace artillery::replication

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <system_error>
#include <vector>

#include "artillery/bytes.hpp"
#include "artillery/replication/session_token.hpp"
#include "artillery/replication/types.hpp"
#include "replication/record.hpp"

// The frames of replication, on streams (docs/wire-format.md, "Replication").
//
// The first frame of either side is a handshake: base's, then who speaks, for which chain, in which epoch. Every
// further frame starts with kind, flags, channel and the sender's epoch. So each message carries its chain, epoch and
// sender's incarnation: the epoch by itself, the rest by its stream's handshake, which is safe because a stream has one
// process at each end for all its life.

namespace artillery::replication {

enum class frame_kind : std::uint8_t {
  hello = 1,  // handshakes: kinds of base's wire prefix
  welcome = 2,
  append = 3,           // records, down
  ack = 4,              // the watermark, up
  watermark_query = 5,  // to the tail
  watermark_reply = 6,
  read = 7,  // of clients
  read_reply = 8,
  write = 9,
  write_reply = 10,
  view_request = 11,
  view_reply = 12,
  ping = 13,
  pong = 14,
  checkpoint = 15,  // to a learner: what the records that follow stand on
  position = 16,    // of a learner: how far it is
  committed = 17,   // the watermark, to a learner
  lapsed = 18,      // to a neighbour: the authority does not renew this replica's lease
  durable = 19,     // down: how far the records are on all disks above
};
inline constexpr std::uint8_t frame_kind_max = 19;

/// What a peer's answer says besides its content. A code of the wire: never renumbered.
enum class reply_status : std::uint8_t {
  ok = 0,
  stale_epoch = 1,
  not_serving = 2,
  not_head = 3,
  busy = 4,
  unknown_session = 5,
  too_large = 6,
  invalid = 7,
  token_void = 8,
};
inline constexpr std::uint8_t reply_status_max = 8;

[[nodiscard]] std::error_code to_error(reply_status status) noexcept;

/// Values above this travel behind all the headers of their frame, as slices that nobody copies; smaller ones among the
/// headers, since a slice of its own costs more than copying them.
inline constexpr std::size_t inline_value_max = 512;
/// Records in one append at most.
inline constexpr std::size_t append_records_max = 4096;
/// Effects of one record at most.
inline constexpr std::size_t effects_max = 64;
inline constexpr std::size_t frame_header_size = 12;

/// A frame as it is handed to a link: one run of headers, then slices.
struct frame {
  std::vector<std::byte> header;
  std::vector<bytes> body;

  void clear() noexcept {
    header.clear();
    body.clear();
  }
};

enum class link_role : std::uint8_t {
  client = 0,
  predecessor = 1,
  reader = 2,
  learner = 3,
  restarted = 4,  // R14: it asks to be dropped, and is never let in
};

struct hello {
  link_role role = link_role::client;
  std::uint64_t chain = 0;
  std::uint64_t epoch = 0;
  replica_id from;           // of a client: none
  endpoint at{};             // of a learner: where it listens; none: it asks for nothing, and only tells `former`
  std::uint64_t former = 0;  // of a learner: the incarnation that it had until it was dropped; 0: none

  friend bool operator==(const hello&, const hello&) = default;
};

struct welcome {
  reply_status status = reply_status::ok;
  std::uint64_t chain = 0;
  std::uint64_t epoch = 0;
  replica_id from;
  version last;              // the newest record held
  std::uint64_t commit = 0;  // watermark known there

  friend bool operator==(const welcome&, const welcome&) = default;
};

struct frame_header {
  frame_kind kind{};
  std::uint8_t flags = 0;
  std::uint16_t channel = 0;
  std::uint64_t epoch = 0;
};

struct watermark_ack {
  std::uint64_t watermark = 0;
  bool tail_opened = false;  // in this epoch: nobody but its replicas holds a lease
};

struct watermark_query {
  std::uint64_t question = 0;
};

struct watermark_reply {
  std::uint64_t question = 0;
  reply_status status = reply_status::ok;
  std::uint64_t watermark = 0;
};

struct read_request {
  std::uint64_t request = 0;
  consistency level;
  session_token after;
  bytes_view key;  // part of the frame
};

struct read_reply {
  std::uint64_t request = 0;
  reply_status status = reply_status::ok;
  read_result result;
  std::uint32_t checksum = 0;
};

struct write_request {
  enum class kind : std::uint8_t { put = 0, erase = 1, open_session = 2, close_session = 3 };

  std::uint64_t request = 0;
  kind what = kind::put;
  std::uint64_t session = 0;
  std::uint64_t number = 0;
  std::uint64_t lowest = 0;
  condition when;
  bytes key;
  bytes value;
  std::uint32_t checksum = 0;
};

struct write_reply {
  std::uint64_t request = 0;
  reply_status status = reply_status::ok;
  write_result result;
  std::uint64_t session = 0;  // that was opened; 0: this answers something else
};

// --- encoding: each clears `out` first ---
void encode(frame& out, std::uint32_t cluster, const hello& message);
void encode(frame& out, std::uint32_t cluster, const welcome& message);
/// `first … last` are consecutive records; all of epochs up to `epoch`.
class append_encoder {
public:
  append_encoder(frame& out, std::uint64_t epoch, std::uint64_t first_seq);
  void add(const record& next);
  /// Headers and values so far.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  void finish();

private:
  frame& out_;
  std::uint64_t epoch_;
  std::size_t size_ = 0;
  std::uint32_t count_ = 0;
};
void encode(frame& out, std::uint64_t epoch, const watermark_ack& message);
void encode(frame& out, std::uint64_t epoch, const watermark_query& message);
void encode(frame& out, std::uint64_t epoch, const watermark_reply& message);
void encode(frame& out, std::uint64_t epoch, const read_request& message);
void encode(frame& out, std::uint64_t epoch, const read_reply& message);
void encode(frame& out, std::uint64_t epoch, const write_request& message);
void encode(frame& out, std::uint64_t epoch, const write_reply& message);
void encode_durable(frame& out, std::uint64_t epoch, std::uint64_t seq);
void encode_bare(frame& out, frame_kind kind, std::uint64_t epoch);  // view_request, ping, pong, lapsed
void encode_view(frame& out, std::uint64_t epoch, const view& message);
/// Appends the view alone, for what carries it elsewhere than in a frame of its own.
void encode_view_body(std::vector<std::byte>& out, const view& message);

// --- decoding: nothing for what is not well-formed, to the last byte ---
/// A first frame. `error` says why there is nothing: another cluster, an unknown version, or malformed.
[[nodiscard]] std::optional<hello> decode_hello(bytes_view in, std::uint32_t cluster, std::error_code& error);
[[nodiscard]] std::optional<welcome> decode_welcome(bytes_view in, std::uint32_t cluster, std::error_code& error);
/// What every further frame starts with.
[[nodiscard]] std::optional<frame_header> decode_header(bytes_view in) noexcept;
/// Records that share the frame's memory where a value is large, and have their own where it is small.
[[nodiscard]] std::optional<std::vector<record>> decode_append(const bytes& in, std::size_t value_size_max);
[[nodiscard]] std::optional<watermark_ack> decode_ack(bytes_view in) noexcept;
[[nodiscard]] std::optional<std::uint64_t> decode_durable(bytes_view in) noexcept;
[[nodiscard]] std::optional<watermark_query> decode_watermark_query(bytes_view in) noexcept;
[[nodiscard]] std::optional<watermark_reply> decode_watermark_reply(bytes_view in) noexcept;
[[nodiscard]] std::optional<read_request> decode_read_request(bytes_view in) noexcept;
[[nodiscard]] std::optional<read_reply> decode_read_reply(const bytes& in);
[[nodiscard]] std::optional<write_request> decode_write_request(const bytes& in);
[[nodiscard]] std::optional<write_reply> decode_write_reply(bytes_view in) noexcept;
[[nodiscard]] std::optional<view> decode_view(bytes_view in);
[[nodiscard]] std::optional<view> decode_view_body(bytes_view in);

}  // namespace artillery::replication

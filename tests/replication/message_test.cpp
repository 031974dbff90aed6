// The frames of replication, byte for byte, and what becomes of bytes that are none.
#include "replication/message.hpp"

#include <functional>
#include <string>

#include "base/crc32c.hpp"
#include "base/random.hpp"
#include "catch.hpp"
#include "replication/checkpoint.hpp"

using namespace artillery;
using namespace artillery::replication;

namespace {

constexpr std::uint32_t cluster = 0x04030201;

bytes whole(const frame& f) {
  std::vector<std::byte> all = f.header;
  for (const bytes& part : f.body) all.insert(all.end(), part.view().begin(), part.view().end());
  return bytes::copy(all);
}

std::string hex(const bytes& b) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (std::byte byte : b.view()) {
    text += digits[std::to_integer<std::size_t>(byte) >> 4U];
    text += digits[std::to_integer<std::size_t>(byte) & 15U];
  }
  return text;
}

record put_record(std::uint64_t seq, std::string key, std::string value) {
  record r;
  r.seq = seq;
  r.epoch = 2;
  r.session = 7;
  r.number = 300;
  r.lowest = 299;
  r.result = {true, {2, seq}};
  const std::uint32_t checksum = detail::crc32c(as_bytes(value));
  r.effects.push_back({object_effect::kind::put, std::move(key), std::move(value), checksum});
  return r;
}

record failed_record(std::uint64_t seq) {
  record r;
  r.seq = seq;
  r.epoch = 1;
  r.session = 7;
  r.number = 1;
  r.lowest = 1;
  r.result = {false, {1, 4}};
  return r;
}

bytes append_of(const std::vector<record>& records) {
  frame f;
  append_encoder encoder{f, 2, records.front().seq};
  for (const record& r : records) encoder.add(r);
  encoder.finish();
  return whole(f);
}

view some_view() {
  view v;
  v.chain = 1;
  v.epoch = 2;
  v.replicas = {{{{1, 2}, 3}, endpoint::v4(10, 0, 0, 1, 7000)}, {{{4, 5}, 6}, endpoint::v4(10, 0, 0, 2, 7000)}};
  return v;
}

/// One well-formed frame of every kind, with the decoder that takes it.
struct sample {
  std::string name;
  bytes frame;
  std::function<bool(const bytes&)> decodes;
};

void add_samples_of_learners(std::vector<sample>& all) {
  const auto add = [&](std::string name, const frame& f, std::function<bool(const bytes&)> decodes) {
    all.push_back({std::move(name), whole(f), std::move(decodes)});
  };
  const auto is_checkpoint = [](const bytes& b) { return decode_checkpoint(b, 1000).has_value(); };
  std::error_code error;
  frame f;
  encode(f, cluster, hello{link_role::learner, 1, 2, {{3, 4}, 6}, endpoint::v4(10, 0, 0, 3, 7000), 5});
  add("hello of a learner", f, [error](const bytes& b) mutable { return decode_hello(b, cluster, error).has_value(); });
  checkpoint_part part;
  part.base = {2, 9};
  encode(f, 2, part);
  add("checkpoint begins", f, is_checkpoint);
  part = {};
  part.what = checkpoint_part::stage::sessions;
  part.sessions.push_back({.key = 7, .used = 9, .lowest = 3, .kept = {{4, 9, {true, {2, 9}}}}});
  encode(f, 2, part);
  add("checkpoint's sessions", f, is_checkpoint);
  part = {};
  part.what = checkpoint_part::stage::objects;
  part.objects.push_back({"key", {{2, 9}, bytes{"value"}, detail::crc32c(as_bytes("value"))}});
  encode(f, 2, part);
  add("checkpoint's objects", f, is_checkpoint);
  part = {};
  part.what = checkpoint_part::stage::end;
  encode(f, 2, part);
  add("checkpoint ends", f, is_checkpoint);
  encode(f, 2, learner_position{.last = {2, 9}, .parts = 4, .synced = 8});
  add("position", f, [](const bytes& b) { return decode_position(b).has_value(); });
  encode_committed(f, 2, 9);
  add("committed", f, [](const bytes& b) { return decode_committed(b).has_value(); });
  encode_durable(f, 2, 9);
  add("durable", f, [](const bytes& b) { return decode_durable(b).has_value(); });
}

std::vector<sample> samples() {
  std::vector<sample> all;
  const auto add = [&](std::string name, const frame& f, std::function<bool(const bytes&)> decodes) {
    all.push_back({std::move(name), whole(f), std::move(decodes)});
  };
  std::error_code error;
  frame f;
  encode(f, cluster, hello{link_role::predecessor, 1, 2, {{3, 4}, 5}});
  add("hello", f, [error](const bytes& b) mutable { return decode_hello(b, cluster, error).has_value(); });
  encode(f, cluster, welcome{reply_status::ok, 1, 2, {{3, 4}, 5}, {2, 9}, 8});
  add("welcome", f, [error](const bytes& b) mutable { return decode_welcome(b, cluster, error).has_value(); });
  all.push_back({"append", append_of({put_record(9, "key", "value"), failed_record(10)}),
                 [](const bytes& b) { return decode_append(b, 1000).has_value(); }});
  encode(f, 2, watermark_ack{.watermark = 9, .tail_opened = true});
  add("ack", f, [](const bytes& b) { return decode_ack(b).has_value(); });
  encode(f, 2, watermark_query{17});
  add("watermark query", f, [](const bytes& b) { return decode_watermark_query(b).has_value(); });
  encode(f, 2, watermark_reply{17, reply_status::ok, 9});
  add("watermark reply", f, [](const bytes& b) { return decode_watermark_reply(b).has_value(); });
  encode(f, 2, read_request{5, bounded(3U), {{1, 300}, {2, 9}}, as_bytes("key")});
  add("read", f, [](const bytes& b) { return decode_read_request(b).has_value(); });
  encode(f, 2, read_reply{5, reply_status::ok, {bytes{"v"}, {2, 9}, {2, 11}, true, false}, 77});
  add("read reply", f, [](const bytes& b) { return decode_read_reply(b).has_value(); });
  encode(f, 2,
         write_request{5, write_request::kind::put, 7, 300, 299, condition::is({2, 9}), "key", "value",
                       detail::crc32c(as_bytes("value"))});
  add("write", f, [](const bytes& b) { return decode_write_request(b).has_value(); });
  encode(f, 2, write_reply{5, reply_status::ok, {true, {2, 9}}});
  add("write reply", f, [](const bytes& b) { return decode_write_reply(b).has_value(); });
  encode(f, 2, write_reply{5, reply_status::ok, {true, {2, 9}}, 0x0807060504030201});
  add("write reply with a session", f, [](const bytes& b) { return decode_write_reply(b).has_value(); });
  encode_view(f, 2, some_view());
  add("view reply", f, [](const bytes& b) { return decode_view(b).has_value(); });
  add_samples_of_learners(all);
  return all;
}

}  // namespace

TEST_CASE("the frames are these bytes and no others", "[replication][wire]") {
  const std::vector<std::pair<std::string, std::string>> golden{
      {"hello",
       "a701610000010203040101010100000000000000020000000000000003000000000000000400000000000000"
       "0500000000000000"},
      {"welcome",
       "a701620000010203040101000100000000000000020000000000000003000000000000000400000000000000"
       "0500000000000000020000000000000009000000000000000800000000000000"},
      {"append",
       "03000000020000000000000009000000000000000200000000010007ac02010100036b65796303e0e1057661"
       "6c7565000001070100010400"},
      {"ack", "040000000200000000000000090000000000000001"},
      {"watermark query", "0500000002000000000000001100000000000000"},
      {"watermark reply", "0600000002000000000000001100000000000000000900000000000000"},
      {"read", "070000000200000000000000050e01ac020209036b6579"},
      {"read reply", "080000000200000000000000050007020b02094d00000076"},
      {"write", "090000000200000000000000050007ac0201020209036b65796303e0e176616c7565"},
      {"write reply", "0a00000002000000000000000500010209"},
      {"write reply with a session", "0a000000020000000000000005000302090102030405060708"},
      {"view reply",
       "0c00000002000000000000000100000000000000020000000000000002010000000000000002000000000000"
       "000300000000000000040a000001581b040000000000000005000000000000000600000000000000040a0000"
       "02581b000000000000000000000000f40100000000"},
      {"hello of a learner",
       "a701610000010203040101030100000000000000020000000000000003000000000000000400000000000000"
       "0600000000000000040a000003581b0500000000000000"},
      {"checkpoint begins", "0f0000000200000000000000000209"},
      {"checkpoint's sessions", "0f0000000200000000000000010107000000000000000903010409010209"},
      {"checkpoint's objects", "0f00000002000000000000000201036b657902096303e0e10576616c7565"},
      {"checkpoint ends", "0f000000020000000000000003"},
      {"position",
       "10000000020000000000000002000000000000000900000000000000040000000000000008000000000000"
       "00"},
      {"committed", "1100000002000000000000000900000000000000"},
      {"durable", "1300000002000000000000000900000000000000"},
  };
  const auto all = samples();
  REQUIRE(all.size() == golden.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(all[i].name == golden[i].first);
    CHECK(hex(all[i].frame) == golden[i].second);
    CHECK(all[i].decodes(all[i].frame));
  }
}

TEST_CASE("the frames that say nothing but their kind are these bytes and no others", "[replication][wire]") {
  const std::vector<std::pair<frame_kind, std::string>> golden{{frame_kind::view_request, "0b0000000200000000000000"},
                                                               {frame_kind::ping, "0d0000000200000000000000"},
                                                               {frame_kind::pong, "0e0000000200000000000000"},
                                                               {frame_kind::lapsed, "120000000200000000000000"}};
  for (const auto& [kind, expected] : golden) {
    frame f;
    encode_bare(f, kind, 2);
    CHECK(hex(whole(f)) == expected);
    const auto decoded = decode_header(f.header);
    REQUIRE(decoded);
    CHECK(decoded->kind == kind);
    CHECK(decoded->epoch == 2);
  }
}

TEST_CASE("records come out of an append as they went in", "[replication][wire]") {
  const std::string large(inline_value_max + 1, 'x');
  record erased = put_record(12, "k", "");
  erased.effects[0] = {object_effect::kind::erase, "k", {}, 0};
  record opened;
  opened.what = record::kind::open_session;
  opened.seq = 13;
  opened.epoch = 2;
  opened.session = 13;
  opened.number = 5;
  opened.result = {true, {2, 13}};
  const std::vector<record> records{
      put_record(9, "a", "small"),        put_record(10, "b", large), failed_record(11), erased, opened,
      put_record(14, "c", large + large), put_record(15, "d", "")};
  const auto decoded = decode_append(append_of(records), 4096);
  REQUIRE(decoded);
  opened.lowest = 0;
  CHECK(*decoded == records);
}

TEST_CASE("a small value does not keep its whole frame alive", "[replication][wire]") {
  const auto decoded = decode_append(append_of({put_record(1, "a", "small"), put_record(2, "b", std::string(600, 'x')),
                                                put_record(3, "c", std::string(60'000, 'y'))}),
                                     100'000);
  REQUIRE(decoded);
  CHECK((*decoded)[0].effects[0].value.retained() < 100);
  CHECK((*decoded)[1].effects[0].value.retained() < 2000);
}

TEST_CASE("a view comes out as it went in", "[replication][wire]") {
  view v = some_view();
  v.learners = {{{{7, 8}, 9}, endpoint::v4(10, 0, 0, 3, 7000)}};
  v.readers = {{{1, 2}, 3}};
  v.kept_out = {{9, 9}};
  v.reads = read_mode::tail_only;
  v.leases = lease_mode::timed;
  v.lease = std::chrono::seconds{1};
  frame f;
  encode_view(f, 2, v);
  CHECK(decode_view(whole(f)) == v);
}

TEST_CASE("a bound without end is one that the wire can carry", "[replication][wire]") {
  for (const duration staleness : {duration::max(), duration::min(), duration{0}, consistency::staleness_max}) {
    frame f;
    encode(f, 2, read_request{5, bounded(staleness), {}, as_bytes("key")});
    const auto decoded = decode_read_request(f.header);
    REQUIRE(decoded);
    CHECK(decoded->level == bounded(staleness));
  }
}

TEST_CASE("a frame that is cut short anywhere, or goes on, is refused", "[replication][wire]") {
  for (const sample& s : samples()) {
    CAPTURE(s.name);
    // Of a read the key, of a read's answer the value, is whatever is left: shorter is another well-formed one.
    const bool open_ended = s.name == "read" || s.name == "read reply" || s.name == "write";
    for (std::size_t size = 0; size < s.frame.size(); ++size) {
      const bool decoded = s.decodes(bytes::copy(s.frame.view().first(size)));
      CHECK((open_ended || !decoded));
    }
    if (!open_ended) CHECK_FALSE(s.decodes(bytes{std::string{s.frame.text()} + "x"}));
  }
}

TEST_CASE("no bytes at all bring a decoder down", "[replication][wire]") {
  detail::random random{1};
  std::size_t decoded = 0;
  for (const sample& s : samples()) {
    for (std::size_t bit = 0; bit < s.frame.size() * 8; ++bit) {
      std::string flipped{s.frame.text()};
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
      for (const sample& other : samples()) decoded += other.decodes(bytes{flipped}) ? 1U : 0U;
    }
    for (int i = 0; i < 200; ++i) {
      std::string noise(static_cast<std::size_t>(random.below(200)), '\0');
      for (char& c : noise) c = static_cast<char>(random.next());
      decoded += s.decodes(bytes{noise}) ? 1U : 0U;
    }
  }
  CHECK(decoded > 0);
}

TEST_CASE("counts and sizes beyond what is there are refused before anything is made for them", "[replication][wire]") {
  const auto patched = [](std::size_t at, std::uint8_t value) {
    std::string text{append_of({put_record(9, "key", "value")}).text()};
    text[at] = static_cast<char>(value);
    return bytes{text};
  };
  constexpr std::size_t count_at = frame_header_size + 8;
  CHECK(decode_append(patched(count_at, 1), 1000));
  CHECK_FALSE(decode_append(patched(count_at, 2), 1000));
  CHECK_FALSE(decode_append(patched(count_at, 0), 1000));
  CHECK_FALSE(decode_append(patched(count_at + 3, 0x7f), 1000));              // two thousand million records
  CHECK_FALSE(decode_append(append_of({put_record(9, "key", "value")}), 4));  // over value_size_max
  CHECK_FALSE(decode_append(append_of({put_record(9, std::string(key_size_max + 1, 'k'), "v")}), 1000));
}

TEST_CASE("a handshake of another cluster, version or module is told apart", "[replication][wire]") {
  frame f;
  encode(f, cluster, hello{link_role::client, 1, 0, {}});
  std::error_code error;
  CHECK(decode_hello(f.header, cluster, error));
  CHECK_FALSE(decode_hello(f.header, cluster + 1, error));
  CHECK(error == errc::wrong_cluster);
  frame newer = f;
  newer.header[9] = std::byte{9};   // oldest version spoken
  newer.header[10] = std::byte{9};  // newest
  CHECK_FALSE(decode_hello(newer.header, cluster, error));
  CHECK(error == errc::unsupported_version);
  frame other = f;
  other.header[2] = std::byte{0x41};  // membership
  CHECK_FALSE(decode_hello(other.header, cluster, error));
  CHECK(error == errc::malformed);
  CHECK_FALSE(decode_welcome(f.header, cluster, error));
}

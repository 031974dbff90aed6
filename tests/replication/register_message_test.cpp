// What voters and proposers say, byte for byte; what becomes of bytes that are none; the voter's file likewise.
#include "replication/register_message.hpp"

#include <string>

#include "base/random.hpp"
#include "base/wire.hpp"
#include "catch.hpp"
#include "replication/voter_state.hpp"

using namespace artillery;
using namespace artillery::replication;

namespace {

constexpr std::uint32_t cluster = 0x04030201;

std::string hex_of(bytes_view b) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (std::byte byte : b) {
    text += digits[std::to_integer<std::size_t>(byte) >> 4U];
    text += digits[std::to_integer<std::size_t>(byte) & 15U];
  }
  return text;
}

view register_view() {
  view v;
  v.chain = 7;
  v.epoch = 2;
  v.replicas = {{{{1, 2}, 3}, endpoint::v4(10, 0, 0, 1, 7000)}};
  v.readers = {{{1, 2}, 3}, {{4, 5}, 6}};
  v.voters = {{{{8, 9}, 10}, endpoint::v4(10, 0, 0, 2, 7400)}};
  v.leases = lease_mode::timed;
  v.lease = std::chrono::seconds{2};
  return v;
}

std::vector<register_request> requests() {
  std::vector<register_request> all;
  for (std::uint8_t i = 0; i <= register_question_max; ++i) {
    register_request q;
    q.what = static_cast<register_question>(i);
    q.number = 0x11;
    q.chain = 7;
    q.genesis = 0x22;
    q.asker = {{1, 2}, 3};
    q.voter = 10;
    if (q.what == register_question::prepare || q.what == register_question::accept) q.at = {5, {1, 2}, 0x33};
    if (q.what == register_question::renew || q.what == register_question::report) q.epoch = 2;
    if (q.what == register_question::report) q.whom = {{{4, 5}, 6}, {{7, 8}, 9}};
    if (q.what == register_question::found || q.what == register_question::accept) q.value = register_view();
    all.push_back(q);
  }
  return all;
}

std::vector<register_reply> replies() {
  std::vector<register_reply> all;
  for (std::uint8_t i = 0; i <= register_question_max; ++i) {
    for (std::uint8_t verdict = 0; verdict <= voter_verdict_max; ++verdict) {
      register_reply r;
      r.what = static_cast<register_question>(i);
      r.verdict = static_cast<voter_verdict>(verdict);
      r.number = 0x11;
      r.chain = 7;
      r.genesis = 0x22;
      r.voter = {{8, 9}, 10};
      const bool is_ballot = r.what == register_question::prepare ||
                             (r.what == register_question::accept && r.verdict == voter_verdict::no) ||
                             (r.what == register_question::report && r.verdict == voter_verdict::yes);
      if (is_ballot && verdict <= 1) r.at = {5, {1, 2}, 0x33};
      const bool is_poll = r.what == register_question::renew || r.what == register_question::report;
      if (is_poll && verdict <= 1) r.epoch = 2;
      if (r.what == register_question::report && verdict == 0) r.quiet = std::chrono::seconds{3};
      const bool is_told = r.what == register_question::identify || r.what == register_question::prepare;
      if (is_told && verdict == 0) r.value = register_view();
      all.push_back(r);
    }
  }
  return all;
}

std::vector<std::byte> bytes_of(const register_request& q) {
  std::vector<std::byte> out;
  encode(out, cluster, q);
  return out;
}
std::vector<std::byte> bytes_of(const register_reply& r) {
  std::vector<std::byte> out;
  encode(out, cluster, r);
  return out;
}

bool is_sound(bytes_view datagram) {
  std::error_code error;
  const bool is_request = decode_register_request(datagram, cluster, error).has_value();
  const bool is_reply = decode_register_reply(datagram, cluster, error).has_value();
  return is_request || is_reply;
}

/// The datagram with a checksum that is right again: what is behind it must stand on its own.
void seal(std::vector<std::byte>& datagram) {
  if (datagram.size() >= detail::datagram_header_size) detail::seal_datagram(datagram);
}

voter_state founded_voter() {
  voter_state s;
  s.chain = 7;
  s.self = {{8, 9}, 10};
  s.genesis = 0x22;
  s.promised = {6, {1, 2}, 0x33};
  s.accepted = {5, {1, 2}, 0x33};
  s.value = register_view();
  return s;
}

}  // namespace

TEST_CASE("the register's datagrams carry all that they say", "[replication][register][wire]") {
  std::error_code error;
  for (const auto& q : requests()) {
    const auto datagram = bytes_of(q);
    CHECK(decode_register_request(datagram, cluster, error) == q);
    CHECK_FALSE(decode_register_reply(datagram, cluster, error));
    CHECK(is_register_request(datagram));
  }
  for (const auto& r : replies()) {
    const auto datagram = bytes_of(r);
    CHECK(decode_register_reply(datagram, cluster, error) == r);
    CHECK_FALSE(decode_register_request(datagram, cluster, error));
    CHECK_FALSE(is_register_request(datagram));
  }
}

TEST_CASE("the register's datagrams are these bytes and no others", "[replication][register][wire]") {
  const auto all = requests();
  CHECK(hex_of(bytes_of(all[2])) ==
        "a70172000001020304d31135ea1100000000000000070000000000000022000000000000000100000000000000"
        "020000000000000003000000000000000a00000000000000050000000000000001000000000000000200000000"
        "0000003300000000000000");
  CHECK(hex_of(bytes_of(all[3])) ==
        "a70173000001020304bae640491100000000000000070000000000000022000000000000000100000000000000"
        "020000000000000003000000000000000a00000000000000050000000000000001000000000000000200000000"
        "000000330000000000000091010700000000000000020000000000000001010000000000000002000000000000"
        "000300000000000000040a000001581b0001080000000000000009000000000000000a00000000000000040a00"
        "0002e81c0201000000000000000200000000000000030000000000000004000000000000000500000000000000"
        "0600000000000000000094357700000000f40100000100");
  CHECK(hex_of(bytes_of(all[4])) ==
        "a701740000010203041641c9ff1100000000000000070000000000000022000000000000000100000000000000"
        "020000000000000003000000000000000a000000000000000200000000000000");
  CHECK(hex_of(bytes_of(replies()[12])) ==
        "a7017a0000010203046a52a89d1100000000000000070000000000000022000000000000000800000000000000"
        "09000000000000000a000000000000000005000000000000000100000000000000020000000000000033000000"
        "000000009101070000000000000002000000000000000101000000000000000200000000000000030000000000"
        "0000040a000001581b0001080000000000000009000000000000000a00000000000000040a000002e81c020100"
        "000000000000020000000000000003000000000000000400000000000000050000000000000006000000000000"
        "00000094357700000000f40100000100");
  CHECK(hex_of(bytes_of(replies()[24])) ==
        "a7017c00000102030472dbf69e1100000000000000070000000000000022000000000000000800000000000000"
        "09000000000000000a00000000000000000200000000000000");
  CHECK(hex_of(bytes_of(replies()[30])) ==
        "a7017d0000010203043f28da801100000000000000070000000000000022000000000000000800000000000000"
        "09000000000000000a000000000000000005000000000000000100000000000000020000000000000033000000"
        "000000000200000000000000005ed0b200000000");
}

TEST_CASE("a datagram of another cluster is none of ours", "[replication][register][wire]") {
  std::error_code error;
  CHECK_FALSE(decode_register_request(bytes_of(requests()[2]), cluster + 1, error));
  CHECK(error == errc::wrong_cluster);
}

TEST_CASE("a cut datagram of the register is none", "[replication][register][wire]") {
  const auto cut = [](std::vector<std::byte> datagram) {
    while (!datagram.empty()) {
      datagram.pop_back();
      seal(datagram);
      if (is_sound(datagram)) return false;
    }
    return true;
  };
  for (const auto& q : requests()) CHECK(cut(bytes_of(q)));
  for (const auto& r : replies()) CHECK(cut(bytes_of(r)));
}

TEST_CASE("a longer datagram of the register is none", "[replication][register][wire]") {
  for (const auto& q : requests()) {
    auto datagram = bytes_of(q);
    datagram.push_back(std::byte{0});
    seal(datagram);
    CHECK_FALSE(is_sound(datagram));
  }
}

TEST_CASE("bits flipped in a datagram of the register do no harm", "[replication][register][wire]") {
  const auto flip = [](const std::vector<std::byte>& sound) {
    for (std::size_t bit = 0; bit < sound.size() * 8; ++bit) {
      auto datagram = sound;
      datagram[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
      REQUIRE_FALSE(is_sound(datagram));  // the checksum sees each
      seal(datagram);
      static_cast<void>(is_sound(datagram));  // may mean something else now, and is read within its bounds
    }
  };
  for (const auto& q : requests()) flip(bytes_of(q));
  for (const auto& r : replies()) flip(bytes_of(r));
}

TEST_CASE("random bytes are read within their bounds", "[replication][register][wire]") {
  detail::random random{1};
  for (int i = 0; i < 20'000; ++i) {
    auto datagram = bytes_of(requests()[static_cast<std::size_t>(random.below(6))]);
    datagram.resize(static_cast<std::size_t>(random.between(13, 300)));
    for (std::size_t k = 13; k < datagram.size(); ++k) datagram[k] = static_cast<std::byte>(random.below(256));
    seal(datagram);
    static_cast<void>(is_sound(datagram));
    static_cast<void>(decode_voter(datagram));
  }
}

TEST_CASE("a voter's file is read as it was written", "[replication][register][file]") {
  const voter_state state = founded_voter();
  const auto read = decode_voter(encode_voter(state));
  CHECK(read.fault == voter_fault::none);
  CHECK(read.state == state);
  voter_state fresh;
  fresh.chain = 7;
  fresh.self = {{8, 9}, 10};
  CHECK(decode_voter(encode_voter(fresh)).state == fresh);
}

TEST_CASE("a voter's file is these bytes and no others", "[replication][register][file]") {
  CHECK(hex_of(encode_voter(founded_voter())) ==
        "617274696c6c65727920766f7465720a0100fb0000000700000000000000080000000000000009000000000000"
        "000a00000000000000220000000000000006000000000000000100000000000000020000000000000033000000"
        "000000000500000000000000010000000000000002000000000000003300000000000000910107000000000000"
        "00020000000000000001010000000000000002000000000000000300000000000000040a000001581b00010800"
        "00000000000009000000000000000a00000000000000040a000002e81c02010000000000000002000000000000"
        "000300000000000000040000000000000005000000000000000600000000000000000094357700000000f40100"
        "0001005ae65ed0");
}

TEST_CASE("a voter's file that is cut short says so at every length", "[replication][register][file]") {
  const auto file = encode_voter(founded_voter());
  for (std::size_t size = 0; size < file.size(); ++size) {
    CHECK(decode_voter(bytes_view{file}.first(size)).fault == voter_fault::truncated);
  }
}

TEST_CASE("a voter's file in which any bit was changed is refused", "[replication][register][file]") {
  const auto sound = encode_voter(founded_voter());
  for (std::size_t bit = 0; bit < sound.size() * 8; ++bit) {
    auto file = sound;
    file[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    CHECK(decode_voter(file).fault != voter_fault::none);
  }
  auto longer = sound;
  longer.push_back(std::byte{0});
  CHECK(decode_voter(longer).fault == voter_fault::damaged);
}

TEST_CASE("a voter's file of a newer format, or no voter's file, is called so", "[replication][register][file]") {
  auto file = encode_voter(founded_voter());
  file[16] = std::byte{2};
  CHECK(decode_voter(file).fault == voter_fault::newer_format);
  CHECK(decode_voter(as_bytes("# notes of mine\n and more of them")).fault == voter_fault::not_a_voter_file);
}

TEST_CASE("a voter's file of another chain, node or set of voters is not taken", "[replication][register][file]") {
  const voter_state state = founded_voter();
  CHECK(check_voter(state, 7, {8, 9}, {}) == voter_fault::none);
  CHECK(check_voter(state, 7, {8, 9}, state.value.voters) == voter_fault::none);
  CHECK(check_voter(state, 8, {8, 9}, {}) == voter_fault::other_chain);
  CHECK(check_voter(state, 7, {8, 8}, {}) == voter_fault::other_node);
  auto others = state.value.voters;
  others.push_back({{{1, 1}, 1}, endpoint::v4(10, 0, 0, 3, 7400)});
  CHECK(check_voter(state, 7, {8, 9}, others) == voter_fault::voters_disagree);
  others.erase(others.begin());
  CHECK(check_voter(state, 7, {8, 9}, others) == voter_fault::voters_disagree);
}

TEST_CASE("every fault of a voter's file is told with what to do", "[replication][register][file]") {
  for (const auto fault :
       {voter_fault::not_a_voter_file, voter_fault::truncated, voter_fault::damaged, voter_fault::newer_format,
        voter_fault::other_chain, voter_fault::other_node, voter_fault::voters_disagree}) {
    const std::string text = describe(fault, "/data/voter");
    CHECK(text.find("/data/voter") != std::string::npos);
    CHECK(text.find("nothing was changed") != std::string::npos);
  }
}

// Proposer and voter of one process behind one socket.
#include <span>
#include <vector>

#include "base/wire.hpp"
#include "catch.hpp"
#include "replication/register_core.hpp"

using namespace artillery;
using namespace artillery::replication;
using namespace std::chrono_literals;

namespace {

/// Keeps what a process sends.
class sent_datagrams final : public effects<register_event> {
public:
  using network_effects::send;
  void send(const connection& to, bytes_view header, std::span<const bytes>) override {
    to_.push_back(to.peer);
    all_.push_back(bytes::copy(header));
  }
  void open(std::uint64_t, const endpoint&) override {}
  void close(std::uint64_t) override {}
  void persist(operation, std::span<const bytes>) override {}
  void deliver(register_event) override {}

  std::vector<endpoint> to_;
  std::vector<bytes> all_;
};

const endpoint here = endpoint::v4(10, 0, 0, 1, 7400);
const endpoint elsewhere = endpoint::v4(10, 0, 0, 2, 7400);
constexpr time_point now{100s};

proposer_config config_without_voters() {
  proposer_config config;
  config.chain = 7;
  config.node = {1, 1};
  return config;
}

std::vector<std::byte> who_are_you() {
  register_request question;
  question.number = 5;
  question.chain = 7;
  std::vector<std::byte> datagram;
  encode(datagram, detail::cluster_tag("default"), question);
  return datagram;
}

}  // namespace

TEST_CASE("a process without a directory counts what is asked of a voter", "[replication][register]") {
  register_core process{config_without_voters(), detail::random{1}};
  sent_datagrams out;
  process.receive(connection::datagram(elsewhere), who_are_you(), now, out);
  CHECK(process.misdirected() == 1);
  CHECK(process.voter() == nullptr);
  CHECK(out.all_.empty());
}

TEST_CASE("a process with a directory answers as a voter", "[replication][register]") {
  register_core process{config_without_voters(), detail::random{1}};
  voter_state fresh;
  fresh.chain = 7;
  fresh.self = {{1, 1}, 9};
  process.vote(fresh, now);
  sent_datagrams out;
  process.receive(connection::datagram(elsewhere), who_are_you(), now, out);
  REQUIRE(out.all_.size() == 1);
  CHECK(out.to_[0] == elsewhere);
  std::error_code error;
  const auto answer = decode_register_reply(out.all_[0], detail::cluster_tag("default"), error);
  REQUIRE(answer);
  CHECK(answer->voter == fresh.self);
  CHECK(process.misdirected() == 0);
}

TEST_CASE("questions wait until it is known who the voters are", "[replication][register]") {
  register_core process{config_without_voters(), detail::random{1}};
  sent_datagrams out;
  process.ask({{1, 1}, 1}, authority_read{1}, now, out);
  CHECK(out.all_.empty());
  process.use_voters({{{{1, 1}, 0}, here}, {{{1, 2}, 0}, elsewhere}}, now, out);
  CHECK(out.to_ == std::vector<endpoint>{here, elsewhere});
}

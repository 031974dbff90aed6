// A client whose chain changes its view: whom it asks for what, and how often.
#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "base/wire.hpp"
#include "catch.hpp"
#include "replication/client_core.hpp"
#include "replication/message.hpp"

using namespace artillery;
using namespace artillery::replication;
using namespace std::chrono_literals;

namespace {

/// A client's core, and replicas that say what the test lets them say.
class asked_client final : public client_effects {
public:
  asked_client() : core_{config(), detail::random{1}} {
    core_.start(now, *this);
    for (std::uint64_t node = 1; node <= 2; ++node) open(node);
    tell_view(1, chain(1, {1, 2}));
  }

  static view chain(std::uint64_t epoch, const std::vector<std::uint64_t>& nodes) {
    view v;
    v.chain = 1;
    v.epoch = epoch;
    v.leases = lease_mode::timed;
    v.lease = 1s;
    for (const std::uint64_t node : nodes) v.replicas.push_back({name(node), place(node)});
    return v;
  }

  void tell_view(std::uint64_t by, const view& told) {
    encode_view(scratch_, told.epoch, told);
    receive(by);
  }
  void write(request_id request) { core_.write(request, replication::write::put("k", "v"), std::nullopt, now, *this); }
  void open_session(std::uint64_t by) {
    encode(scratch_, core_.view().epoch, write_reply{session_request, reply_status::ok, {true, {1, 1}}, 7});
    receive(by);
  }
  void pass(duration length) {
    const time_point until = now + length;
    while (core_.next_deadline() && *core_.next_deadline() <= until) {
      now = std::max(now, *core_.next_deadline());
      core_.expire(now, *this);
    }
    now = until;
  }
  /// The requests of this kind that a node got, in their order.
  [[nodiscard]] std::vector<write_request> writes_to(std::uint64_t node, write_request::kind what) const {
    std::vector<write_request> all;
    for (const auto& [to, frame] : sent_) {
      const auto request = to == node ? decode_write_request(frame) : std::nullopt;
      if (request && request->what == what) all.push_back(*request);
    }
    return all;
  }
  [[nodiscard]] std::size_t views_asked_of(std::uint64_t node) const {
    return static_cast<std::size_t>(std::count_if(sent_.begin(), sent_.end(), [&](const auto& each) {
      const auto header = decode_header(each.second);
      return each.first == node && header && header->kind == frame_kind::view_request;
    }));
  }

  void send(const connection& to, bytes_view header, std::span<const bytes> body) override {
    sent_.emplace_back(node_of(to.number), joined(header, body));
  }
  void open(std::uint64_t number, const endpoint& to) override {
    streams_.emplace_back(number, static_cast<std::uint64_t>(to.port() - 7000));
  }
  void close(std::uint64_t /*number*/) override {}
  void persist(operation /*op*/, std::span<const bytes> /*slices*/) override {}
  void answer(request_id /*request*/, std::error_code /*error*/, const read_result& /*result*/) override {}
  void answer(request_id /*request*/, std::error_code /*error*/, const write_result& /*result*/) override {}

  time_point now{1h};

private:
  static bytes joined(bytes_view header, std::span<const bytes> body) {
    std::vector<std::byte> whole{header.begin(), header.end()};
    for (const bytes& part : body) whole.insert(whole.end(), part.view().begin(), part.view().end());
    return bytes::copy(whole);
  }
  static replica_id name(std::uint64_t node) { return {{1, node}, 1}; }
  static endpoint place(std::uint64_t node) {
    return endpoint::v4(10, 0, 0, 1, static_cast<std::uint16_t>(7000 + node));
  }
  static client_config config() {
    client_config made;
    made.replicas = {place(1), place(2)};
    return made;
  }

  [[nodiscard]] std::uint64_t node_of(std::uint64_t stream) const {
    for (const auto& [number, node] : streams_) {
      if (number == stream) return node;
    }
    return 0;
  }
  [[nodiscard]] connection stream_to(std::uint64_t node) const {
    const auto newest =
        std::find_if(streams_.rbegin(), streams_.rend(), [&](const auto& each) { return each.second == node; });
    return connection::stream(newest->first);
  }
  void open(std::uint64_t node) {
    core_.link(stream_to(node), link_state::up, now, *this);
    encode(scratch_, detail::cluster_tag("artillery"), welcome{reply_status::ok, 1, 1, name(node), {}, 0});
    receive(node);
  }
  void receive(std::uint64_t from) {
    core_.receive(stream_to(from), joined(scratch_.header, scratch_.body), now, *this);
  }

  client_core core_;
  frame scratch_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> streams_;  // number, node
  std::vector<std::pair<std::uint64_t, bytes>> sent_;             // node, frame
};

}  // namespace

TEST_CASE("a session that the head of an older view was asked for is asked of the new head", "[replication][client]") {
  using kind = write_request::kind;
  asked_client client;
  client.write(1);
  REQUIRE(client.writes_to(1, kind::open_session).size() == 1);
  client.tell_view(2, asked_client::chain(2, {2}));
  REQUIRE(client.writes_to(2, kind::open_session).size() == 1);
  client.open_session(2);
  CHECK(client.writes_to(2, kind::put).size() == 1);
}

TEST_CASE("a write that the head of an older view has not answered goes to the new head under its number",
          "[replication][client]") {
  using kind = write_request::kind;
  asked_client client;
  client.write(1);
  client.open_session(1);
  REQUIRE(client.writes_to(1, kind::put).size() == 1);
  client.tell_view(2, asked_client::chain(2, {2}));
  const auto again = client.writes_to(2, kind::put);
  REQUIRE(again.size() == 1);
  CHECK(again.front().number == client.writes_to(1, kind::put).front().number);
  CHECK(again.front().session == 7);
}

TEST_CASE("a view that is doubted is asked for until something is answered", "[replication][client]") {
  asked_client client;
  client.write(1);
  client.open_session(1);
  const std::size_t at_first = client.views_asked_of(2);
  client.pass(450ms);
  CHECK(client.views_asked_of(2) == at_first);
  client.pass(600ms);  // no answer to the first attempt
  const std::size_t asked = client.views_asked_of(2);
  CHECK(asked >= at_first + 2);
  client.tell_view(2, asked_client::chain(2, {2, 1}));
  client.pass(300ms);
  CHECK(client.views_asked_of(2) <= asked + 1);
}

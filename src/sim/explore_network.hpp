#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "artillery/bytes.hpp"
#include "artillery/effects.hpp"
#include "base/state_hash.hpp"

namespace artillery::sim {

/// A frame's parts as one.
[[nodiscard]] bytes joined(bytes_view header, std::span<const bytes> body);

/// What lies between the nodes of a small set-up, as a value: all that is under way, so that whoever explores can
/// choose what arrives next. A stream keeps its order in each direction, datagrams keep none. Nodes are numbered from
/// 0.
class explore_network {
public:
  struct arrival {
    enum class kind : std::uint8_t { up, frame, down };
    kind what = kind::frame;
    bytes content;  // of a frame
    std::uint64_t hash = 0;
  };
  struct stream {
    std::uint64_t number = 0;    // as its opener says
    std::uint64_t accepted = 0;  // as its acceptor says
    std::uint8_t opener = 0;
    std::uint8_t acceptor = 0;
    std::vector<arrival> to[2];     // [0]: towards the opener, [1]: towards the acceptor
    bool over[2] = {false, false};  // this end closed it, or was told that it is down

    [[nodiscard]] std::uint8_t node(std::size_t end) const noexcept { return end == 0 ? opener : acceptor; }
    /// Under which name the node at that end knows it.
    [[nodiscard]] connection as_seen_at(std::size_t end) const noexcept;
  };
  struct datagram {
    std::uint8_t from = 0;
    std::uint8_t to = 0;
    bytes content;
    std::uint64_t hash = 0;
  };

  /// `reuses_names`: what an acceptor calls a stream is free again once the stream is over, and the numbers that
  /// openers count up tell nothing but their order; so that whoever opens streams again and again comes to the same
  /// states.
  explicit explore_network(bool reuses_names = false) noexcept : reuses_names_{reuses_names} {}

  [[nodiscard]] static endpoint address_of(std::size_t node) noexcept;
  [[nodiscard]] static std::uint8_t node_at(const endpoint& at) noexcept;

  // --- what nodes do ---
  void open(std::uint8_t opener, std::uint64_t number, std::uint8_t acceptor);
  void close(std::uint8_t node, std::uint64_t number);
  void send(std::uint8_t node, const connection& to, bytes message);

  // --- what happens ---
  /// Takes the first of what is under way to one end of a stream; there must be something.
  arrival take(std::size_t stream, std::size_t end);
  datagram take_datagram(std::size_t which);
  void duplicate_datagram(std::size_t which) { datagrams_.push_back(datagrams_[which]); }
  /// A stream breaks after so many of what is under way in each direction; both ends hear of it in their time.
  void cut(std::size_t stream, std::size_t kept_to_opener, std::size_t kept_to_acceptor);
  /// A node is gone: its streams break, after what it had sent on them or without it.
  void crash(std::uint8_t node, bool keeps_sent);
  /// What is opened to a node that is down hears nothing (`silent`), or is refused.
  void set_down(std::uint8_t node, bool down, bool silent) noexcept;

  [[nodiscard]] const std::vector<stream>& streams() const noexcept { return streams_; }
  [[nodiscard]] const std::vector<datagram>& datagrams() const noexcept { return datagrams_; }
  [[nodiscard]] bool quiet() const noexcept;

  void hash(detail::state_hash& into) const;

private:
  struct end_of_stream {
    stream* at = nullptr;
    std::size_t end = 0;
  };
  [[nodiscard]] end_of_stream find(std::uint8_t node, std::uint64_t number) noexcept;
  static void end_way(std::vector<arrival>& way);
  static void hang_up(stream& at, std::size_t end);
  void forget_ended();
  [[nodiscard]] std::uint64_t name_for_acceptor(std::uint8_t opener, std::uint64_t number) const noexcept;
  static void hash(const stream& one, detail::state_hash& into);

  bool reuses_names_ = false;
  std::vector<stream> streams_;      // by opener and number
  std::vector<datagram> datagrams_;  // in no order that means anything
  std::uint32_t down_ = 0;           // a bit for each node
  std::uint32_t silent_ = 0;
};

}  // namespace artillery::sim

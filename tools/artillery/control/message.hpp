#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

/// What the command and its agent say to each other over a Unix socket. docs/command.md describes it for others.
namespace tool::control {

/// Grows when an agent of today would misunderstand a command of tomorrow.
inline constexpr unsigned protocol_version = 1;

/// A request's line: a key of full length in base64 and all options fit several times.
inline constexpr std::size_t request_line_max = std::size_t{16} << 10U;
/// A reply's line: the list of all the members that a cluster can have.
inline constexpr std::size_t reply_line_max = std::size_t{16} << 20U;
/// The largest value that any chain can hold.
inline constexpr std::size_t body_max = std::size_t{64} << 20U;

/// One JSON object, and bytes that follow it when it has a member `body`, their count.
struct message {
  nlohmann::json head;
  std::string body;
  std::size_t body_size = 0;
  /// The body was larger than the reader takes: it was read and thrown away.
  bool body_dropped = false;
};

/// What arrived is not the protocol; the connection is of no further use.
class malformed : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// The bytes of a message: `head` on a line, then the body.
[[nodiscard]] std::string encode(nlohmann::json head);
[[nodiscard]] std::string encode(nlohmann::json head, std::string_view body);

/// Cuts what arrives, in pieces of any size, into messages. Holds no more memory than what has arrived of one message
/// plus one piece, whatever lengths are claimed.
class decoder {
public:
  struct limits {
    std::size_t line_max = request_line_max;
    /// Larger bodies, up to control::body_max, are thrown away as they come; a claim beyond that is malformed.
    std::size_t body_max = control::body_max;
  };

  decoder() noexcept = default;
  explicit decoder(const limits& allowed) noexcept : allowed_{allowed} {}

  void feed(std::string_view piece) { buffer_.append(piece); }

  /// The next whole message; nothing when more must arrive first. Throws `malformed`.
  [[nodiscard]] std::optional<message> next();

  /// Nothing of a further message has arrived yet.
  [[nodiscard]] bool between_messages() const noexcept { return buffer_.empty() && !awaits_body_; }

private:
  [[nodiscard]] bool read_line();
  [[nodiscard]] bool read_body();

  limits allowed_;
  std::string buffer_;
  std::size_t scanned_ = 0;  ///< this much of the buffer holds no end of line
  bool awaits_body_ = false;
  std::size_t body_left_ = 0;
  message pending_;
};

}  // namespace tool::control

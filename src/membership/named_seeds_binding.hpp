#pragma once

#include <asio/ip/udp.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "artillery/clock.hpp"
#include "artillery/endpoint.hpp"
#include "net/strand.hpp"

namespace artillery::membership {

/// A place to look for the cluster that has a name: the name, and the port as text.
struct seed_name {
  std::string host;
  std::string port;
};

/// "host", "host:port" or "[address]:port"; without a port it is `config::default_port`. Nothing when it is none of
/// them. The host is not looked up.
[[nodiscard]] std::optional<seed_name> parse_seed_name(std::string_view text);

/// Looks names up, again and again: what they stand for may come later, and may change. Lives in a shared_ptr; all of
/// it runs on the strand.
class named_seeds : public std::enable_shared_from_this<named_seeds> {
public:
  /// `found` is called for each address of a name, each time that it is looked up; `failed` when there is none.
  struct listener {
    std::function<void(const endpoint&)> found;
    std::function<void(const std::string& name, std::error_code)> failed;
  };

  named_seeds(const net::strand& on, duration retry, duration retry_max, listener tells);

  /// At most `max`; false above it.
  bool add(seed_name name, std::size_t max);
  void stop();

private:
  struct entry {
    explicit entry(const net::strand& on, seed_name wanted, duration first)
        : name{std::move(wanted)}, wait{first}, resolver{on}, timer{on} {}
    seed_name name;
    duration wait;
    asio::ip::udp::resolver resolver;
    asio::steady_timer timer;
  };

  void look_up(const std::shared_ptr<entry>& which);
  void rest(const std::shared_ptr<entry>& which, duration length);

  net::strand strand_;
  duration retry_;
  duration retry_max_;
  listener tells_;
  std::vector<std::shared_ptr<entry>> entries_;
};

}  // namespace artillery::membership

#include "membership/named_seeds_binding.hpp"

#include <algorithm>
#include <asio/bind_executor.hpp>
#include <charconv>
#include <utility>

#include "artillery/membership/types.hpp"
#include "net/socket_address.hpp"

namespace artillery::membership {
namespace {

/// A name that has addresses is looked up again after so many of the longest pauses between failures.
constexpr int lasting = 10;

bool is_port(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && value > 0 && value <= 65'535;
}

}  // namespace

std::optional<seed_name> parse_seed_name(std::string_view text) {
  std::string_view host = text;
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    host = text.substr(1, close - 1);
    port = text.substr(close + 1);
  } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    // Several: an address of IPv6 without a port.
    if (text.find(':', colon + 1) == std::string_view::npos) {
      host = text.substr(0, colon);
      port = text.substr(colon);
    }
  }
  if (host.empty() || host.size() > 253) return std::nullopt;
  if (port.empty()) return seed_name{std::string{host}, std::to_string(config::default_port)};
  if (!port.starts_with(':') || !is_port(port.substr(1))) return std::nullopt;
  return seed_name{std::string{host}, std::string{port.substr(1)}};
}

named_seeds::named_seeds(const net::strand& on, duration retry, duration retry_max, listener tells)
    : strand_{on}, retry_{retry}, retry_max_{retry_max}, tells_{std::move(tells)} {}

bool named_seeds::add(seed_name name, std::size_t max) {
  const bool known = std::any_of(entries_.begin(), entries_.end(), [&](const auto& each) {
    return each->name.host == name.host && each->name.port == name.port;
  });
  if (known) return true;
  if (entries_.size() >= max) return false;
  entries_.push_back(std::make_shared<entry>(strand_, std::move(name), retry_));
  look_up(entries_.back());
  return true;
}

void named_seeds::stop() {
  for (const auto& each : entries_) {
    each->resolver.cancel();
    each->timer.cancel();
  }
  entries_.clear();
  tells_ = {};
}

void named_seeds::look_up(const std::shared_ptr<entry>& which) {
  using udp = asio::ip::udp;
  which->resolver.async_resolve(
      which->name.host, which->name.port, udp::resolver::numeric_service,
      asio::bind_executor(strand_, [self = shared_from_this(), which](
                                       std::error_code error, const asio::ip::udp::resolver::results_type& all) {
        if (!self->tells_.found) return;  // stopped
        for (const auto& one : all) self->tells_.found(net::from_asio(one.endpoint()));
        if (!error && !all.empty()) {
          which->wait = self->retry_;
          return self->rest(which, lasting * self->retry_max_);
        }
        self->tells_.failed(which->name.host, error);
        const duration wait = which->wait;
        which->wait = std::min(2 * wait, self->retry_max_);
        self->rest(which, wait);
      }));
}

void named_seeds::rest(const std::shared_ptr<entry>& which, duration length) {
  which->timer.expires_after(length);
  which->timer.async_wait(asio::bind_executor(strand_, [self = shared_from_this(), which](std::error_code error) {
    if (!error && self->tells_.found) self->look_up(which);
  }));
}

}  // namespace artillery::membership

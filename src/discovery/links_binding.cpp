#include "discovery/links_binding.hpp"

#include <algorithm>
#include <asio/error.hpp>

namespace artillery::discovery {
namespace {

using std::chrono::milliseconds;

/// Changes of interfaces come in bursts (link, address, route): one look for all of them, well within a second.
constexpr duration looks_apart_min = milliseconds{300};
/// While there is no interface, or one of them refuses.
constexpr duration retry_pause = milliseconds{2000};
/// When the system does not tell of changes.
constexpr duration poll_pause = milliseconds{5000};

/// What waits in the kernel while the process is busy: some thousand frames. More is lost, and comes again.
constexpr std::size_t receive_buffer = std::size_t{1} << 20U;
/// On the sending sockets: a full queue means that the link is stuck, and the frames are out of date soon.
constexpr std::size_t send_queue_max = std::size_t{64} << 10U;

endpoint broadcast_of(const endpoint& address, unsigned prefix_length) noexcept {
  auto bytes = address.address();
  for (unsigned i = 0; i < 4; ++i) {
    const unsigned bits = std::min(prefix_length > 8 * i ? prefix_length - 8 * i : 0U, 8U);
    bytes[i] = static_cast<std::uint8_t>(bytes[i] | (0xffU >> bits));
  }
  return endpoint::v4(bytes[0], bytes[1], bytes[2], bytes[3], 0);
}

/// The link behind one address; nothing for those that cannot broadcast. The loopback interface does not say that it
/// can, and does (toolchain fact, tested): there the broadcast address of its network reaches every local process.
std::optional<interface> link_of(const net::network_interface& of, const net::interface_address& at) {
  constexpr unsigned prefix_length_max = 30;  // longer ones have no broadcast address
  if (at.address.is_v6() || at.prefix_length == 0 || at.prefix_length > prefix_length_max) return std::nullopt;
  if (of.loopback != at.address.is_loopback()) return std::nullopt;
  if (!of.loopback && !at.broadcast) return std::nullopt;
  return interface{of.index, at.address, of.loopback ? broadcast_of(at.address, at.prefix_length) : *at.broadcast,
                   at.prefix_length};
}

}  // namespace

/// All addresses of one interface as one way out: the socket is chosen by the receiver's network.
class links::way_out final : public net::datagram_port {
public:
  struct way {
    interface by;
    std::shared_ptr<net::datagram_socket> socket;
  };

  explicit way_out(net::driver_base& driver) : driver_{driver} {}

  [[nodiscard]] const way* find(const interface& by) const noexcept {
    const auto at = std::find_if(ways_.begin(), ways_.end(), [&](const way& w) { return w.by == by; });
    return at == ways_.end() ? nullptr : &*at;
  }
  [[nodiscard]] bool empty() const noexcept { return ways_.empty(); }
  void add(way fresh) { ways_.push_back(std::move(fresh)); }
  /// Closes the ways that are not in `usable`. Errors counted on them are returned.
  std::uint64_t keep_only(const std::vector<interface>& usable) {
    std::uint64_t errors = 0;
    std::erase_if(ways_, [&](const way& w) {
      if (std::find(usable.begin(), usable.end(), w.by) != usable.end()) return false;
      errors += w.socket->counters().dropped_error;
      w.socket->close();
      return true;
    });
    return errors;
  }
  [[nodiscard]] std::uint64_t errors() const noexcept {
    std::uint64_t sum = 0;
    for (const way& w : ways_) sum += w.socket->counters().dropped_error;
    return sum;
  }

  void send(const endpoint& to, bytes_view header, std::span<const bytes> body) override {
    if (ways_.empty()) return;
    auto at = std::find_if(ways_.begin(), ways_.end(),
                           [&](const way& w) { return same_network(w.by.address, to, w.by.prefix_length); });
    if (at == ways_.end()) at = ways_.begin();
    const auto errors_before = at->socket->counters().dropped_error;
    at->socket->send(to, header, body);
    const bool failed = at->socket->counters().dropped_error != errors_before;
    // Once for each interface, until it works again: a link that is down must not fill a log.
    if (failed && !failing_)
      driver_.log(log_level::warning, "sending from " + to_string(at->by.address) + " to " + to_string(to) + " failed");
    failing_ = failed;
  }
  void close() noexcept override {
    for (way& w : ways_) w.socket->close();
  }

private:
  net::driver_base& driver_;
  std::vector<way> ways_;
  bool failing_ = false;
};

links::links(net::driver_base& driver, const config& options, received on_receive, changed on_change)
    : driver_{driver},
      port_{options.port},
      wanted_{options.interfaces},
      on_receive_{std::move(on_receive)},
      on_change_{std::move(on_change)},
      timer_{driver.executor()},
      alive_{std::make_shared<links*>(this)} {}

std::error_code links::open() {
  std::error_code error;
  net::datagram_options shared;
  shared.bind = endpoint::v4(0, 0, 0, 0, port_);
  shared.share_port = true;
  shared.arrival = true;
  shared.receive_buffer = receive_buffer;
  shared_ = net::datagram_socket::open(driver_.executor(), shared, error);
  if (error) {
    driver_.log(log_level::error, "cannot open the shared port " + std::to_string(port_) + ": " + error.message());
    return error;
  }
  net::datagram_options own;
  own.arrival = true;
  own.receive_buffer = receive_buffer;
  private_ = net::datagram_socket::open(driver_.executor(), own, error);
  if (error) return error;
  listen(*shared_);
  listen(*private_);

  std::error_code no_watch;
  watch_ = net::interface_watch::start(
      driver_.executor(),
      [weak = std::weak_ptr{alive_}] {
        if (const auto self = weak.lock()) (*self)->look_soon();
      },
      no_watch);
  if (no_watch) driver_.log(log_level::warning, "changes of interfaces are polled for: " + no_watch.message());
  return {};
}

void links::listen(net::datagram_socket& socket) {
  socket.receive([this](const bytes& message, const net::received_datagram& details) {
    on_receive_(details.interface, details.from, message);
  });
}

void links::close() noexcept {
  if (closed_) return;
  closed_ = true;
  alive_.reset();
  std::error_code ignored;
  timer_.cancel(ignored);
  if (watch_ != nullptr) watch_->close();
  if (shared_ != nullptr) shared_->close();
  if (private_ != nullptr) private_->close();
  for (auto& [index, way] : ways_) way->close();
}

std::uint16_t links::answer_port() const {
  return private_->bound().port();
}

std::uint64_t links::send_errors() const noexcept {
  std::uint64_t sum = errors_of_closed_;
  for (const auto& [index, way] : ways_) sum += way->errors();
  return sum;
}

std::uint64_t links::truncated() const noexcept {
  return (shared_ ? shared_->counters().truncated : 0) + (private_ ? private_->counters().truncated : 0);
}

// --- interfaces that come and go ---

void links::look_soon() {
  const time_point now = clock::now();
  const time_point next = looked_ ? *looked_ + looks_apart_min : now;
  if (next <= now) return look();
  look_after(next - now);
}

void links::look_after(duration pause) {
  // An earlier look replaces a later one.
  timer_.expires_after(std::chrono::ceil<std::chrono::microseconds>(pause));
  timer_.async_wait([weak = std::weak_ptr{alive_}](std::error_code error) {
    if (error) return;
    if (const auto self = weak.lock()) (*self)->look();
  });
}

void links::look() {
  if (closed_) return;
  looked_ = clock::now();
  retry_ = false;
  std::vector<interface> usable = usable_interfaces();
  open_ways(usable);
  if (usable.empty() || retry_)
    look_after(retry_pause);
  else if (watch_ == nullptr)
    look_after(poll_pause);
  if (usable == usable_ && looked_before_) return;
  looked_before_ = true;
  usable_ = usable;
  on_change_(std::move(usable));
}

std::vector<interface> links::usable_interfaces() {
  std::error_code error;
  std::vector<interface> usable;
  for (const net::network_interface& i : net::list_interfaces(error)) {
    const bool is_wanted = wanted_.empty() || std::find(wanted_.begin(), wanted_.end(), i.name) != wanted_.end();
    if (!is_wanted || !i.up || !i.running) continue;
    for (const net::interface_address& a : i.addresses)
      if (auto link = link_of(i, a)) usable.push_back(*link);
  }
  if (error) retry_ = true;
  return usable;
}

void links::open_ways(std::vector<interface>& usable) {
  for (auto at = ways_.begin(); at != ways_.end();) {
    errors_of_closed_ += at->second->keep_only(usable);
    if (!at->second->empty()) {
      ++at;
      continue;
    }
    driver_.remove_datagram_port(at->first);
    at = ways_.erase(at);
  }
  std::erase_if(open_refused_, [&](const endpoint& address) {
    return std::none_of(usable.begin(), usable.end(), [&](const interface& i) { return i.address == address; });
  });
  std::erase_if(usable, [this](const interface& i) {
    auto& way = ways_[i.index];
    if (way == nullptr) {
      way = std::make_shared<way_out>(driver_);
      driver_.add_datagram_port(i.index, way);
    }
    if (way->find(i) != nullptr) return false;
    net::datagram_options options;
    options.bind = i.address;
    options.broadcast = true;
    options.queue_bytes_max = send_queue_max;
    std::error_code error;
    auto socket = net::datagram_socket::open(driver_.executor(), options, error);
    if (!error) {
      open_refused_.erase(i.address);
      way->add({i, std::move(socket)});
      return false;
    }
    // The address may have gone between the look and the bind; or it is not ready yet.
    retry_ = true;
    ++errors_of_closed_;
    if (open_refused_.insert(i.address).second)
      driver_.log(log_level::warning, "cannot send from " + to_string(i.address) + ": " + error.message());
    return true;
  });
}

}  // namespace artillery::discovery

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "artillery/discovery/types.hpp"
#include "discovery/interface.hpp"
#include "net/datagram_socket.hpp"
#include "net/driver.hpp"
#include "net/framed_stream.hpp"
#include "net/interfaces.hpp"

namespace artillery::discovery {

/// The sockets of the broadcast provider, and the interfaces that come and go under them. On the driver's strand.
///
/// What Linux does decides how many there are (docs/discovery.md, "Sockets"): one wildcard socket on the shared port,
/// for broadcasts; one on a private port, for answers, because a unicast to a shared port reaches only one of the
/// processes there; and one to send from for each address of each interface, because only its own address makes a
/// broadcast leave by the right one.
class links {
public:
  using received = std::function<void(std::uint64_t interface_index, const endpoint& from, const bytes& message)>;
  using changed = std::function<void(std::vector<interface> usable)>;

  /// `on_change` is called with what can be used now, by the first `look` and after each change.
  links(net::driver_base& driver, const config& options, received on_receive, changed on_change);
  links(const links&) = delete;
  links& operator=(const links&) = delete;
  ~links() { close(); }

  /// Errors are those of the shared port: taken by somebody who does not share it, or no permission.
  [[nodiscard]] std::error_code open();
  void close() noexcept;

  [[nodiscard]] std::uint16_t answer_port() const;
  [[nodiscard]] std::uint64_t send_errors() const noexcept;
  [[nodiscard]] std::uint64_t truncated() const noexcept;
  /// Looks at the interfaces now; calls `on_change` the first time, and when something is different.
  void look();

private:
  class way_out;

  void listen(net::datagram_socket& socket);
  void look_soon();
  void look_after(duration pause);
  [[nodiscard]] std::vector<interface> usable_interfaces();
  void open_ways(std::vector<interface>& usable);

  net::driver_base& driver_;
  std::uint16_t port_;
  std::vector<std::string> wanted_;
  received on_receive_;
  changed on_change_;
  std::shared_ptr<net::datagram_socket> shared_;
  std::shared_ptr<net::datagram_socket> private_;
  std::map<std::uint64_t, std::shared_ptr<way_out>> ways_;
  std::shared_ptr<net::interface_watch> watch_;
  net::strand_timer timer_;
  bool closed_ = false;
  bool looked_before_ = false;
  bool retry_ = false;               // something could not be opened
  std::set<endpoint> open_refused_;  // addresses whose failure was logged
  std::vector<interface> usable_;
  std::optional<time_point> looked_;
  std::uint64_t errors_of_closed_ = 0;
  std::shared_ptr<links*> alive_;  // what handlers hold weakly
};

}  // namespace artillery::discovery

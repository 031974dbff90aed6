#pragma once

#include <map>
#include <vector>

#include "artillery/replication/types.hpp"
#include "artillery/sim.hpp"
#include "base/random.hpp"
#include "replication/message.hpp"

namespace artillery::sim {

/// Somebody who is none of a chain's, as a program of the simulator: connects to its replicas and says what nobody
/// should. Nothing of it may be believed, and nobody else may notice.
class stranger_program final : public program {
public:
  /// Streams of it at a time, at most; an older one is closed for a further one.
  static constexpr std::size_t streams_max = 2;

  stranger_program(const replication::view& chain, std::uint64_t seed);

  void start(time_point now, network_effects& out) override;
  void receive(const connection& from, const bytes& message, time_point now, network_effects& out) override;
  void link(const connection& which, link_state state, time_point now, network_effects& out) override;

  /// Connects to a replica, for another attempt at being believed.
  void pester(const endpoint& replica, network_effects& out);
  void leave(network_effects& out);

private:
  /// How far an attempt goes.
  enum class pretence : std::uint8_t {
    noise,          // bytes of no meaning
    other_cluster,  // a client of another cluster
    damaged_hello,  // a client's hello with a bit flipped: another version, another chain, anything
    other_life,     // a member under an incarnation that is not in the view
    rude_client     // a client that is let in, and then says what clients do not say
  };
  struct attempt {
    std::uint64_t stream = 0;
    pretence as{};
    endpoint at;
  };

  void say_hello(const attempt& one, network_effects& out);
  void be_rude(std::uint64_t stream, network_effects& out);
  [[nodiscard]] std::vector<std::byte> draw_frame();
  [[nodiscard]] std::vector<std::byte> draw_noise();
  [[nodiscard]] std::vector<std::byte> client_hello(std::uint32_t cluster) const;

  replication::view chain_;
  detail::random random_;
  std::vector<attempt> attempts_;  // oldest first
  std::uint64_t next_stream_ = 1;
};

}  // namespace artillery::sim

#include "sim/chain_client.hpp"

#include <utility>

namespace artillery::sim {

using namespace replication;

class client_program::sink final : public client_effects {
public:
  sink(network_effects& out, client_program& client) : out_{out}, client_{client} {}

  using network_effects::send;
  void send(const connection& to, bytes_view header, std::span<const bytes> body) override {
    out_.send(to, header, body);
  }
  void open(std::uint64_t number, const endpoint& to) override { out_.open(number, to); }
  void close(std::uint64_t number) override { out_.close(number); }
  void persist(operation op, std::span<const bytes> slices) override { out_.persist(op, slices); }
  void answer(request_id request, std::error_code error, const read_result& result) override {
    client_.on_read_(request, error, result);
  }
  void answer(request_id request, std::error_code error, const write_result& result) override {
    client_.on_write_(request, error, result);
  }

private:
  network_effects& out_;
  client_program& client_;
};

client_program::client_program(const client_config& config, std::uint64_t seed, read_answered on_read,
                               write_answered on_write, ended on_end)
    : core_{config, detail::random{seed}},
      on_read_{std::move(on_read)},
      on_write_{std::move(on_write)},
      on_end_{std::move(on_end)} {}

client_program::~client_program() {
  if (on_end_) on_end_(*this);
}

void client_program::start(time_point now, network_effects& out) {
  sink effects{out, *this};
  core_.start(now, effects);
}
void client_program::receive(const connection& from, const bytes& message, time_point now, network_effects& out) {
  sink effects{out, *this};
  core_.receive(from, message, now, effects);
}
void client_program::link(const connection& which, link_state state, time_point now, network_effects& out) {
  sink effects{out, *this};
  core_.link(which, state, now, effects);
}
void client_program::expire(time_point now, network_effects& out) {
  sink effects{out, *this};
  core_.expire(now, effects);
}
std::optional<time_point> client_program::next_deadline() const {
  return core_.next_deadline();
}
void client_program::read(request_id request, const bytes& key, const consistency& level, const routing& where,
                          const session_token& after, std::optional<time_point> deadline, time_point now,
                          network_effects& out) {
  sink effects{out, *this};
  core_.read(request, key, level, where, after, deadline, now, effects);
}
void client_program::write(request_id request, const replication::write& what, std::optional<time_point> deadline,
                           time_point now, network_effects& out) {
  sink effects{out, *this};
  core_.write(request, what, deadline, now, effects);
}

}  // namespace artillery::sim

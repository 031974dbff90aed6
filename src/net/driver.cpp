#include "net/driver.hpp"

#include <algorithm>
#include <asio/error.hpp>
#include <asio/post.hpp>
#include <exception>
#include <map>
#include <vector>

#include "artillery/error.hpp"
#include "base/assert.hpp"
#include "net/datagram_socket.hpp"
#include "net/driver_metrics.hpp"
#include "net/stream_hub.hpp"

namespace artillery::net {
namespace {

// With port 0 the streams' port is the system's choice, and another program may hold the same number for datagrams.
constexpr int same_port_attempts_max = 16;

}  // namespace

struct driver_base::state final : stream_hub::observer {
  enum class phase : std::uint8_t { idle, running, stopped };

  state(driver_base& owner, asio::any_io_executor executor, driver_options given)
      : self{owner}, user_executor{executor}, own_strand{executor}, options{std::move(given)}, timer{own_strand} {}

  void stream_received(const connection& from, const bytes& frame) override {
    struct context {
      driver_base& self;
      const connection& from;
      const bytes& message;
    } all{self, from, frame};
    self.input(
        [](void* opaque, time_point now) {
          auto& [driver, source, message] = *static_cast<context*>(opaque);
          driver.core_receive(source, message, now);
        },
        &all);
  }

  void stream_link(const connection& which, link_state link) override {
    struct context {
      driver_base& self;
      const connection& which;
      link_state link;
    } all{self, which, link};
    self.input(
        [](void* opaque, time_point now) {
          auto& [driver, stream, state_now] = *static_cast<context*>(opaque);
          driver.core_link(stream, state_now, now);
        },
        &all);
  }

  stream_hub& hub() {
    if (streams == nullptr) streams = std::make_shared<stream_hub>(own_strand, options.streams, *this);
    return *streams;
  }

  void close_transports() noexcept {
    std::error_code ignored;
    timer.cancel(ignored);
    if (streams != nullptr) streams->shut_down();
    for (auto& [number, port] : ports) port->close();
  }

  void arm_timer(time_point now);
  void timer_fired();
  void poison(const char* what, const char* file, unsigned line);

  driver_base& self;
  asio::any_io_executor user_executor;
  strand own_strand;
  driver_options options;
  strand_timer timer;
  std::optional<time_point> armed_for;
  std::shared_ptr<stream_hub> streams;
  std::map<std::uint64_t, std::shared_ptr<datagram_port>> ports;
  std::map<std::uint64_t, std::shared_ptr<datagram_socket>> sockets;  // those of `ports` that were opened here
  std::uint64_t unknown_ports = 0;
  phase now_in = phase::idle;
  bool in_core = false;
  std::error_code why_stopped;
  detail::completion<void(std::error_code)> run_done;
};

driver_base::driver_base(asio::any_io_executor executor, driver_options options)
    : state_{std::make_unique<state>(*this, std::move(executor), std::move(options))} {}

driver_base::~driver_base() {
  state_->close_transports();
}

const strand& driver_base::executor() const noexcept {
  return state_->own_strand;
}

const asio::any_io_executor& driver_base::user_executor() const noexcept {
  return state_->user_executor;
}

bool driver_base::running() const noexcept {
  return state_->now_in == state::phase::running;
}

std::error_code driver_base::stopped() const noexcept {
  return state_->why_stopped;
}

void driver_base::run(detail::completion<void(std::error_code)> done) {
  // Only the run that was accepted may be cancelled by its own slot: the mark says which.
  const auto accepted = std::make_shared<bool>(false);
  detail::on_cancel(done.slot(), shared_from_this(), [accepted](driver_base& self) {
    if (*accepted) self.stop(asio::error::operation_aborted);
  });
  asio::dispatch(executor(), [self = shared_from_this(), accepted, done = std::move(done)]() mutable {
    auto& own = *self->state_;
    if (own.now_in != state::phase::idle) {
      done(make_error_code(own.now_in == state::phase::running ? errc::already_running : errc::not_running));
      return;
    }
    *accepted = true;
    own.run_done = std::move(done);
    own.now_in = state::phase::running;
    if (const auto error = self->on_start()) return self->stop(error);
    // What calls before the start have left to be done.
    self->input([](void*, time_point) {}, nullptr);
  });
}

void driver_base::stop(std::error_code why) {
  auto& own = *state_;
  if (own.now_in == state::phase::stopped) return;
  own.now_in = state::phase::stopped;
  own.why_stopped = why;
  own.close_transports();
  on_stop(why);
  own.run_done(why);
}

void driver_base::shut_down() noexcept {
  // Always posted: whoever destroys the object may be called by it (a log sink, say).
  asio::post(executor(), [self = shared_from_this()] { self->stop(asio::error::operation_aborted); });
}

// --- transports ---

std::error_code driver_base::open_datagrams(std::uint64_t number, const datagram_options& options) {
  std::error_code error;
  auto socket = datagram_socket::open(executor(), options, error);
  if (error) return error;
  socket->receive([this, number](const bytes& message, const received_datagram& details) {
    receive_datagram(number, details.from, message);
  });
  add_datagram_port(number, socket);
  state_->sockets[number] = std::move(socket);
  return {};
}

std::error_code driver_base::listen_streams(const endpoint& at) {
  return state_->hub().listen(at);
}

std::error_code driver_base::open_both(const endpoint& at, datagram_options options) {
  std::error_code error;
  const int attempts = at.none() ? same_port_attempts_max : 1;
  for (int i = 0; i < attempts; ++i) {
    error = listen_streams(at);
    if (error) return error;
    options.bind = at.with_port(streams_bound().port());
    error = open_datagrams(0, options);
    if (!error) return {};
    state_->hub().stop_listening();
    if (error != std::errc::address_in_use) return error;
  }
  return error;
}

endpoint driver_base::datagrams_bound(std::uint64_t number) const {
  const auto at = state_->sockets.find(number);
  return at == state_->sockets.end() ? endpoint{} : at->second->bound();
}

endpoint driver_base::streams_bound() const {
  return state_->streams == nullptr ? endpoint{} : state_->streams->bound();
}

void driver_base::add_datagram_port(std::uint64_t number, std::shared_ptr<datagram_port> port) {
  remove_datagram_port(number);
  if (state_->now_in == state::phase::stopped) return port->close();
  state_->ports.emplace(number, std::move(port));
}

void driver_base::remove_datagram_port(std::uint64_t number) {
  const auto node = state_->ports.extract(number);
  state_->sockets.erase(number);
  if (!node.empty()) node.mapped()->close();
}

bool driver_base::receive_datagram(std::uint64_t number, const endpoint& from, const bytes& message) {
  state_->stream_received(connection::datagram(from, number), message);
  return state_->now_in == state::phase::running;
}

void driver_base::visit_metrics(const metric_visitor& visit) const {
  const std::string prefix = state_->options.component + ".net.";
  datagram_counters datagrams;
  for (const auto& [number, socket] : state_->sockets) add(datagrams, socket->counters());
  visit_counters(prefix, datagrams, visit);
  visit_counters(prefix, state_->streams == nullptr ? stream_counters{} : state_->streams->counters(), visit);
  visit(prefix + "streams", state_->streams == nullptr ? 0 : state_->streams->size());
  visit(prefix + "datagrams_without_port", state_->unknown_ports);
}

void driver_base::log(log_level level, std::string_view message) const noexcept {
  try {
    if (state_->options.log) state_->options.log(level, state_->options.component, message);
  } catch (...) {  // NOLINT(bugprone-empty-catch): the sink's contract says that its exceptions are swallowed
  }
}

// --- the core's turn ---

bool driver_base::input(step what, void* context) {
  auto& own = *state_;
  if (own.now_in == state::phase::stopped) return false;
  time_point now;
  try {
    ARTILLERY_INVARIANT(!own.in_core);  // an effect or a log sink has called back
    struct leave {
      bool& flag;
      ~leave() { flag = false; }
    } at_end{own.in_core};
    own.in_core = true;
    now = clock::now();
    what(context, now);
  } catch (const detail::broken_invariant& broken) {
    own.poison(broken.what(), broken.file(), broken.line());
  } catch (const std::exception& unexpected) {
    // The core was left in the middle of a step: it is as little to be trusted as with a broken invariant.
    own.poison(unexpected.what(), "an exception of the core", 0);
  }
  if (own.now_in == state::phase::stopped) return false;
  try {
    hand_on_events();
  } catch (const std::exception& unexpected) {
    own.poison(unexpected.what(), "an exception of the binding", 0);
    return false;
  }
  if (own.now_in == state::phase::running) own.arm_timer(now);
  return true;
}

void driver_base::state::poison(const char* what, const char* file, unsigned line) {
  self.log(log_level::error,
           "stopped: broken invariant: " + std::string{what} + " (" + file + ":" + std::to_string(line) + ")");
  self.drop_events();
  self.stop(make_error_code(errc::invariant_broken));
}

void driver_base::state::arm_timer(time_point now) {
  const auto deadline = self.core_deadline();
  if (!deadline) return;
  // Later deadlines leave the timer as it is: when it fires too early, it is armed anew. One that has passed is not
  // left to it: the steady clock stood still while the machine was suspended, the protocol's did not.
  const auto due = std::max(*deadline, now);
  if (armed_for && *armed_for > now && *armed_for <= due) return;
  armed_for = due;
  timer.expires_after(std::chrono::ceil<std::chrono::microseconds>(due - now));
  timer.async_wait([weak = self.weak_from_this()](std::error_code error) {
    if (auto alive = weak.lock(); alive && !error) alive->state_->timer_fired();
  });
}

void driver_base::state::timer_fired() {
  if (now_in != phase::running) return;
  armed_for.reset();
  struct context {
    driver_base& self;
  } all{self};
  self.input(
      [](void* opaque, time_point now) {
        auto& [driver] = *static_cast<context*>(opaque);
        const auto deadline = driver.core_deadline();
        if (deadline && *deadline <= now) driver.core_expire(now);
      },
      &all);
}

// --- the core's effects ---

void driver_base::send(const connection& to, bytes_view header, std::span<const bytes> body) {
  if (state_->now_in != state::phase::running) return;
  if (to.is_stream) {
    state_->hub().send(to.number, header, body);
    return;
  }
  const auto port = state_->ports.find(to.number);
  if (port == state_->ports.end()) {
    ++state_->unknown_ports;
    return;
  }
  port->second->send(to.peer, header, body);
}

void driver_base::open(std::uint64_t number, const endpoint& to) {
  if (state_->now_in == state::phase::running) state_->hub().open(number, to);
}

void driver_base::close(std::uint64_t number) {
  if (state_->now_in == state::phase::running) state_->hub().close(number);
}

void driver_base::persist(operation op, std::span<const bytes> slices) {
  persister::done finished = [weak = weak_from_this(), op](std::error_code error) {
    const auto alive = weak.lock();
    if (!alive) return;
    asio::post(alive->executor(), [alive, op, error] {
      struct context {
        driver_base& self;
        operation op;
        std::error_code error;
      } all{*alive, op, error};
      alive->input(
          [](void* opaque, time_point now) {
            auto& [driver, which, result] = *static_cast<context*>(opaque);
            driver.core_completed(which, result, now);
          },
          &all);
    });
  };
  if (state_->options.persister == nullptr)
    finished({});
  else
    state_->options.persister->persist(op, slices, std::move(finished));
}

}  // namespace artillery::net

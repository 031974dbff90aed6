#include "net/framed_stream.hpp"

#include <array>
#include <asio/buffer.hpp>
#include <asio/error.hpp>
#include <asio/post.hpp>
#include <utility>

#include "artillery/error.hpp"
#include "net/socket_address.hpp"

namespace artillery::net {
namespace {

// Full writes in one turn of the strand.
constexpr int writes_in_turn_max = 4;

}  // namespace

framed_stream::framed_stream(stream_socket socket, const connection& identity, const stream_limits& limits,
                             listener& told, stream_counters& counters)
    : socket_{std::move(socket)},
      timer_{socket_.get_executor()},
      identity_{identity},
      limits_{limits},
      told_{&told},
      counters_{&counters},
      decoder_{limits.frame_size_max} {}

void framed_stream::connect(const endpoint& to) {
  std::error_code error;
  socket_.open(to.is_v6() ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), error);
  if (error) return fail_soon(error);
  start_timer(limits_.connect_timeout, asio::error::timed_out);
  socket_.async_connect(to_asio<asio::ip::tcp::endpoint>(to),
                        [self = shared_from_this()](std::error_code result) { self->connected(result); });
}

void framed_stream::connected(std::error_code error) {
  if (phase_ != phase::connecting) return;
  timer_.cancel();
  if (error) {
    ++counters_->connect_failures;
    return fail(error);
  }
  ++counters_->connected;
  start();
}

void framed_stream::start() {
  std::error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);
  socket_.set_option(asio::socket_base::keep_alive{true}, ignored);
  socket_.non_blocking(true, ignored);
  phase_ = phase::up;
  told_->stream_state(*this, link_state::up);
  if (phase_ == phase::up || phase_ == phase::closing) read();
}

bool framed_stream::send(bytes_view header, std::span<const bytes> body) {
  if (phase_ != phase::up || is_failing_) return false;
  std::size_t length = header.size();
  for (const auto& part : body) length += part.size();
  if (length > limits_.frame_size_max) {
    ++counters_->oversized_sent;
    fail_soon(make_error_code(errc::too_large));
    return false;
  }
  if (queue_.size() + length > limits_.queue_bytes_max) {
    ++counters_->overflows;
    fail_soon(make_error_code(errc::would_overflow));
    return false;
  }
  queue_.push(header, body);
  ++counters_->frames_sent;
  watch_queue();
  if (!is_waiting_writable_ && !is_flush_due_) {
    // Not now: whatever else is sent in this turn then leaves with the same system call. A turn of this stream's own
    // flushes at its end.
    is_flush_due_ = true;
    if (!is_in_turn_) asio::post(socket_.get_executor(), [self = shared_from_this()] { self->flush(); });
  }
  return true;
}

void framed_stream::flush() {
  is_flush_due_ = false;
  if (phase_ == phase::ended || is_waiting_writable_) return;
  for (int writes = 0; !queue_.empty(); ++writes) {
    if (writes == writes_in_turn_max) return wait_writable();  // others want their turn, too
    std::array<bytes_view, write_queue::pieces_max> views;
    std::array<asio::const_buffer, write_queue::pieces_max> pieces;
    const std::size_t count = queue_.gather(views);
    for (std::size_t i = 0; i < count; ++i) pieces[i] = asio::const_buffer{views[i].data(), views[i].size()};
    std::error_code error;
    const std::size_t written = socket_.write_some(std::span<const asio::const_buffer>{pieces.data(), count}, error);
    if (error == asio::error::would_block) return wait_writable();
    if (error) return fail(error);
    ++counters_->writes;
    counters_->bytes_sent += written;
    queue_.consume(written);
    watch_queue();
  }
  if (phase_ == phase::closing) finish_sending();
  report_congestion();
}

void framed_stream::wait_writable() {
  is_waiting_writable_ = true;
  socket_.async_wait(asio::socket_base::wait_write, [self = shared_from_this()](std::error_code error) {
    self->is_waiting_writable_ = false;
    if (self->phase_ == phase::ended) return;
    if (error) return self->fail(error);
    self->flush();
  });
  report_congestion();
}

void framed_stream::read() {
  const auto space = decoder_.prepare();
  socket_.async_read_some(asio::mutable_buffer{space.data(), space.size()},
                          [self = shared_from_this()](std::error_code error, std::size_t count) {
                            if (self->phase_ == phase::ended) return;
                            if (error) return self->read_ended(error);
                            ++self->counters_->reads;
                            self->counters_->bytes_received += count;
                            self->decoder_.commit(count);
                            self->take_turn();
                          });
}

void framed_stream::take_turn() {
  is_in_turn_ = true;
  take_frames();
  is_in_turn_ = false;
  if (is_flush_due_) flush();
  if (phase_ != phase::ended && !is_paused_) read();
}

void framed_stream::resume_reading() {
  if (!is_paused_ || is_resume_posted_ || is_congested_) return;
  is_resume_posted_ = true;
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    self->is_resume_posted_ = false;
    self->is_paused_ = false;
    if (self->phase_ != phase::ended) self->take_turn();
  });
}

void framed_stream::read_ended(std::error_code why) {
  if (why == asio::error::eof && phase_ == phase::closing && !is_sending_done_) {
    is_peer_done_ = true;  // both ends are closing, and what we have queued is still wanted there
    return;
  }
  fail(why);
}

void framed_stream::take_frames() {
  bytes frame;
  for (;;) {
    // A peer that asks for more than it takes is not heard until it has taken it. Only where the peer connected to us:
    // if both ends did so, each could wait for the other.
    is_paused_ = phase_ == phase::up && is_congested_ && !identity_.outgoing();
    if (is_paused_) return;
    switch (decoder_.next(frame)) {
      case frame_decoder::outcome::incomplete: return;
      case frame_decoder::outcome::oversized:
        ++counters_->oversized_received;
        return fail(make_error_code(errc::malformed));
      case frame_decoder::outcome::frame: break;
    }
    if (phase_ == phase::up) {
      ++counters_->frames_received;
      told_->stream_frame(*this, frame);
    }
    if (phase_ == phase::ended) return;
    frame = {};  // before the next read asks whether the chunk is free again
  }
}

void framed_stream::watch_queue() {
  const bool was = is_congested_;
  if (queue_.size() > limits_.queue_bytes_high)
    is_congested_ = true;
  else if (queue_.size() < limits_.queue_bytes_low || queue_.empty())
    is_congested_ = false;
  resume_reading();
  if (was || !is_congested_) return;
  ++counters_->congestions;
  // Posted, as this may be within a core's input.
  asio::post(socket_.get_executor(), [self = shared_from_this()] { self->report_congestion(); });
}

void framed_stream::report_congestion() {
  // Tells what holds now rather than what was: the two states are told in turn, whoever comes first.
  if (phase_ != phase::up || is_congestion_told_ == is_congested_) return;
  is_congestion_told_ = is_congested_;
  told_->stream_state(*this, is_congested_ ? link_state::congested : link_state::writable);
}

void framed_stream::close() {
  if (phase_ == phase::connecting) {
    phase_ = phase::closing;  // nothing can be queued yet
    return fail_soon({});
  }
  if (phase_ != phase::up) return;
  phase_ = phase::closing;
  if (is_failing_) return;
  start_timer(limits_.linger_timeout, asio::error::timed_out);
  if (!is_waiting_writable_ && !is_flush_due_) finish_sending();
}

void framed_stream::finish_sending() {
  if (is_sending_done_) return;
  is_sending_done_ = true;
  // Only half: closing with unread bytes would reset the connection, and the peer could lose our last frames. The
  // peer's own end then ends the read, or the timer does.
  std::error_code ignored;
  socket_.shutdown(asio::socket_base::shutdown_send, ignored);
  if (is_peer_done_) fail_soon({});
}

void framed_stream::fail_soon(std::error_code why) {
  if (is_failing_) return;
  is_failing_ = true;
  asio::post(socket_.get_executor(), [self = shared_from_this(), why] { self->fail(why); });
}

void framed_stream::fail(std::error_code why) {
  if (phase_ == phase::ended) return;
  const auto self = shared_from_this();
  auto* const listening = told_;
  abort();
  if (listening != nullptr) listening->stream_ended(*this, why);
}

void framed_stream::abort() noexcept {
  if (phase_ == phase::ended) return;
  phase_ = phase::ended;
  told_ = nullptr;
  std::error_code ignored;
  socket_.close(ignored);
  timer_.cancel(ignored);
  queue_.clear();  // after the close, which waits for a write that another thread is just making
}

void framed_stream::start_timer(duration length, std::error_code on_expiry) {
  timer_.expires_after(length);
  timer_.async_wait([self = shared_from_this(), on_expiry](std::error_code error) {
    if (error || self->phase_ == phase::ended) return;
    // An expiry that was on its way when the timer was cancelled or set anew.
    if (self->phase_ == phase::up || self->timer_.expiry() > std::chrono::steady_clock::now()) return;
    if (self->phase_ == phase::connecting) ++self->counters_->connect_timeouts;
    self->fail(on_expiry);
  });
}

}  // namespace artillery::net

#include "agent_reader.hpp"

#include <asio/buffer.hpp>
#include <asio/write.hpp>
#include <chrono>
#include <utility>

#include "byte_json.hpp"
#include "control/reply.hpp"
#include "notation.hpp"
#include "output/event_text.hpp"

namespace failover {
namespace {

/// Reads that an agent has not answered, at most.
constexpr std::size_t asked_max = 200;
constexpr artillery::duration patience = std::chrono::seconds{2};
constexpr tool::control::decoder::limits reply_limits{tool::control::reply_line_max, tool::control::body_max};

artillery::replication::version version_in(const nlohmann::json& reply, const char* name) {
  return tool::parse_version(tool::output::field_text(reply, name)).value_or(artillery::replication::version{});
}

artillery::replication::read_result result_in(const tool::control::message& reply) {
  artillery::replication::read_result result;
  if (reply.head.value("found", false)) result.value = artillery::bytes{reply.body};
  result.version = version_in(reply.head, "version");
  result.as_of = version_in(reply.head, "as_of");
  result.local = reply.head.value("local", false);
  return result;
}

}  // namespace

agent_reader::agent_reader(const asio::any_io_executor& executor, std::string path, std::uint32_t client,
                           std::size_t agent, read_record& record)
    : socket_{executor},
      path_{std::move(path)},
      client_{client},
      agent_{agent},
      record_{record},
      decoder_{reply_limits} {}

void agent_reader::read(const std::string& key) {
  if (state_ == state::closed) return connect();
  if (state_ != state::open || asked_.size() >= asked_max) return;
  asked_.push_back(record_.begin(client_, agent_, key, /*is_named=*/false));
  waiting_ += tool::control::encode(tool::control::with_deadline(
      {{"op", "get"}, {"key", tool::bytes_to_json(key)}, {"consistency", "strong"}}, patience));
  send();
}

void agent_reader::connect() {
  state_ = state::connecting;
  socket_.async_connect(asio::local::stream_protocol::endpoint{path_}, [this](std::error_code error) {
    if (error) return break_off();
    state_ = state::open;
    receive();
  });
}

void agent_reader::send() {
  if (is_sending_ || waiting_.empty()) return;
  is_sending_ = true;
  sent_ = std::exchange(waiting_, {});
  asio::async_write(socket_, asio::buffer(sent_), [this](std::error_code error, std::size_t) {
    is_sending_ = false;
    if (!error) send();  // what is broken shows where answers are received
  });
}

void agent_reader::receive() {
  socket_.async_read_some(asio::buffer(piece_), [this](std::error_code error, std::size_t size) {
    if (error) return break_off();
    decoder_.feed({piece_.data(), size});
    take_answers();
  });
}

void agent_reader::take_answers() {
  try {
    while (const auto reply = decoder_.next()) {
      if (asked_.empty()) throw tool::control::malformed{"nothing was asked"};
      const read_record::slot at = asked_.front();
      asked_.pop_front();
      if (reply->head.value("ok", false)) {
        record_.answered(at, result_in(*reply));
      } else {
        record_.failed(at);
      }
    }
  } catch (const tool::control::malformed&) {
    return break_off();
  }
  receive();
}

void agent_reader::break_off() {
  std::error_code ignored;
  socket_.close(ignored);
  state_ = state::closed;
  for (const read_record::slot at : asked_) record_.failed(at);
  asked_.clear();
  waiting_.clear();
  decoder_ = tool::control::decoder{reply_limits};
}

}  // namespace failover

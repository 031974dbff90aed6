#include "control/message.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "byte_json.hpp"

namespace tool::control {

std::string encode(nlohmann::json head) {
  return to_line(head) + '\n';
}

std::string encode(nlohmann::json head, std::string_view body) {
  head["body"] = body.size();
  std::string out = encode(std::move(head));
  out.append(body);
  return out;
}

std::optional<message> decoder::next() {
  if (!awaits_body_ && !read_line()) return std::nullopt;
  if (awaits_body_ && !read_body()) return std::nullopt;
  return std::exchange(pending_, {});
}

bool decoder::read_line() {
  const std::size_t end = buffer_.find('\n', scanned_);
  if (std::min(end, buffer_.size()) > allowed_.line_max)
    throw malformed{"a line has at most " + std::to_string(allowed_.line_max) + " bytes"};
  if (end == std::string::npos) {
    scanned_ = buffer_.size();
    return false;
  }
  pending_.head = nlohmann::json::parse(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(end), nullptr,
                                        /*allow_exceptions=*/false);
  buffer_.erase(0, end + 1);
  scanned_ = 0;
  if (!pending_.head.is_object()) throw malformed{"a line must be one JSON object"};
  const auto body = pending_.head.find("body");
  if (body == pending_.head.end()) return true;
  if (!body->is_number_unsigned() || body->get<std::uint64_t>() > control::body_max)
    throw malformed{"body must be a number of bytes from 0 to " + std::to_string(control::body_max)};
  body_left_ = body->get<std::size_t>();
  pending_.body_size = body_left_;
  pending_.body_dropped = body_left_ > allowed_.body_max;
  awaits_body_ = true;
  return true;
}

bool decoder::read_body() {
  if (pending_.body_dropped) {
    const std::size_t here = std::min(body_left_, buffer_.size());
    buffer_.erase(0, here);
    body_left_ -= here;
    if (body_left_ > 0) return false;
  } else {
    if (buffer_.size() < body_left_) return false;
    if (buffer_.size() == body_left_) {
      pending_.body = std::exchange(buffer_, {});
    } else {
      pending_.body = buffer_.substr(0, body_left_);
      buffer_.erase(0, body_left_);
    }
  }
  awaits_body_ = false;
  return true;
}

}  // namespace tool::control

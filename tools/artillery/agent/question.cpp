#include "agent/question.hpp"

#include <chrono>
#include <utility>
#include <variant>

#include "agent/report.hpp"
#include "byte_json.hpp"
#include "notation.hpp"

namespace tool::agent {

using artillery::membership::answer;
using artillery::membership::query_end;
using artillery::membership::query_progress;

question::question(artillery::node& node, std::uint64_t number)
    : node_{node}, number_{number}, asked_at_{artillery::clock::now()} {
  for (auto& member : node.members()) names_.emplace(member.id, std::move(member.name));
}

question::~question() {
  node_.drop_query(number_);
}

void question::next(take_line take) {
  node_.async_next_answer(
      number_, [weak = weak_from_this(), take = std::move(take)](std::error_code error, const query_progress& what) {
        const auto self = weak.lock();
        if (error || self == nullptr) return take(std::nullopt, true);
        take(self->line_of(what), std::holds_alternative<query_end>(what));
      });
}

std::string question::line_of(const query_progress& what) const {
  nlohmann::json line;
  if (const auto* end = std::get_if<query_end>(&what)) {
    line = {{"event", "query_end"}, {"asked", end->asked}, {"heard", end->heard}, {"answered", end->answered}};
  } else {
    const auto& one = std::get<answer>(what);
    const auto name = names_.find(one.from);
    const auto after = std::chrono::ceil<std::chrono::milliseconds>(artillery::clock::now() - asked_at_);
    line = {{"event", "answer"},
            {"origin", artillery::to_string(one.from)},
            {"payload", bytes_to_json(one.payload.text())},
            {"after_ms", after.count()}};
    if (name != names_.end()) line["name"] = bytes_to_json(name->second);
  }
  line["time"] = time_text();
  return to_line(line) + '\n';
}

}  // namespace tool::agent

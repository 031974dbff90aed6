#include "scenarios/discovery_words.hpp"

#include <array>
#include <utility>

namespace artillery::scenarios {

using namespace discovery;

namespace {

std::string ttl_text(duration ttl) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(ttl).count();
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}

std::string place_of(const service& what) {
  return what.endpoints.empty() ? "nowhere" : to_string(what.endpoints.front());
}

std::string title_of(const service& what) {
  return what.type + "/" + what.name;
}

}  // namespace

std::string discovery_words::name_of(std::uint64_t instance_high) const {
  const auto found = services_.find(instance_high);
  return found == services_.end() ? "?" : found->second;
}

std::string discovery_words::question_text(const question& what) const {
  if (!what.instance.none()) return "seek " + name_of(what.instance.high) + ": still there?";
  std::string text = "seek " + (what.type.empty() ? "anything" : what.type);
  if (what.first_wins) text += ", the first answer wins";
  if (what.known.empty()) return text;
  text += ", known already:";
  for (const std::uint64_t known : what.known) text += " " + name_of(known);
  return text;
}

decoded_frame discovery_words::read(const utterance& what) const {
  const auto realm = realms_.find(what.from);
  return decode(what.message, realm == realms_.end() ? realm::of("") : realm->second);
}

void discovery_words::learn_names(const utterance& what) {
  const decoded_frame decoded = read(what);
  const auto* said = decoded.error ? nullptr : std::get_if<announcement>(&decoded.what.body);
  if (said != nullptr && !services_.contains(said->what.instance.high)) {
    name_service(said->what.instance, title_of(said->what));
  }
}

described discovery_words::describe(const utterance& what) const {
  const decoded_frame decoded = read(what);
  if (decoded.error) {
    return {"noise", "no frame of ours: " + std::string{what.message.text()}};
  }
  const frame& said = decoded.what;
  const position at = said.header.at;
  const std::string place = " [" + std::to_string(at.epoch / epochs_per_life) + "." + std::to_string(at.sequence) + "]";
  if (const auto* asked = std::get_if<question>(&said.body)) return {"seek", question_text(*asked) + place};
  if (const auto* gone = std::get_if<goodbye>(&said.body)) {
    return {"goodbye", "goodbye " + name_of(gone->instance.high) + place};
  }
  const service& offered = std::get<announcement>(said.body).what;
  const std::string kind = said.header.kind == frame_kind::offer ? "offer" : "announce";
  std::string text = kind + " " + title_of(offered) + " at " + place_of(offered) + ", ttl " + ttl_text(said.header.ttl);
  if (offered.load != 0) text += ", load " + std::to_string(offered.load);
  return {kind, text + place};
}

std::string discovery_words::event_text(const std::string& host, const core_event& what) const {
  if (const auto* gone = std::get_if<withdrawn>(&what)) {
    return host + " has withdrawn " + name_of(gone->instance.high);
  }
  if (const auto* over = std::get_if<sought>(&what)) {
    if (!over->found) return host + " sought in vain";
    return host + " sought and has " + title_of(*over->found) + " at " + place_of(*over->found);
  }
  const auto& told = std::get<event>(what);
  if (const auto* e = std::get_if<found>(&told)) {
    return host + " finds " + title_of(e->what) + " at " + place_of(e->what);
  }
  if (const auto* e = std::get_if<updated>(&told)) {
    const std::string load = e->what.load == 0 ? "" : ", load " + std::to_string(e->what.load);
    return host + ": " + title_of(e->what) + " is now at " + place_of(e->what) + load;
  }
  if (const auto* e = std::get_if<lost>(&told)) {
    return host + " loses " + title_of(e->what) + " (" + std::string{to_string(e->reason)} + ")";
  }
  if (std::holds_alternative<isolated>(told)) return host + " has no link";
  if (std::holds_alternative<connected>(told)) return host + " has a link";
  return host + " was too slow: events are lost";
}

std::string discovery_words::counters_text(const core_counters& what) {
  const std::array<std::pair<std::string_view, std::uint64_t>, 9> counted{
      {{"malformed", what.malformed},
       {"damaged", what.checksum_mismatches},
       {"of another cluster", what.foreign_cluster},
       {"of another version", what.unsupported},
       {"from off the link", what.off_link},
       {"known, older or taken back", what.stale},
       {"questions over the limit", what.questions_limited},
       {"own questions", what.questions_sent},
       {"own offers", what.offers_sent}}};
  std::string text;
  for (const auto& [name, count] : counted) {
    if (count == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + std::string{name};
  }
  return text.empty() ? "nothing" : text;
}

}  // namespace artillery::scenarios

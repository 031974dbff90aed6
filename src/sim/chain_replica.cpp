#include "sim/chain_replica.hpp"

#include <algorithm>
#include <utility>

namespace artillery::sim {

using namespace replication;

/// The world's effects as the core's.
class replica_program::sink final : public core_effects {
public:
  sink(network_effects& out, replica_program& replica, time_point asked_at, time_point sampled)
      : out_{out}, replica_{replica}, asked_at_{asked_at}, sampled_{sampled} {}

  using network_effects::send;
  void send(const connection& to, bytes_view header, std::span<const bytes> body) override {
    // Without leases whoever is told a watermark asks whether its epoch is still in force.
    const bool needs_lease = replica_.core_.in_force().leases != lease_mode::none;
    if (needs_lease && sampled_ >= replica_.lease_end_ && tells_watermark(header)) ++replica_.answers_without_lease_;
    out_.send(to, header, body);
  }
  void open(std::uint64_t number, const endpoint& to) override { out_.open(number, to); }
  void close(std::uint64_t number) override { out_.close(number); }
  void persist(operation op, std::span<const bytes> slices) override { out_.persist(op, slices); }
  void deliver(event event) override { replica_.events_.push_back(event); }
  void answer(request_id request, std::error_code error, const read_result& result) override {
    replica_.check_still(request, error);
    replica_.callers_.on_read(request, error, result);
  }
  void changed(request_id request, std::error_code error) override {
    if (replica_.callers_.on_change) replica_.callers_.on_change(request, error);
  }
  void ask(const authority_question& question) override {
    if (const auto* renewal = std::get_if<authority_renew>(&question)) replica_.renewals_[renewal->id] = asked_at_;
    if (replica_.callers_.seat) replica_.callers_.seat->ask(question);
  }
  void keep(const kept_item& what) override { replica_.callers_.disk->write(what, asked_at_); }
  time_point sample_clock() override { return sampled_; }

private:
  static bool tells_watermark(bytes_view message) {
    const auto header = decode_header(message);
    if (!header || header->kind != frame_kind::watermark_reply) return false;
    return decode_watermark_reply(message).value().status == reply_status::ok;
  }

  network_effects& out_;
  replica_program& replica_;
  time_point asked_at_;
  time_point sampled_;
};

replica_program::replica_program(const replica_config& config, const view& chain, std::uint64_t seed,
                                 const replica_driving& driving, replica_callers callers)
    : core_{config, detail::random{seed}.fork("core"), callers.disk ? storage::disk : storage::memory},
      chain_{chain},
      random_{detail::random{seed}.fork("driving")},
      driving_{driving},
      callers_{std::move(callers)},
      local_reads_{objects_, *published_, detail::random{seed}.fork("local reads"), driving.read_pause_max} {}

replica_program::~replica_program() {
  if (callers_.on_end) callers_.on_end(*this);
}

duration replica_program::step_takes() {
  if (driving_.step_takes_max == duration{0} || !random_.chance(1, 16)) return duration{0};
  return duration{
      static_cast<duration::rep>(random_.below(static_cast<std::uint64_t>(driving_.step_takes_max.count())))};
}

/// One input of the core. Whatever it answers by its lease is answered after the clock was sampled in it.
template <class Function>
void replica_program::step(time_point now, network_effects& out, Function&& function) {
  const time_point sampled = now + step_takes();
  const std::uint64_t answered_before = core_.counters().local_reads;
  sink effects{out, *this, now, sampled};
  function(turn{now, *objects_, effects});
  if (sampled >= lease_end_) answers_without_lease_ += core_.counters().local_reads - answered_before;
}

// --- life ---

void replica_program::start(time_point now, network_effects& out) {
  if (callers_.seat) {
    if (callers_.disk && callers_.disk->was_used()) restore(now, out);
    step(now, out, [&](const turn& at) { core_.start(callers_.seat->listens_at, at); });
    return after_input(now, out);
  }
  if (driving_.adopt_delay == duration{0}) return adopt(now, out);
  adopt_at_ = now + driving_.adopt_delay;
}

void replica_program::restore(time_point now, network_effects& out) {
  restored found = callers_.disk->read_back(*objects_);
  step(now, out, [&](const turn& at) { core_.restore(std::move(found), at); });
}

void replica_program::adopt(time_point now, network_effects& out) {
  const time_point asked_at = now - driving_.asked_before;
  lease_end_ = driving_.lease ? asked_at + *driving_.lease : time_point::max();
  step(now, out, [&](const turn& at) { core_.adopt(chain_, driving_.lease.value_or(duration::max()), asked_at, at); });
  after_input(now, out);
}

bool replica_program::needs_no_message(std::string_view key, time_point now) {
  if (now >= lease_end_) ++reads_after_lease_;
  const serving_state here = core_.serving();
  // Also at the end of the step, which may take a while.
  const bool covered = now + driving_.step_takes_max < lease_end_;
  return covered && here.strong_here && objects_->fetch(key).version.seq <= here.commit;
}

void replica_program::receive(const connection& from, const bytes& message, time_point now, network_effects& out) {
  const auto header = decode_header(message);
  bool of_clean_object = false;
  if (header && header->kind == frame_kind::read) {
    const auto request = decode_read_request(message);
    of_clean_object = request && request->level == strong && needs_no_message(as_text(request->key), now);
  }
  const std::uint64_t asked_before = core_.counters().dirty_reads;
  step(now, out, [&](const turn& at) { core_.receive(from, message, at); });
  if (of_clean_object) needless_questions_ += core_.counters().dirty_reads - asked_before;
  after_input(now, out);
}

void replica_program::link(const connection& which, link_state state, time_point now, network_effects& out) {
  step(now, out, [&](const turn& at) { core_.link(which, state, at); });
  after_input(now, out);
}

void replica_program::expire(time_point now, network_effects& out) {
  step_reads(now);
  if (callers_.disk) step_disk(now, out);
  if (adopt_at_ && *adopt_at_ <= now) {
    adopt_at_.reset();
    adopt(now, out);
  }
  if (flush_at_ && *flush_at_ <= now) {
    flush_at_.reset();
    flush(now, out);
  }
  const auto due = core_.next_deadline();
  if (due && *due <= now) {
    step(now, out, [&](const turn& at) { core_.expire(at); });
    after_input(now, out);
  }
}

void replica_program::step_disk(time_point now, network_effects& out) {
  const auto ends = callers_.disk->next_end();
  if (!ends || *ends > now) return;
  const std::uint64_t items = callers_.disk->synced(now);
  step(now, out, [&](const turn& at) { core_.synced(items, at); });
  after_input(now, out);
}

// --- where views change ---

void replica_program::count_lease(const authority_answer& answer) {
  const auto* renewed = std::get_if<authority_renewed>(&answer);
  if (renewed == nullptr || !renewed->yes) return;
  const auto asked = renewals_.find(renewed->id);
  if (asked == renewals_.end() || core_.in_force().leases != lease_mode::timed) return;
  lease_end_ = std::max(lease_end_, asked->second + core_.in_force().lease);
}

/// R12: without leases a strong answer is given by a yes to a question that was asked after the read had come.
void replica_program::check_still(request_id request, std::error_code error) {
  const auto read = strong_reads_.find(request);
  if (read == strong_reads_.end()) return;
  const bool is_asked = told_by_ && read->second <= *told_by_;
  if (!error && core_.in_force().leases == lease_mode::none && !is_asked) ++answers_without_lease_;
  strong_reads_.erase(read);
}

void replica_program::answered(const authority_answer& answer, time_point now, network_effects& out) {
  count_lease(answer);
  if (const auto* renewed = std::get_if<authority_renewed>(&answer)) {
    const auto asked = renewals_.find(renewed->id);
    if (asked != renewals_.end()) told_by_ = asked->second;
  }
  step(now, out, [&](const turn& at) { core_.answered(answer, at); });
  told_by_.reset();
  follow_epoch(now, out);
  after_input(now, out);
}

void replica_program::follow_epoch(time_point now, network_effects& out) {
  if (lease_epoch_ == core_.in_force().epoch) return;
  lease_epoch_ = core_.in_force().epoch;
  lease_end_ = time_point::min();
  published_->publish(core_.serving());  // no reader goes by a lease of the epoch before from now on
  // What was asked in adopting this epoch is of it; all else is of an earlier one.
  std::erase_if(renewals_, [now](const auto& asked) { return asked.second < now; });
  const bool is_removed =
      std::any_of(events_.begin(), events_.end(), [](const event& e) { return e.what == event::kind::removed; });
  if (!is_removed) return;
  const std::uint64_t incarnation = callers_.seat->next_incarnation();
  if (incarnation == 0) return;
  if (callers_.on_end) callers_.on_end(*this);
  events_.clear();
  objects_ = callers_.disk ? std::make_shared<chain_store>(*objects_) : std::make_shared<chain_store>();
  local_reads_.look_at(objects_);
  step(now, out, [&](const turn& at) { core_.begin_anew(incarnation, at); });
}

void replica_program::flush(time_point now, network_effects& out) {
  step(now, out, [&](const turn& at) { core_.flush(at); });
  published_->publish(core_.serving());
}

void replica_program::after_input(time_point now, network_effects& out) {
  if (driving_.flush_delay == duration{0}) return flush(now, out);
  if (!flush_at_) flush_at_ = now + driving_.flush_delay;
}

std::optional<time_point> replica_program::next_deadline() const {
  std::optional<time_point> next = core_.next_deadline();
  for (const auto& other : {adopt_at_, flush_at_, local_reads_.next_deadline()}) {
    if (other) next = next ? std::min(*next, *other) : other;
  }
  const auto ends = callers_.disk ? callers_.disk->next_end() : std::nullopt;
  if (ends) next = next ? std::min(*next, *ends) : ends;
  return next;
}

// --- reads of the own process ---

void replica_program::try_read(std::vector<local_reads::call> keys, time_point now) {
  local_reads_.begin(std::move(keys), now);
}

void replica_program::step_reads(time_point now) {
  local_reads_.step(now, [this](const tried_read& done) {
    const bool answered = done.result.what != local_read::outcome::ask;
    const bool lease_is_over = done.fetched_at >= lease_end_;
    if (answered) ++tried_;
    if (lease_is_over) ++(answered ? answers_without_lease_ : reads_after_lease_);
    callers_.on_try(done);
  });
}

void replica_program::read(request_id request, const bytes& key, const consistency& level, const session_token& after,
                           std::optional<time_point> deadline, time_point now, network_effects& out) {
  const bool of_clean_object = level == strong && needs_no_message(key.text(), now);
  const std::uint64_t asked_before = core_.counters().dirty_reads;
  if (level == strong) strong_reads_[request] = now;
  step(now, out, [&](const turn& at) { core_.read(request, key, level, after, deadline, at); });
  if (of_clean_object) needless_questions_ += core_.counters().dirty_reads - asked_before;
  after_input(now, out);
}

void replica_program::cancel(request_id request, time_point now, network_effects& out) {
  core_.cancel(request);
  strong_reads_.erase(request);
  after_input(now, out);
}

void replica_program::change(request_id request, const view_change& what, std::optional<time_point> deadline,
                             time_point now, network_effects& out) {
  step(now, out, [&](const turn& at) { core_.change(request, what, deadline, at); });
  after_input(now, out);
}

void replica_program::hint(const node_id& about, peer_hint what, time_point now, network_effects& out) {
  step(now, out, [&](const turn& at) { core_.hint(about, what, at); });
  after_input(now, out);
}

}  // namespace artillery::sim

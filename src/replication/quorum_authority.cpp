#include <random>
#include <utility>

#include "artillery/error.hpp"
#include "replication/proposer.hpp"
#include "replication/quorum_binding.hpp"

namespace artillery::replication {
namespace {

std::uint64_t quorum_entropy() {
  std::random_device device;
  const std::uint64_t upper = device();
  const std::uint64_t lower = device();
  return (upper << 32U) | lower;
}

std::string fault_of_voters(const std::vector<voter_place>& voters) {
  if (voters.size() > view_replicas_max) {
    return std::to_string(voters.size()) + " voters; at most " + std::to_string(view_replicas_max) + " are allowed";
  }
  for (std::size_t i = 0; i < voters.size(); ++i) {
    const std::string name = "voter " + std::to_string(i + 1);
    if (voters[i].node.none()) return name + " has no node id";
    if (voters[i].at.none() || voters[i].at.is_any()) return name + " has no address, or no port";
    for (std::size_t k = 0; k < i; ++k) {
      const std::string other = "voter " + std::to_string(k + 1);
      if (voters[k].node == voters[i].node) return name + " has the node id of " + other + "; each node votes once";
      if (voters[k].at == voters[i].at) return name + " listens where " + other + " does; one of them is wrong";
    }
  }
  return {};
}

}  // namespace

std::string quorum_config::validate() const {
  if (node.none()) return "node is empty; a node has an id of its own";
  if (cluster.empty()) return "cluster is empty";
  if (std::string fault = fault_of_voters(voters); !fault.empty()) return fault;
  if (resend <= duration::zero() || resend_max < resend) return "resend is not above 0, or above resend_max";
  if (contention <= duration::zero() || contention_max < contention) {
    return "contention is not above 0, or above contention_max";
  }
  if (patience < resend) return "patience is below resend: nothing could be said twice";
  if (events_max == 0) return "events_max is 0; at least 1 is needed";
  return {};
}

view first_view(std::uint64_t chain, std::vector<member> replicas, duration lease) {
  view first;
  first.chain = chain;
  first.epoch = 1;
  first.replicas = std::move(replicas);
  for (const member& one : first.replicas) first.readers.push_back(one.id);
  first.leases = lease_mode::timed;
  first.lease = lease;
  return first;
}

std::string_view to_string(quorum_alarm::reason reason) noexcept {
  switch (reason) {
    case quorum_alarm::reason::other_genesis: return "other_genesis";
    case quorum_alarm::reason::voter_lost: return "voter_lost";
    case quorum_alarm::reason::voters_disagree: return "voters_disagree";
    case quorum_alarm::reason::wrong_node: return "wrong_node";
    case quorum_alarm::reason::disk_failed: return "disk_failed";
  }
  return "unknown";
}

quorum_authority::quorum_authority(asio::any_io_executor executor, quorum_config config) {
  auto board = std::make_unique<quorum_board>();
  auto writer = std::make_shared<voter_writer>(config.disk);
  binding_ = std::make_shared<quorum_binding>(std::move(executor), std::move(config), std::move(board),
                                              std::move(writer), detail::random{quorum_entropy()});
}

quorum_authority::~quorum_authority() {
  if (binding_ != nullptr) binding_->shut_down();
}

quorum_authority::quorum_authority(quorum_authority&& other) noexcept = default;

quorum_authority& quorum_authority::operator=(quorum_authority&& other) noexcept {
  quorum_authority moved{std::move(other)};
  std::swap(binding_, moved.binding_);
  return *this;
}

void quorum_authority::start_run(const binding& self, detail::completion<void(std::error_code)> done) {
  self->run(std::move(done));
}

void quorum_authority::start_ready(const binding& self, detail::completion<void(std::error_code, endpoint)> done) {
  const auto number = self->starting.reserve();
  detail::on_cancel(done.slot(), self, [number](quorum_binding& of) { of.starting.cancel(number); });
  net::submit(self,
              [number, done = std::move(done)](quorum_binding& of) mutable { of.ready(number, std::move(done)); });
}

void quorum_authority::start_found(const binding& self, view first,
                                   detail::completion<void(std::error_code, view)> done) {
  const auto number = self->founding_calls.reserve();
  detail::on_cancel(done.slot(), self, [number](quorum_binding& of) { of.founding_calls.cancel(number); });
  net::submit(self, [number, first = std::move(first), done = std::move(done)](quorum_binding& of) mutable {
    of.found(number, std::move(first), std::move(done));
  });
}

void quorum_authority::start_force(const binding& self, view known, const replica_id& survivor,
                                   const endpoint& reached_at,
                                   detail::completion<void(std::error_code, forced_register)> done) {
  net::submit(self,
              [known = std::move(known), survivor, reached_at, done = std::move(done)](quorum_binding& of) mutable {
                of.force({std::move(known), survivor, reached_at, std::move(done)});
              });
}

void quorum_authority::start_next_event(const binding& self,
                                        detail::completion<void(std::error_code, quorum_event)> done) {
  const auto number = self->events.reserve();
  detail::on_cancel(done.slot(), self, [number](quorum_binding& of) { of.events.cancel(number); });
  net::submit(
      self, [number, done = std::move(done)](quorum_binding& of) mutable { of.events.next(number, std::move(done)); });
}

std::error_code quorum_authority::use_voters(std::vector<voter_place> voters) {
  if (voters.empty() || !fault_of_voters(voters).empty()) return errc::invalid_argument;
  net::submit(binding_, [voters = std::move(voters)](quorum_binding& of) mutable { of.use_voters(std::move(voters)); });
  return {};
}

std::error_code quorum_authority::change_voters(std::vector<voter_place> voters) {
  if (voters.empty() || !fault_of_voters(voters).empty()) return errc::invalid_argument;
  net::submit(binding_,
              [voters = std::move(voters)](quorum_binding& of) mutable { of.change_voters(std::move(voters)); });
  return {};
}

void quorum_authority::read(read_handler done) {
  net::submit(binding_, [done = std::move(done)](quorum_binding& of) mutable {
    of.ask({of.options.node, 0}, authority_read{}, std::move(done));
  });
}

void quorum_authority::compare_and_swap(std::uint64_t expected, view next, view_handler done) {
  net::submit(binding_, [expected, next = std::move(next), done = std::move(done)](quorum_binding& of) mutable {
    of.ask({of.options.node, 0}, authority_cas{0, expected, std::move(next)}, std::move(done));
  });
}

void quorum_authority::renew(const replica_id& who, std::uint64_t epoch, done_handler done) {
  net::submit(binding_, [who, epoch, done = std::move(done)](quorum_binding& of) mutable {
    of.ask(who, authority_renew{0, epoch}, std::move(done));
  });
}

void quorum_authority::quiet(std::uint64_t epoch, const ballot& chosen_in, duration length,
                             std::vector<replica_id> whom, quiet_handler done) {
  net::submit(
      binding_, [epoch, chosen_in, length, whom = std::move(whom), done = std::move(done)](quorum_binding& of) mutable {
        of.ask({of.options.node, 0}, authority_quiet{0, epoch, chosen_in, length, std::move(whom)}, std::move(done));
      });
}

quorum_status quorum_authority::status() const {
  return binding_->seen().status();
}

endpoint quorum_authority::local_endpoint() const {
  return binding_->seen().bound();
}

const asio::any_io_executor& quorum_authority::get_executor() const noexcept {
  return binding_->user_executor();
}

void quorum_authority::metrics(const metric_visitor& visit) const {
  binding_->seen().visit(visit);
}

}  // namespace artillery::replication

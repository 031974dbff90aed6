#include "artillery/error.hpp"

#include <string>

namespace artillery {
namespace {

const char* describe(errc code) noexcept {
  switch (code) {
    case errc::invalid_configuration: return "a configuration value is out of its range";
    case errc::invalid_argument: return "an argument is out of its range";
    case errc::too_large: return "the payload is larger than its limit";
    case errc::would_overflow: return "a bounded queue is full";
    case errc::timed_out: return "the deadline passed before an answer came";
    case errc::not_running: return "the object is not running";
    case errc::already_running: return "the operation is under way already";
    case errc::invariant_broken:
      return "an invariant of the protocol is broken; the object has stopped (this is a bug)";
    case errc::malformed: return "the bytes are not a message";
    case errc::unsupported_version: return "the message is of a wire version that is not spoken here";
    case errc::wrong_cluster: return "the message belongs to another cluster";
    case errc::checksum_mismatch: return "the checksum does not match";
    case errc::has_left: return "this node has left the cluster";
    case errc::unknown_member: return "no such member is known";
    case errc::stale_epoch: return "the request was made in an older view; nothing changed";
    case errc::not_serving: return "this node does not serve the chain";
    case errc::not_head: return "this replica is not the head of the chain";
    case errc::node_id_in_use:
      return "the chain has this node id under a later incarnation: another process uses it; each needs one of its own";
    case errc::not_tail: return "this replica is not the tail of the chain";
    case errc::busy: return "the head's window is full";
    case errc::outcome_unknown: return "the write may or may not have happened";
    case errc::unknown_session: return "the session has ended or is not known here";
    case errc::token_void:
      return "the session token counts a write that was lost with its head; read without it and begin a new one";
    case errc::chain_stopped: return "the chain has stopped: a member is unreachable and the view cannot change";
    case errc::other_genesis: return "the voters hold another first view: the chain was founded otherwise";
    case errc::voters_disagree: return "the voters configured are not those that the chain was founded with";
    case errc::has_quorum: return "a majority of the voters answers: the chain can heal itself";
    case errc::directory_in_use: return "another process has the directory";
    case errc::damaged_data: return "a file is damaged; the log says what to do";
    case errc::newer_format: return "a file was written by a newer version";
    case errc::foreign_data: return "a file belongs to another chain or another node";
  }
  return "unknown error";
}

class category final : public std::error_category {
public:
  const char* name() const noexcept override { return "artillery"; }
  std::string message(int code) const override { return describe(static_cast<errc>(code)); }
};

constinit const category instance{};

}  // namespace

const std::error_category& error_category() noexcept {
  return instance;
}

std::error_code make_error_code(errc code) noexcept {
  return {static_cast<int>(code), error_category()};
}

}  // namespace artillery

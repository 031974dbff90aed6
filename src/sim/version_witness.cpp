#include "sim/version_witness.hpp"

#include <map>
#include <utility>

namespace artillery::sim {
namespace {

std::string text_of(const replication::version& v) {
  return std::to_string(v.epoch) + "." + std::to_string(v.seq);
}

/// What stands at one place. Of a version that was only met as a condition's, the value is not known.
struct place {
  const history_operation* first_witness = nullptr;
  const history_operation* value_witness = nullptr;  // put, erase or a read that found it
};

class witnesses {
public:
  explicit witnesses(const history& operations) {
    for (const history_operation& op : operations) {
      if (op.what == history_operation::kind::put) puts_.emplace(op.value, &op);
    }
    for (const history_operation& op : operations) hear(op);
  }

  witnessed_log result() && {
    std::uint64_t seq_before = 0;
    std::map<std::string, std::size_t> nameless;  // by object
    for (const auto& [version, here] : places_) {
      if (version.seq <= seq_before) {
        blame("the place " + text_of(version) + " is not behind those of the epochs before it", *here.first_witness);
      }
      seq_before = version.seq;
      if (here.value_witness == nullptr) ++nameless[here.first_witness->key];
      seen_.log.push_back(effect_at(version, here));
    }
    for (const auto& [key, count] : nameless) {
      if (count > unknown_puts(key) && !seen_.fault) seen_.fault = "versions of '" + key + "' that no write made";
    }
    return std::move(seen_);
  }

private:
  void hear(const history_operation& op) {
    const bool is_done = op.came_to == history_operation::outcome::done;
    if (op.what == history_operation::kind::erase && op.came_to == history_operation::outcome::pending)
      seen_.undecided.insert(op.key);
    if (is_done && op.is_write() && op.when.what() == replication::condition::kind::if_version && op.applied) {
      hear_of(op.when.expected(), op, false);
    }
    if (!is_done || op.version.none()) return;
    if (!op.is_write() && !op.found) return;
    hear_of(op.version, op, op.is_write() ? op.applied : true);
  }

  void hear_of(const replication::version& version, const history_operation& op, bool tells_value) {
    place& here = places_[version];
    if (here.first_witness == nullptr) here.first_witness = &op;
    if (here.first_witness->key != op.key) return blame("two objects at the place " + text_of(version), op);
    if (!tells_value) return;
    if (!op.is_write()) check_source(op);
    if (here.value_witness == nullptr) here.value_witness = &op;
    const history_operation& other = *here.value_witness;
    const bool is_same =
        (other.what == history_operation::kind::erase) == (op.what == history_operation::kind::erase) &&
        other.value == op.value;
    if (!is_same) blame("two values at the place " + text_of(version), op);
  }

  void check_source(const history_operation& read) {
    const auto put = puts_.find(read.value);
    if (put == puts_.end()) return blame("a value that nobody wrote", read);
    if (put->second->key != read.key) blame("a value that was written to '" + put->second->key + "'", read);
  }

  [[nodiscard]] static applied_effect effect_at(const replication::version& version, const place& here) {
    if (here.value_witness == nullptr) {
      // No value of a client's begins so: nobody is taken for its writer.
      return {here.first_witness->key, version, false, std::string{'\0'} + "unknown " + text_of(version)};
    }
    const history_operation& made = *here.value_witness;
    const bool is_erase = made.what == history_operation::kind::erase;
    return {made.key, version, is_erase, is_erase ? std::string{} : made.value};
  }

  [[nodiscard]] std::size_t unknown_puts(const std::string& key) const {
    std::size_t count = 0;
    for (const auto& [value, put] : puts_) {
      if (put->key == key && put->came_to == history_operation::outcome::pending) ++count;
    }
    return count;
  }

  void blame(const std::string& what, const history_operation& op) {
    if (seen_.fault) return;
    seen_.fault = what + ": '" + op.key + "', client " + std::to_string(op.client) + ", calls " +
                  std::to_string(op.invoked) + ".." + std::to_string(op.completed);
  }

  std::map<std::string, const history_operation*> puts_;  // by value
  std::map<replication::version, place> places_;
  witnessed_log seen_;
};

}  // namespace

witnessed_log log_of_versions(const history& operations) {
  return witnesses{operations}.result();
}

}  // namespace artillery::sim

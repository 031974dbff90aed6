#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "artillery/clock.hpp"
#include "artillery/endpoint.hpp"
#include "artillery/logging.hpp"
#include "artillery/node/types.hpp"
#include "artillery/replication/types.hpp"

/// What a command line asks for, as plain values.
namespace tool {

enum class output_format : std::uint8_t {
  table,  ///< for people
  json,   ///< one value
  jsonl   ///< one value on a line for each row or event
};

/// Which agent a command talks to, and how it shows the answer.
struct common_options {
  std::string cluster;
  std::string name;
  std::string socket;  ///< empty: where an agent of this cluster and name puts it
  output_format format = output_format::table;
  artillery::duration timeout = std::chrono::seconds{10};

  [[nodiscard]] std::string socket_path() const;
};

/// `host:port` as it was written; the host may be a name.
struct host_port {
  std::string host;
  std::string port;
};

struct agent_options {
  common_options common;
  artillery::endpoint bind = artillery::endpoint::v4(127, 0, 0, 1, 0);
  std::uint16_t replication_port = 0;
  artillery::endpoint advertise;
  std::string directory;  ///< empty: nothing is kept
  std::vector<host_port> seeds;
  std::map<std::string, std::string> tags;
  std::size_t expect = 1;
  bool discover = true;
  std::uint16_t discovery_port = artillery::discovery::config::default_port;
  bool insecure = false;
  artillery::timing_preset preset = artillery::timing_preset::local;
  std::size_t value_size_max = std::size_t{1} << 20U;
  artillery::log_level log_level = artillery::log_level::warning;
};

/// For what waits and listens.
struct stream_options {
  std::optional<std::uint64_t> count;
  std::optional<artillery::duration> timeout;
};

/// Tags that a member must have: keys, and their values if those matter.
using tag_filter = std::vector<std::pair<std::string, std::optional<std::string>>>;

struct members_options {
  common_options common;
  bool watch = false;
  bool all = false;
  std::string name;   ///< none: any
  std::string state;  ///< likewise
  tag_filter tags;
  stream_options stream;
};

/// Shows the agent's own tags, or changes them.
struct tags_options {
  common_options common;
  std::vector<std::pair<std::string, std::string>> set;
  std::vector<std::string> removed;
};

struct join_options {
  common_options common;
  std::vector<std::string> seeds;
};

struct leave_options {
  common_options common;
  std::string reason;
};

/// The live table of members.
struct watch_options {
  common_options common;
  stream_options stream;
};

/// Who hears a question of the agent's, and is heard.
struct reachability_options {
  common_options common;
};

struct event_options {
  common_options common;
  bool listen = false;
  std::string topic;  ///< listening: empty stands for all
  std::optional<std::string> payload;
  stream_options stream;
};

/// A message to one member.
struct send_options {
  common_options common;
  std::string member;  ///< a name, an id, or how one begins
  std::string topic;
  std::optional<std::string> payload;
  bool best_effort = false;
};

/// A question to all members, or to those that are named and have the tags.
struct query_options {
  common_options common;
  std::string topic;
  std::optional<std::string> payload;
  std::vector<std::string> members;  ///< as of a message; none: all
  tag_filter tags;
};

/// Answers all queries of a topic, with the same each.
struct answer_options {
  common_options common;
  std::string topic;
  std::optional<std::string> payload;
  stream_options stream;
};

struct status_options {
  common_options common;
  bool wait = false;
  bool counters = false;
};

struct get_options {
  common_options common;
  std::string key;
  artillery::replication::consistency consistency = artillery::replication::strong;
  bool raw = false;
  std::string output;
};

/// put, cas and del.
struct write_options {
  enum class kind : std::uint8_t { put, cas, del };

  common_options common;
  kind what = kind::put;
  std::string key;
  std::optional<std::string> value;
  std::string file;
  artillery::replication::version expected;  ///< of a cas; none: the object must be absent
};

/// status, add, remove, promote and repair.
struct chain_options {
  enum class kind : std::uint8_t { status, add, remove, promote, repair };

  common_options common;
  kind what = kind::status;
  std::string node;        ///< of an add, remove or promote: a name, an id, or how one begins
  bool force = false;      ///< of a repair: found another chain in the place of the lost one
  bool confirmed = false;  ///< and the warning was read
};

struct version_options {
  common_options common;
};

using command = std::variant<agent_options, members_options, tags_options, join_options, leave_options, watch_options,
                             reachability_options, event_options, send_options, query_options, answer_options,
                             status_options, chain_options, get_options, write_options, version_options>;

}  // namespace tool

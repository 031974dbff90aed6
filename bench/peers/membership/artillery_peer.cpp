// A node of ours for the membership benchmark: artillery_peer <name> <address:port>. What it is told and what it
// reports is in README.md.
#include <unistd.h>

#include <artillery/membership.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/read_until.hpp>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <variant>

namespace {

namespace membership = artillery::membership;

void report(std::string_view what, std::string_view about) {
  const auto at = artillery::clock::now().time_since_epoch().count();
  std::string line = std::to_string(at);
  line.append(1, ' ').append(what).append(1, ' ').append(about).append(1, '\n');
  // Whole lines below PIPE_BUF are written at once; when nobody reads any more there is nobody to tell.
  if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) return;
}

struct teller {
  void operator()(const membership::joined& it) const { report("joined", it.member.name); }
  void operator()(const membership::failed& it) const { report("failed", it.member.name); }
  void operator()(const membership::left& it) const { report("left", it.member.name); }
  void operator()(const membership::user_event& it) const { report("event", it.payload.text()); }
  template <class Other>
  void operator()(const Other&) const {}  // the other libraries tell nothing of the kind
};

/// The same for each start of a name: a node that keeps its identity.
artillery::node_id identity_of(std::string_view name) {
  return {.high = 1, .low = std::hash<std::string_view>{}(name)};
}

class peer {
public:
  peer(std::string_view name, const artillery::endpoint& at) : cluster_{io_.get_executor(), config_of(name, at)} {}

  int run() {
    cluster_.async_run([](std::error_code error) {
      if (!error) return;
      std::fprintf(stderr, "%s\n", error.message().c_str());
    });
    cluster_.async_ready([this](std::error_code error, const artillery::endpoint&) {
      if (error) return io_.stop();
      report("ready", {});
      listen();
    });
    tell_next();
    io_.run();
    return 0;
  }

private:
  static membership::config config_of(std::string_view name, const artillery::endpoint& at) {
    membership::config config = membership::config::lan();
    config.name = name;
    config.id = identity_of(name);
    config.bind = at;
    return config;
  }

  void tell_next() {
    cluster_.async_next_event([this](std::error_code error, const membership::event& event) {
      if (error) return;
      std::visit(teller{}, event);
      tell_next();
    });
  }

  void listen() {
    asio::async_read_until(input_, asio::dynamic_buffer(said_), '\n', [this](std::error_code error, std::size_t size) {
      if (error) return io_.stop();
      obey(std::string_view{said_}.substr(0, size - 1));
      said_.erase(0, size);
      listen();
    });
  }

  void obey(std::string_view line) {
    const std::size_t space = line.find(' ');
    const std::string_view word = line.substr(0, space);
    const std::string_view argument = space == std::string_view::npos ? std::string_view{} : line.substr(space + 1);
    const auto refused = [](std::error_code error) {
      if (error) report("refused", error.message());
    };
    if (word == "join") {
      const auto seed = artillery::parse_endpoint(argument);
      refused(seed ? cluster_.add_seed(*seed) : make_error_code(std::errc::invalid_argument));
    } else if (word == "event") {
      cluster_.async_broadcast("bench", artillery::bytes{argument}, refused);
    } else if (word == "leave") {
      cluster_.async_leave([refused](std::error_code error) {
        refused(error);
        report("gone", {});
      });
    }
  }

  asio::io_context io_{1};
  membership::cluster cluster_;
  asio::posix::stream_descriptor input_{io_, ::dup(STDIN_FILENO)};
  std::string said_;
};

}  // namespace

int main(int count, char** words) {
  const auto at = count == 3 ? artillery::parse_endpoint(words[2]) : std::nullopt;
  if (!at) {
    std::fprintf(stderr, "usage: artillery_peer <name> <address:port>\n");
    return 2;
  }
  return peer{words[1], *at}.run();
}

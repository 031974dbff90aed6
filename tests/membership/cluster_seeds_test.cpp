// How a node finds its cluster by name, and again after a restart.
#include <unistd.h>
#include <filesystem>
#include <fstream>

#include "membership/member_snapshot_binding.hpp"
#include "membership/named_seeds_binding.hpp"
#include "running_cluster.hpp"

using namespace running;

namespace {

/// A directory of the test's own, which goes with it.
class scratch {
public:
  scratch() : path_{std::filesystem::temp_directory_path() / ("artillery-members-" + std::to_string(::getpid()))} {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }

private:
  std::filesystem::path path_;
};

std::string content(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

membership::config at_loopback(std::string name) {
  membership::config config = quick(std::move(name));
  config.bind = endpoint::v4(127, 0, 0, 1, 0);
  return config;
}

void await_listening(asio::io_context& context, const node& which) {
  REQUIRE(run_until(context, [&] { return !which.cluster.local_endpoint().none(); }));
}

}  // namespace

TEST_CASE("a seed's name is a host, a host and a port, or an address in brackets", "[membership][seeds][name]") {
  const auto is = [](std::string_view text, const std::string& host, const std::string& port) {
    const auto parsed = membership::parse_seed_name(text);
    return parsed && parsed->host == host && parsed->port == port;
  };
  CHECK(is("db.example", "db.example", "7946"));
  CHECK(is("db.example:99", "db.example", "99"));
  CHECK(is("[fe80::1]:99", "fe80::1", "99"));
  CHECK(is("fe80::1", "fe80::1", "7946"));
  for (const char* bad : {"", ":7946", "db:", "db:x", "db:0", "db:70000", "[fe80::1", "[fe80::1]99"}) {
    CAPTURE(bad);
    CHECK_FALSE(membership::parse_seed_name(bad));
  }
}

TEST_CASE("a seed may be given by name, before and after the start", "[membership][socket][seeds]") {
  asio::io_context context;
  node first{context, at_loopback("first")};
  await_listening(context, first);
  const std::string name = "localhost:" + std::to_string(first.cluster.local_endpoint().port());
  membership::cluster early{context.get_executor(), at_loopback("early")};
  CHECK_FALSE(early.add_seed(name));
  CHECK(early.add_seed("no port:") == errc::invalid_argument);
  early.async_run([](std::error_code) {});
  node late{context, at_loopback("late")};
  await_listening(context, late);
  CHECK_FALSE(late.cluster.add_seed(name));
  CHECK(run_until(context, [&] { return first.count<membership::joined>() == 2; }));
}

TEST_CASE("a name that nobody knows is said in the log, and ends nothing", "[membership][socket][seeds]") {
  asio::io_context context;
  std::string said;
  membership::config config = at_loopback("lonely");
  config.log = [&](log_level, std::string_view, std::string_view text) { said += std::string{text} + "\n"; };
  node lonely{context, config};
  CHECK_FALSE(lonely.cluster.add_seed("nobody.invalid"));
  CHECK(run_until(context, [&] { return said.find("nobody.invalid") != std::string::npos; }, 30s));
  CHECK_FALSE(lonely.ended());
}

TEST_CASE("a node that starts again finds its cluster by the snapshot of its last run", "[membership][socket][seeds]") {
  asio::io_context context;
  const scratch place;
  const std::string file = place.file("members");
  node first{context, at_loopback("first")};
  await_listening(context, first);
  membership::config config = at_loopback("second");
  config.id = {4, 2};
  config.snapshot = file;
  {
    node second{context, config};
    CHECK_FALSE(second.cluster.add_seed(first.cluster.local_endpoint()));
    REQUIRE(run_until(context, [&] { return second.count<membership::joined>() == 1; }));
    REQUIRE(run_until(context, [&] { return std::filesystem::exists(file); }));
  }
  CHECK(run_until(context, [&] { return first.count<membership::failed>() == 1; }));
  node again{context, config};
  CHECK(run_until(context, [&] { return again.count<membership::joined>() == 1; }));
  bool has_left = false;
  again.cluster.async_leave([&](std::error_code error) { has_left = !error; });
  CHECK(run_until(context, [&] { return has_left && !std::filesystem::exists(file); }));
}

TEST_CASE("a snapshot that cannot be used is set aside, whatever is wrong with it", "[membership][socket][seeds]") {
  asio::io_context context;
  const scratch place;
  const std::string file = place.file("members");
  REQUIRE_FALSE(membership::write_snapshot(file, "default", {endpoint::v4(10, 0, 0, 1, 7946)}));
  std::string text = content(file);
  std::vector<endpoint> found;
  REQUIRE_FALSE(membership::read_snapshot(file, "default", found));
  CHECK(found == std::vector<endpoint>{endpoint::v4(10, 0, 0, 1, 7946)});
  std::error_code expected = errc::damaged_data;
  SECTION("cut short") {
    text.resize(text.size() / 2);
  }
  SECTION("edited") {
    text[text.find("10.0")] = '2';
  }
  SECTION("something else") {
    text = "hello\n";
  }
  SECTION("empty") {
    text.clear();
  }
  SECTION("of a newer version") {
    text.replace(text.find("members 1"), 9, "members 2");
    expected = errc::newer_format;
  }
  SECTION("of another cluster") {
    REQUIRE_FALSE(membership::write_snapshot(file, "elsewhere", {}));
    text = content(file);
    expected = errc::foreign_data;
  }
  std::ofstream{file, std::ios::binary | std::ios::trunc} << text;
  CHECK(membership::read_snapshot(file, "default", found) == expected);
  membership::config config = at_loopback("one");
  config.snapshot = file;
  node one{context, config};
  await_listening(context, one);
  CHECK(content(file + ".unread") == text);
  CHECK_FALSE(std::filesystem::exists(file));
}

// As many real clusters as one process holds without effort, all started at once.
#include <filesystem>

#include "membership/running_cluster.hpp"

using namespace running;

namespace {

constexpr std::size_t crowd = 64;

/// Sockets and all else that this process holds open.
std::size_t descriptors() {
  std::size_t open = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd"}) ++open;
  return open;
}

/// Whether the nodes were all seen to have this; each is looked at until it has it, and no more.
class all_have {
public:
  explicit all_have(const std::vector<std::unique_ptr<node>>& nodes) : nodes_{nodes} {}
  template <class Has>
  bool operator()(const Has& has) {
    while (next_ < nodes_.size() && has(*nodes_[next_])) ++next_;
    return next_ == nodes_.size();
  }

private:
  const std::vector<std::unique_ptr<node>>& nodes_;
  std::size_t next_ = 0;
};

/// Timings whose probe timeout outlasts what one busy thread keeps 64 of them waiting for.
membership::config of_a_crowd(std::size_t which) {
  membership::config config = membership::config::lan();
  config.name = "n" + std::to_string(which);
  config.bind = endpoint::v4(127, 0, 0, 1, 0);
  return config;
}

}  // namespace

TEST_CASE("sixty-four clusters that start at once see each other, and what one says reaches all",
          "[membership][socket][crowd]") {
  const std::size_t open_before = descriptors();
  asio::io_context context;
  std::vector<std::unique_ptr<node>> nodes;
  for (std::size_t i = 0; i < crowd; ++i) nodes.push_back(std::make_unique<node>(context, of_a_crowd(i)));
  const endpoint seed = ready(context, *nodes[0]);
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t i = 1; i < crowd; ++i) nodes[i]->cluster.add_seed(seed);

  all_have full{nodes};
  REQUIRE(run_until(
      context, [&] { return full([](const node& n) { return n.count<membership::joined>() == crowd - 1; }); }, 30s));
  // A third of a second on a machine that does nothing else.
  CHECK(std::chrono::steady_clock::now() - begin <= 10s);
  CHECK(descriptors() - open_before <= 4 * crowd);
  for (const auto& n : nodes) {
    const auto members = n->cluster.members();
    CHECK(members.size() == crowd);
    for (const membership::member& each : members) CHECK(each.state == membership::member_state::alive);
  }

  std::optional<std::error_code> sent;
  nodes.back()->cluster.async_broadcast("topic", "hello", [&](std::error_code error) { sent = error; });
  all_have heard{nodes};
  REQUIRE(run_until(context, [&] {
    return heard([&](const node& n) { return &n == nodes.back().get() || n.count<membership::user_event>() == 1; });
  }));
  CHECK_FALSE(sent.value());

  for (const auto& n : nodes) {
    CHECK(n->count<membership::joined>() == crowd - 1);
    CHECK(n->count<membership::failed>() == 0);
    CHECK(n->count<membership::user_event>() == (n == nodes.back() ? 0U : 1U));
    CHECK(n->figure("membership.members_present") == crowd);
  }
  // Each listens twice; what else is open carries views, and is closed in time.
  CHECK(run_until(context, [&] { return descriptors() - open_before <= 2 * crowd + 16; }));
}

#include "net/interfaces.hpp"

#include <algorithm>
#include <asio/io_context.hpp>

#include "catch.hpp"
#include "event_loop.hpp"

namespace artillery::net {

TEST_CASE("the loopback interface is listed with its address", "[net][interfaces]") {
  std::error_code error;
  const auto all = list_interfaces(error);
  REQUIRE_FALSE(error);
  const auto found = std::find_if(all.begin(), all.end(), [](const auto& one) { return one.loopback; });
  REQUIRE(found != all.end());
  CHECK(found->index != 0);
  CHECK_FALSE(found->name.empty());
  if (found->up) {
    const auto has = std::any_of(found->addresses.begin(), found->addresses.end(), [](const auto& one) {
      return one.address == endpoint::v4(127, 0, 0, 1, 0) && one.prefix_length == 8;
    });
    CHECK(has);
  }
}

TEST_CASE("the address that the routes would have is one of this machine's, or there is none", "[net][interfaces]") {
  const bool v6 = GENERATE(false, true);
  const endpoint out = outgoing_address(v6);
  CHECK(out.is_v6() == v6);
  CHECK(out.port() == 0);
  CHECK_FALSE(out.is_loopback());
  if (!out.is_any()) CHECK(interface_of(out) != 0);
}

TEST_CASE("an address belongs to the interface that has it", "[net][interfaces]") {
  std::error_code error;
  for (const network_interface& one : list_interfaces(error)) {
    for (const interface_address& each : one.addresses) CHECK(interface_of(each.address.with_port(7)) != 0);
  }
  CHECK(interface_of(endpoint::v4(192, 0, 2, 1, 0)) == 0);
  CHECK(interface_of(endpoint::v4(0, 0, 0, 0, 0)) == 0);
}

TEST_CASE("a watch can be closed and released at any moment", "[net][interfaces]") {
  asio::io_context io;
  const strand executor{io.get_executor()};
  std::error_code error;
  auto watch = interface_watch::start(executor, [] {}, error);
  REQUIRE_FALSE(error);
  SECTION("closed") {
    watch->close();
    watch->close();
    io.run();
  }
  SECTION("released") {
    watch.reset();
    io.run();
  }
  SECTION("with the context") {
    io.poll();
  }
}

}  // namespace artillery::net

#include <array>
#include <artillery/bytes.hpp>
#include <artillery/endpoint.hpp>
#include <artillery/version.hpp>
#include <cstddef>
#include <cstdio>

int main() {
  auto parsed = artillery::parse_endpoint("127.0.0.1:7400");
  const std::array<std::byte, 5> letters{};
  auto copied = artillery::bytes::copy(letters);
  std::printf("artillery %s\n", artillery::version_text.data());
  return parsed && copied.size() == 5 ? 0 : 1;
}

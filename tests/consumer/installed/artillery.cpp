#include <artillery/artillery.hpp>
#include <cstdio>

int main() {
  artillery::sim::world world{1};
  std::printf("artillery %s, a world of %zu hosts\n", artillery::version_text.data(), world.hosts());
  return world.hosts() == 0 ? 0 : 1;
}

#include "library.hpp"

namespace peers {

std::string_view to_string(library of) noexcept {
  switch (of) {
    case library::ours: return "ours";
    case library::memberlist: return "memberlist";
    case library::serf: return "serf";
  }
  return {};
}

std::string program_of(library of) {
  const std::string folder = PEER_PROGRAMS;
  return folder + '/' + (of == library::ours ? "artillery" : std::string{to_string(of)}) + "_peer";
}

std::string_view word_for_leaving(library of) noexcept {
  return of == library::memberlist ? "failed" : "left";
}

}  // namespace peers

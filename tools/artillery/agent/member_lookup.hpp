#pragma once

#include <string>
#include <vector>

#include "artillery/membership/types.hpp"

/// Members as people name them.
namespace tool::agent {

/// `name (0123abcd)`, fit for a terminal.
[[nodiscard]] std::string shown(const artillery::membership::member& who);

/// The member that is called so, or whose id begins so. Throws `bad_field`, with what there is, when there is none or
/// more than one. A whole id is taken as it is: the dead are forgotten after a while, but not by everybody.
[[nodiscard]] artillery::node_id node_called(const std::string& text,
                                             const std::vector<artillery::membership::member>& members);

/// Those of `members` that neither failed nor left.
[[nodiscard]] std::vector<artillery::membership::member> present(std::vector<artillery::membership::member> members);

}  // namespace tool::agent

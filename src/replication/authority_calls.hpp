#pragma once

#include <functional>
#include <system_error>

#include "artillery/replication/authority.hpp"
#include "replication/view_authority.hpp"

namespace artillery::replication {

/// An answer of the authority's, on whatever thread it gives it; or `errc::invalid_configuration`, when there is no
/// view and never will be.
using authority_told = std::function<void(std::error_code, const authority_answer&)>;

/// Puts a core's question to an authority. What it does not know it does not tell: the core asks again.
void put_question(authority& decides, const replica_id& who, const authority_question& question, authority_told told);

}  // namespace artillery::replication

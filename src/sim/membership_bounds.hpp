#pragma once

#include <cstddef>
#include <cstdint>

#include "artillery/bytes.hpp"
#include "artillery/clock.hpp"
#include "artillery/membership/types.hpp"

/// What the protocol owes, as numbers that follow from its configuration and the size of the cluster: what the checkers
/// hold it to. Chances below one in a billion are taken for never.
namespace artillery::sim {

/// What a bound depends on beside the configuration.
struct cluster_size {
  std::size_t members = 0;        ///< that live
  std::size_t known = 0;          ///< that a view lists, dead ones included, at most
  std::size_t seeds_missing = 0;  ///< at whose address nobody is, at most
  std::uint32_t health = 0;       ///< the worst local health multiplier (Lifeguard) of any of them
};

/// From when one member has heard of something until every other has.
[[nodiscard]] duration dissemination_bound(const membership::config& config, const cluster_size& size) noexcept;

/// How much longer it takes where so many events, with topic and payload of so many bytes together, are to be told by
/// everybody at once: each keeps to its tick and to what a datagram holds.
[[nodiscard]] duration backlog_bound(const membership::config& config, const cluster_size& size, std::size_t events,
                                     std::size_t bytes_each) noexcept;

/// M2: from a death until each living member has reported it.
[[nodiscard]] duration completeness_bound(const membership::config& config, const cluster_size& size) noexcept;

/// M3: from the end of all faults, the last of which may have lasted since the start `faulty` ago, until all views are
/// equal.
[[nodiscard]] duration convergence_bound(const membership::config& config, const cluster_size& size,
                                         duration faulty) noexcept;

/// M5: what a cluster with nothing to say sends in `length`, all members together.
struct load {
  std::uint64_t datagrams = 0;
  std::uint64_t bytes = 0;
};
[[nodiscard]] load idle_load_bound(const membership::config& config, const cluster_size& size,
                                   duration length) noexcept;

/// Datagrams that one may be answered with, at most.
[[nodiscard]] std::uint64_t answers_to(bytes_view datagram) noexcept;

/// M5: bytes of a second that do not count towards the cap: probes, their answers, and what may be answered at once,
/// each without news.
[[nodiscard]] std::uint64_t exempt_bytes(const membership::config& config, std::uint64_t answers) noexcept;

/// Datagrams in a second that say something to a query which was told to the application.
[[nodiscard]] std::uint64_t replies_to_query(const membership::config& config) noexcept;

/// M5: what one member sends in a second, whatever happens, when what it hears in it may be answered with `answers`
/// datagrams.
[[nodiscard]] load burst_bound(const membership::config& config, std::uint64_t answers) noexcept;

/// M6: things that a member holds at a time, whatever it is sent.
[[nodiscard]] std::size_t held_bound(const membership::config& config) noexcept;

}  // namespace artillery::sim

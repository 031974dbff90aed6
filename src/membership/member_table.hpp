#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/indexed.hpp"
#include "base/random.hpp"
#include "base/state_hash.hpp"
#include "membership/message.hpp"
#include "membership/round_trip.hpp"

namespace artillery::membership {

/// What orders claims about one member: a later life, a higher incarnation, then left > failed > suspect > alive
/// (SWIM, section 4.2).
struct standing {
  std::uint64_t boot = 0;
  std::uint64_t incarnation = 0;
  member_state state = member_state::alive;

  friend constexpr auto operator<=>(const standing&, const standing&) noexcept = default;
};

/// A higher incarnation is a forgery. The bound is the same for everybody, so a member can tell which of the claims of
/// it the others believe; beyond it a member goes on as a next life, at incarnation 0.
inline constexpr std::uint64_t incarnation_max = std::uint64_t{1} << 32U;

/// A boot this far above the one known, and above that of the process that hears of it, is a forgery: it would silence
/// the member, whatever it said, over all its restarts. In microseconds these are 142 years: a host whose clock starts
/// at 1970 is still believed by all others, and believes them.
inline constexpr std::uint64_t boot_jump_max = std::uint64_t{1} << 52U;

struct member_row {
  node_id key;
  membership::standing standing;
  std::shared_ptr<const membership::facts> facts;
  time_point since;  ///< of its present state
  membership::round_trip round_trip = {};
  std::uint64_t sent_before = 0;  ///< events of this node's from before it knew the member
  bool announced = false;         ///< the application was told that it joined, and not yet that it is gone
  bool introduced = false;        ///< the application was ever told of this life; its events are nobody's before
  bool due = false;               ///< its events are counted from here on: nobody's word moves its beginning further
  bool in_ring = false;           ///< it has a place in the order of probing
  bool buried = false;            ///< failed so long ago that the application hears no more of it

  [[nodiscard]] bool present() const noexcept {
    return standing.state == member_state::alive || standing.state == member_state::suspect;
  }
  [[nodiscard]] short_name name() const noexcept { return shorten(key); }
  [[nodiscard]] std::uint32_t tag() const noexcept { return address_tag(key, standing.boot); }
};

/// All others that this node knows of, dead ones included, and the digest of those that are present.
class member_table {
public:
  explicit member_table(std::uint64_t hash_key) : rows_{hash_key}, addresses_{hash_key}, names_{hash_key} {}

  [[nodiscard]] member_row* find(const node_id& id) noexcept { return rows_.find(id); }
  [[nodiscard]] member_row* find(short_name name) noexcept { return rows_.find(name); }
  [[nodiscard]] const member_row* find(const node_id& id) const noexcept { return rows_.find(id); }
  [[nodiscard]] const member_row* find(short_name name) const noexcept { return rows_.find(name); }
  /// The present member that is said to listen at `at`.
  [[nodiscard]] const member_row* present_at(const endpoint& at) const noexcept;

  /// Another present member of the same name.
  [[nodiscard]] const member_row* namesake_of(const member_row& row) const noexcept;

  /// Up to `count` different present members, drawn.
  [[nodiscard]] std::vector<const member_row*> draw_present(std::size_t count, detail::random& random) const;
  /// Likewise, and neither a suspect nor `except`.
  [[nodiscard]] std::vector<const member_row*> draw_alive(std::size_t count, const node_id& except,
                                                          detail::random& random) const;
  /// All that are failed or left, in the order of the rows.
  [[nodiscard]] std::vector<const member_row*> gone_rows() const;

  member_row& insert(const node_id& id, const standing& first, std::shared_ptr<const facts> what, time_point now);
  void erase(const node_id& id);
  /// Changes a row's standing, and what is kept about all rows with it.
  void set_standing(member_row& row, const standing& next, time_point now);
  void set_facts(member_row& row, std::shared_ptr<const facts> what);

  [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }
  /// Members that are alive or suspect, without this node.
  [[nodiscard]] std::size_t present() const noexcept { return present_; }
  [[nodiscard]] std::size_t gone() const noexcept { return rows_.size() - present_; }
  [[nodiscard]] std::uint32_t digest() const noexcept { return digest_; }
  /// The same, of the members in each bucket.
  [[nodiscard]] const bucket_sums& buckets() const noexcept { return buckets_; }

  [[nodiscard]] auto begin() noexcept { return rows_.begin(); }
  [[nodiscard]] auto end() noexcept { return rows_.end(); }
  [[nodiscard]] auto begin() const noexcept { return rows_.begin(); }
  [[nodiscard]] auto end() const noexcept { return rows_.end(); }
  [[nodiscard]] const member_row& operator[](std::size_t position) const noexcept { return rows_[position]; }

  void hash(detail::state_hash& into, time_point now) const;

private:
  struct hash_of_name {
    [[nodiscard]] std::uint64_t operator()(const node_id& id) const noexcept { return shorten(id).value; }
    [[nodiscard]] std::uint64_t operator()(short_name name) const noexcept { return name.value; }
  };

  /// Who listens at an address, which is folded to 64 bits, of the members that are present: the first of the rows.
  struct address_row {
    std::uint64_t key;
    short_name owner;
    std::uint32_t sharing = 0;  ///< how many present members there are at it
  };

  /// Names, folded to 64 bits, of the members that are present.
  struct name_row {
    std::uint64_t key;
    std::uint32_t sharing = 0;
  };

  void toggle_digest(const member_row& row) noexcept;
  void appear(const member_row& row);
  void vanish(const member_row& row);
  [[nodiscard]] std::size_t position_of(const member_row& row) const noexcept {
    return static_cast<std::size_t>(&row - &rows_[0]);
  }
  /// Positions of the rows that are not simply alive and for which `counts` holds, ascending.
  template <class Counts>
  [[nodiscard]] std::vector<std::size_t> positions(Counts counts) const;
  [[nodiscard]] std::vector<const member_row*> draw(std::size_t count, const std::vector<std::size_t>& holes,
                                                    detail::random& random) const;

  detail::indexed<member_row, hash_of_name> rows_;
  detail::indexed<address_row, detail::number_hash> addresses_;
  detail::indexed<name_row, detail::number_hash> names_;
  std::vector<node_id> not_alive_;  ///< suspect, failed or left: few, so that whoever draws can leave them out
  std::size_t present_ = 0;
  std::uint32_t digest_ = 0;
  bucket_sums buckets_{};
};

/// A present member's part of the view digest. Alive and suspect count alike: a suspicion is not worth a repair.
[[nodiscard]] std::uint32_t digest_of(short_name name, std::uint64_t boot, std::uint64_t incarnation) noexcept;

/// What a view summary says of one member.
[[nodiscard]] std::uint32_t version_of(short_name name, const standing& standing) noexcept;

[[nodiscard]] member to_member(const member_row& row);

}  // namespace artillery::membership

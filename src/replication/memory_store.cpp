#include "artillery/replication/memory_store.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstring>
#include <new>
#include <random>
#include <thread>
#include <utility>

#include "base/random.hpp"
#include "base/wide_integer.hpp"
#include "replication/reader_stripe_binding.hpp"

// Shards, each a hash table of groups under spin locks. A group is one cache line: seven pointers to records and a tag
// byte for each; a record is one run of memory with the object's newest version, its key and (when it is small) its
// value. So a fetch touches the shard, one group and one record, and hands out the value as a share of the record.

namespace artillery::replication {
namespace {

constexpr std::size_t cache_line = 64;
constexpr std::size_t shards_bits = 8;
constexpr std::size_t shards_count = std::size_t{1} << shards_bits;
constexpr std::size_t batch_max = 16;  // as many misses as a core keeps under way at once, roughly

// ---- record --------------------------------------------------------------------------------------------------------

enum class holding : std::uint8_t {
  nothing,  // the version is an erase
  inlined,  // the value follows the key
  shared    // a `bytes` lies between head and key
};

/// The head of one version; it lies at the start of a block's payload.
struct record {
  replication::version version;
  bytes_buffer older;  // the version below this one, if it may still be asked for
  std::uint32_t checksum = 0;
  std::uint16_t key_size = 0;
  holding what = holding::nothing;
};
static_assert(sizeof(record) == 32 && alignof(record) <= 16 && key_size_max <= 0xffff);

record& head_of(bytes_buffer& block) noexcept {
  return *std::launder(reinterpret_cast<record*>(block.data()));
}
const record& head_of(const bytes_buffer& block) noexcept {
  return *std::launder(reinterpret_cast<const record*>(block.data()));
}
bytes& shared_value_of(bytes_buffer& block) noexcept {
  return *std::launder(reinterpret_cast<bytes*>(block.data() + sizeof(record)));
}
const bytes& shared_value_of(const bytes_buffer& block) noexcept {
  return *std::launder(reinterpret_cast<const bytes*>(block.data() + sizeof(record)));
}
std::size_t key_offset(holding what) noexcept {
  return sizeof(record) + (what == holding::shared ? sizeof(bytes) : 0);
}
std::string_view key_of(const bytes_buffer& block) noexcept {
  const record& head = head_of(block);
  return {reinterpret_cast<const char*>(block.data()) + key_offset(head.what), head.key_size};
}

holding holding_for(const std::optional<bytes>& value) noexcept {
  if (!value) return holding::nothing;
  return value->size() <= memory_store::inline_value_size_max ? holding::inlined : holding::shared;
}

bytes_buffer make_record(std::string_view key, const stored& written) {
  const holding what = holding_for(written.value);
  const std::size_t at = key_offset(what);
  const std::size_t inlined = what == holding::inlined ? written.value->size() : 0;
  bytes_buffer block{at + key.size() + inlined};
  ::new (static_cast<void*>(block.data()))
      record{written.version, {}, written.checksum, static_cast<std::uint16_t>(key.size()), what};
  if (what == holding::shared) ::new (static_cast<void*>(block.data() + sizeof(record))) bytes{*written.value};
  std::memcpy(block.data() + at, key.data(), key.size());
  if (inlined != 0) std::memcpy(block.data() + at + key.size(), written.value->data(), inlined);
  return block;
}

stored read_record(const bytes_buffer& block) {
  const record& head = head_of(block);
  stored result{head.version, std::nullopt, head.checksum};
  if (head.what == holding::inlined) {
    const std::size_t at = sizeof(record) + head.key_size;
    result.value.emplace(block.share(at, block.capacity() - at));
  } else if (head.what == holding::shared) {
    result.value.emplace(shared_value_of(block));
  }
  return result;
}

/// Of an object, the newest version whose seq is at most `watermark`.
stored read_at(const bytes_buffer& newest, std::uint64_t watermark) {
  for (const bytes_buffer* block = &newest; block->capacity() != 0; block = &head_of(*block).older) {
    if (head_of(*block).version.seq <= watermark) return read_record(*block);
  }
  return {};
}

/// Ends a version and all below it. What readers still share of their memory stays until they let it go.
void drop(bytes_buffer block) noexcept {
  while (block.capacity() != 0) {
    bytes_buffer older = std::move(head_of(block).older);
    if (head_of(block).what == holding::shared) std::destroy_at(&shared_value_of(block));
    std::destroy_at(&head_of(block));
    block = std::move(older);
  }
}

// ---- hash ----------------------------------------------------------------------------------------------------------

std::uint64_t load64(const char* from) noexcept {
  std::uint64_t word;
  std::memcpy(&word, from, sizeof word);
  return word;
}
std::uint64_t load32(const char* from) noexcept {
  std::uint32_t word;
  std::memcpy(&word, from, sizeof word);
  return word;
}
/// Multiply and fold, as in wyhash: 128 bits of product back into 64.
std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
  const detail::uint128 product = static_cast<detail::uint128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

class keyed_hash {
public:
  explicit keyed_hash(std::uint64_t key) noexcept
      : first_{detail::mix64(key)}, second_{detail::mix64(first_)}, third_{detail::mix64(second_)} {}

  std::uint64_t operator()(std::string_view text) const noexcept {
    const char* at = text.data();
    std::size_t left = text.size();
    std::uint64_t state = third_ ^ left;
    for (; left > 16; left -= 16, at += 16) state = fold(load64(at) ^ first_, load64(at + 8) ^ state);
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    if (left >= 8) {
      low = load64(at);
      high = load64(at + left - 8);
    } else if (left >= 4) {
      low = load32(at);
      high = load32(at + left - 4);
    } else if (left > 0) {
      const auto byte = [at](std::size_t i) { return std::uint64_t{static_cast<unsigned char>(at[i])}; };
      low = byte(0) << 16U | byte(left / 2) << 8U | byte(left - 1);
    }
    return fold(second_, fold(low ^ first_, high ^ state) ^ third_);
  }

private:
  std::uint64_t first_;
  std::uint64_t second_;
  std::uint64_t third_;
};

// ---- group ---------------------------------------------------------------------------------------------------------

constexpr std::size_t group_slots = 7;

constexpr std::uint64_t in_each_slot(std::uint64_t byte) noexcept {
  return byte * 0x0001010101010101ULL;
}
std::uint64_t tag_of(std::uint64_t hash) noexcept {
  return 0x80U | ((hash >> 48U) & 0x7fU);
}
std::size_t first_slot(std::uint64_t hits) noexcept {
  return static_cast<std::size_t>(std::countr_zero(hits)) / 8;
}

struct alignas(cache_line) group {
  // Bytes 0 … 6: tags of the slots, 0 for a free one, else with the high bit set. Byte 7: how many objects passed this
  // group by because it was full, at most 255, which then stays: a search ends at a group that nobody passed by.
  std::uint64_t tags = 0;
  std::array<bytes_buffer, group_slots> slots;

  /// High bits of the slots whose tag may be `tag`: all that have it, and seldom one more.
  [[nodiscard]] std::uint64_t candidates(std::uint64_t tag) const noexcept {
    const std::uint64_t difference = tags ^ in_each_slot(tag);
    return (difference - in_each_slot(0x01)) & ~difference & in_each_slot(0x80);
  }
  [[nodiscard]] std::uint64_t vacancies() const noexcept { return ~tags & in_each_slot(0x80); }
  [[nodiscard]] std::uint64_t passed_by() const noexcept { return tags >> 56U; }
  void count_passing() noexcept {
    if (passed_by() != 255) tags += std::uint64_t{1} << 56U;
  }
  void uncount_passing() noexcept {
    if (passed_by() != 255) tags -= std::uint64_t{1} << 56U;
  }
  void occupy(std::size_t slot, std::uint64_t tag, bytes_buffer block) noexcept {
    tags |= tag << (slot * 8);
    slots[slot] = std::move(block);
  }
  bytes_buffer vacate(std::size_t slot) noexcept {
    tags &= ~(std::uint64_t{0xff} << (slot * 8));
    return std::move(slots[slot]);
  }
};
static_assert(sizeof(group) == cache_line);

// ---- shard ---------------------------------------------------------------------------------------------------------

class spin_lock {
public:
  void lock() noexcept {
    while (held_.exchange(true, std::memory_order_acquire)) wait();
  }
  void unlock() noexcept { held_.store(false, std::memory_order_release); }

private:
  /// The lock is held for tens of nanoseconds; whoever sees it longer waits for a thread that is not running.
  void wait() const noexcept {
    for (int spins = 0; held_.load(std::memory_order_relaxed); ++spins) {
      if (spins >= 100) std::this_thread::yield();
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    }
  }

  std::atomic<bool> held_{false};
};

/// The locks of all shards. Each shard has one for each stripe of readers: a reader takes that of its processor, so
/// that the line of memory it changes stays with that processor; the writer takes them all.
class striped_locks {
public:
  [[nodiscard]] spin_lock& of_reader(std::size_t shard) noexcept { return stripes_[reader_stripe()].locks[shard]; }
  void lock_all(std::size_t shard) noexcept {
    for (stripe& each : stripes_) each.locks[shard].lock();
  }
  void unlock_all(std::size_t shard) noexcept {
    for (stripe& each : stripes_) each.locks[shard].unlock();
  }

private:
  struct alignas(cache_line) stripe {
    std::array<spin_lock, shards_count> locks;
  };
  std::array<stripe, reader_stripes> stripes_;
};

class reading {
public:
  reading(striped_locks& locks, std::size_t shard) noexcept : lock_{locks.of_reader(shard)} { lock_.lock(); }
  reading(const reading&) = delete;
  reading& operator=(const reading&) = delete;
  ~reading() { lock_.unlock(); }

private:
  spin_lock& lock_;
};

class writing {
public:
  writing(striped_locks& locks, std::size_t shard) noexcept : locks_{locks}, shard_{shard} { locks_.lock_all(shard_); }
  writing(const writing&) = delete;
  writing& operator=(const writing&) = delete;
  ~writing() { locks_.unlock_all(shard_); }

private:
  striped_locks& locks_;
  std::size_t shard_;
};

/// Where an object is, or nowhere.
struct place {
  group* in = nullptr;
  std::size_t slot = 0;

  explicit operator bool() const noexcept { return in != nullptr; }
  [[nodiscard]] bytes_buffer& block() const noexcept { return in->slots[slot]; }
};

/// One part of the table. All but `prefetch_group` under its locks.
class shard {
public:
  shard() : groups_{new group[1]} {}
  shard(const shard&) = delete;
  shard& operator=(const shard&) = delete;
  ~shard() {
    group* groups = groups_.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i <= mask_.load(std::memory_order_relaxed); ++i) {
      for (bytes_buffer& block : groups[i].slots) drop(std::move(block));
    }
    delete[] groups;
  }

  /// Without the lock: it looks at an address only, and an outdated one does no harm.
  void prefetch_group(std::uint64_t hash) const noexcept {
    __builtin_prefetch(groups_.load(std::memory_order_relaxed) + (hash & mask_.load(std::memory_order_relaxed)));
  }

  void prefetch_record(std::uint64_t hash) const noexcept {
    const group& home = at(hash);
    const std::uint64_t hits = home.candidates(tag_of(hash));
    if (hits == 0) return;
    const std::byte* payload = home.slots[first_slot(hits)].data();
    __builtin_prefetch(payload);
    __builtin_prefetch(payload + cache_line);
    __builtin_prefetch(payload + 2 * cache_line);
  }

  [[nodiscard]] place find(std::uint64_t hash, std::string_view key) const noexcept {
    const std::uint64_t tag = tag_of(hash);
    const std::uint64_t mask = mask_.load(std::memory_order_relaxed);
    for (std::uint64_t home = hash; home - hash <= mask; ++home) {
      group& here = at(home);
      for (std::uint64_t hits = here.candidates(tag); hits != 0; hits &= hits - 1) {
        const std::size_t slot = first_slot(hits);
        if (key_of(here.slots[slot]) == key) return {&here, slot};
      }
      if (here.passed_by() == 0) break;
    }
    return {};
  }

  /// An object that is not there yet. `hash_of` is for moving the others when the table grows.
  void insert(std::uint64_t hash, bytes_buffer block, const keyed_hash& hash_of) {
    if (objects_ >= (mask_.load(std::memory_order_relaxed) + 1) * (group_slots - 1)) grow(hash_of);
    put(hash, std::move(block));
    ++objects_;
  }

  [[nodiscard]] bytes_buffer erase(std::uint64_t hash, const place& from) noexcept {
    for (std::uint64_t home = hash; &at(home) != from.in; ++home) at(home).uncount_passing();
    --objects_;
    return from.in->vacate(from.slot);
  }

  template <class Visit>
  void for_each(Visit visit) const {
    const group* groups = groups_.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i <= mask_.load(std::memory_order_relaxed); ++i) {
      for (const bytes_buffer& block : groups[i].slots) {
        if (block.capacity() != 0) visit(block);
      }
    }
  }

  /// Takes out everything; the groups stay.
  [[nodiscard]] std::vector<bytes_buffer> clear() {
    std::vector<bytes_buffer> taken;
    taken.reserve(objects_);
    group* groups = groups_.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i <= mask_.load(std::memory_order_relaxed); ++i) {
      groups[i].tags = 0;
      for (bytes_buffer& block : groups[i].slots) {
        if (block.capacity() != 0) taken.push_back(std::move(block));
      }
    }
    objects_ = 0;
    return taken;
  }

private:
  [[nodiscard]] group& at(std::uint64_t hash) const noexcept {
    return groups_.load(std::memory_order_relaxed)[hash & mask_.load(std::memory_order_relaxed)];
  }

  void put(std::uint64_t hash, bytes_buffer block) noexcept {
    std::uint64_t home = hash;
    while (at(home).vacancies() == 0) at(home++).count_passing();
    group& here = at(home);
    here.occupy(first_slot(here.vacancies()), tag_of(hash), std::move(block));
  }

  void grow(const keyed_hash& hash_of) {
    const std::uint64_t groups = mask_.load(std::memory_order_relaxed) + 1;
    group* const larger = new group[groups * 2];
    group* const old = groups_.exchange(larger, std::memory_order_relaxed);
    mask_.store(groups * 2 - 1, std::memory_order_relaxed);
    for (std::uint64_t i = 0; i < groups; ++i) {
      for (bytes_buffer& block : old[i].slots) {
        if (block.capacity() == 0) continue;
        const std::uint64_t hash = hash_of(key_of(block));
        put(hash, std::move(block));
      }
    }
    delete[] old;
  }

  std::atomic<std::uint64_t> mask_{0};  // groups - 1
  std::atomic<group*> groups_;          // owned; atomic for `prefetch_group` alone
  std::size_t objects_ = 0;
};

std::uint64_t draw_hash_key() {
  std::random_device device;
  const std::uint64_t high = device();
  return high << 32U | device();
}

}  // namespace

struct memory_store::table {
  explicit table(std::uint64_t hash_key) noexcept : hash{hash_key} {}

  [[nodiscard]] static std::size_t shard_of(std::uint64_t hashed) noexcept {
    return static_cast<std::size_t>(hashed >> (64 - shards_bits));
  }

  keyed_hash hash;
  std::atomic<std::size_t> objects{0};  // written by the strand alone
  std::array<shard, shards_count> shards;
  striped_locks locks;

  void count(std::size_t now) noexcept { objects.store(now, std::memory_order_relaxed); }
  [[nodiscard]] std::size_t counted() const noexcept { return objects.load(std::memory_order_relaxed); }
};

memory_store::memory_store() : memory_store{draw_hash_key()} {}
memory_store::memory_store(std::uint64_t hash_key) : table_{std::make_unique<table>(hash_key)} {}
memory_store::~memory_store() = default;

stored memory_store::fetch(std::string_view key) const {
  const std::uint64_t hash = table_->hash(key);
  const std::size_t at = table::shard_of(hash);
  const reading guard{table_->locks, at};
  const place found = table_->shards[at].find(hash, key);
  return found ? read_record(found.block()) : stored{};
}

void memory_store::fetch(std::span<const std::string_view> keys, std::span<stored> into) const {
  std::array<std::uint64_t, batch_max> hashes;
  for (std::size_t start = 0; start < keys.size(); start += batch_max) {
    const std::size_t count = std::min(batch_max, keys.size() - start);
    for (std::size_t i = 0; i < count; ++i) {
      hashes[i] = table_->hash(keys[start + i]);
      table_->shards[table::shard_of(hashes[i])].prefetch_group(hashes[i]);
    }
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t at = table::shard_of(hashes[i]);
      const reading guard{table_->locks, at};
      table_->shards[at].prefetch_record(hashes[i]);
    }
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t at = table::shard_of(hashes[i]);
      const reading guard{table_->locks, at};
      const place found = table_->shards[at].find(hashes[i], keys[start + i]);
      into[start + i] = found ? read_record(found.block()) : stored{};
    }
  }
}

stored memory_store::fetch_at(std::string_view key, std::uint64_t watermark) const {
  const std::uint64_t hash = table_->hash(key);
  const std::size_t at = table::shard_of(hash);
  const reading guard{table_->locks, at};
  const place found = table_->shards[at].find(hash, key);
  return found ? read_at(found.block(), watermark) : stored{};
}

std::size_t memory_store::parts() const {
  return shards_count;
}

std::vector<object> memory_store::copy_part(std::size_t part, std::uint64_t watermark) const {
  std::vector<object> copied;
  const reading guard{table_->locks, part};
  table_->shards[part].for_each([&](const bytes_buffer& block) {
    stored newest = read_at(block, watermark);
    if (newest.value) copied.push_back({bytes{std::string{key_of(block)}}, std::move(newest)});
  });
  return copied;
}

void memory_store::clear() {
  for (std::size_t i = 0; i < shards_count; ++i) {
    std::vector<bytes_buffer> ended;
    {
      const writing guard{table_->locks, i};
      ended = table_->shards[i].clear();
    }
    for (bytes_buffer& block : ended) drop(std::move(block));
  }
  table_->count(0);
}

void memory_store::apply(std::string_view key, const stored& written) {
  const std::uint64_t hash = table_->hash(key);
  bytes_buffer block = make_record(key, written);  // before the lock: allocation may take its time
  const std::size_t at = table::shard_of(hash);
  shard& part = table_->shards[at];
  const writing guard{table_->locks, at};
  if (const place found = part.find(hash, key)) {
    head_of(block).older = std::move(found.block());
    found.block() = std::move(block);
  } else {
    part.insert(hash, std::move(block), table_->hash);
    table_->count(table_->counted() + 1);
  }
}

void memory_store::commit(std::string_view key, std::uint64_t seq) {
  const std::uint64_t hash = table_->hash(key);
  const std::size_t at = table::shard_of(hash);
  shard& part = table_->shards[at];
  bytes_buffer ended;
  {
    const writing guard{table_->locks, at};
    const place found = part.find(hash, key);
    if (!found) return;
    bytes_buffer* block = &found.block();
    while (block->capacity() != 0 && head_of(*block).version.seq != seq) block = &head_of(*block).older;
    if (block->capacity() == 0) return;
    if (block == &found.block() && head_of(*block).what == holding::nothing) {
      ended = part.erase(hash, found);
      table_->count(table_->counted() - 1);
    } else {
      ended = std::move(head_of(*block).older);
    }
  }
  drop(std::move(ended));
}

void memory_store::apply_committed(std::string_view key, const stored& written) {
  const std::uint64_t hash = table_->hash(key);
  bytes_buffer block;
  if (written.value) block = make_record(key, written);
  const std::size_t at = table::shard_of(hash);
  shard& part = table_->shards[at];
  {
    const writing guard{table_->locks, at};
    const place found = part.find(hash, key);
    if (found && written.value) {
      std::swap(found.block(), block);
    } else if (found) {
      block = part.erase(hash, found);
      table_->count(table_->counted() - 1);
    } else if (written.value) {
      part.insert(hash, std::move(block), table_->hash);
      table_->count(table_->counted() + 1);
    }
  }
  drop(std::move(block));
}

std::size_t memory_store::size() const noexcept {
  return table_->counted();
}

}  // namespace artillery::replication

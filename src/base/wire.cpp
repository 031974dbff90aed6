#include "base/wire.hpp"

#include <algorithm>

#include "base/crc32c.hpp"
#include "base/random.hpp"

namespace artillery::detail {
namespace {

constexpr std::size_t checksum_at = 9;
constexpr std::uint8_t no_key = 0;

std::uint32_t datagram_checksum(bytes_view datagram) noexcept {
  return crc32c(datagram.subspan(datagram_header_size), crc32c(datagram.first(checksum_at)));
}

std::error_code check_cluster(std::uint8_t key, std::uint32_t got, std::uint32_t expected) noexcept {
  if (key != no_key || got != expected) return errc::wrong_cluster;
  return {};
}

}  // namespace

std::uint32_t cluster_tag(std::string_view cluster_name) noexcept {
  return static_cast<std::uint32_t>(hash_name(cluster_name) >> 32U);
}

void put_prefix(writer& out, const wire_prefix& prefix) {
  out.put(wire_magic).put(wire_version);
  out.put(static_cast<std::uint8_t>((static_cast<unsigned>(prefix.module) << 5U) | (prefix.kind & wire_kind_max)));
  out.put(prefix.flags);
}

std::error_code take_prefix(reader& in, wire_prefix& prefix) noexcept {
  const auto magic = in.take<std::uint8_t>();
  const auto version = in.take<std::uint8_t>();
  const auto module_and_kind = in.take<std::uint8_t>();
  prefix.flags = in.take<std::uint8_t>();
  if (in.failed() || magic != wire_magic) return errc::malformed;
  if (version < wire_version_oldest || version > wire_version) return errc::unsupported_version;
  prefix.module = static_cast<module>(module_and_kind >> 5U);
  prefix.kind = module_and_kind & wire_kind_max;
  return {};
}

void begin_datagram(std::vector<std::byte>& out, const wire_prefix& prefix, std::uint32_t cluster) {
  out.clear();
  writer header{out};
  put_prefix(header, prefix);
  header.put(no_key).put(cluster).put(std::uint32_t{0});
}

void seal_datagram(std::vector<std::byte>& out) noexcept {
  writer{out}.patch_u32(checksum_at, datagram_checksum(out));
}

opened_datagram open_datagram(bytes_view datagram, module expected, std::uint32_t cluster) noexcept {
  opened_datagram result;
  reader in{datagram};
  result.error = take_prefix(in, result.prefix);
  if (result.error) return result;
  const auto key = in.take<std::uint8_t>();
  const auto tag = in.take<std::uint32_t>();
  const auto checksum = in.take<std::uint32_t>();
  if (in.failed() || result.prefix.module != expected) {
    result.error = errc::malformed;
  } else if (auto error = check_cluster(key, tag, cluster)) {
    result.error = error;
  } else if (checksum != datagram_checksum(datagram)) {
    result.error = errc::checksum_mismatch;
  } else {
    result.body = in.rest();
  }
  return result;
}

void put_handshake(writer& out, const wire_prefix& prefix, std::uint32_t cluster) {
  put_prefix(out, prefix);
  out.put(no_key).put(cluster).put(wire_version_oldest).put(wire_version);
}

std::error_code take_handshake(reader& in, module expected, std::uint32_t cluster, wire_prefix& prefix,
                               std::uint8_t& version) noexcept {
  // The peer may speak a newer version than we do in what follows, so its prefix version alone refuses nothing.
  const auto magic = in.take<std::uint8_t>();
  [[maybe_unused]] const auto written_in = in.take<std::uint8_t>();
  const auto module_and_kind = in.take<std::uint8_t>();
  prefix.flags = in.take<std::uint8_t>();
  prefix.module = static_cast<module>(module_and_kind >> 5U);
  prefix.kind = module_and_kind & wire_kind_max;
  const auto key = in.take<std::uint8_t>();
  const auto tag = in.take<std::uint32_t>();
  const auto oldest = in.take<std::uint8_t>();
  const auto newest = in.take<std::uint8_t>();
  if (in.failed() || magic != wire_magic || prefix.module != expected) return errc::malformed;
  if (auto error = check_cluster(key, tag, cluster)) return error;
  version = std::min(newest, wire_version);
  if (version < std::max(oldest, wire_version_oldest)) return errc::unsupported_version;
  return {};
}

}  // namespace artillery::detail

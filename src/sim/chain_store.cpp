#include "sim/chain_store.hpp"

#include <algorithm>

namespace artillery::sim {

using replication::stored;

stored chain_store::fetch(std::string_view key) const {
  const auto found = objects_.find(key);
  return found == objects_.end() ? stored{} : found->second.back();
}

stored chain_store::fetch_at(std::string_view key, std::uint64_t watermark) const {
  const auto found = objects_.find(key);
  if (found == objects_.end()) return {};
  const auto newest = std::find_if(found->second.rbegin(), found->second.rend(),
                                   [&](const stored& s) { return s.version.seq <= watermark; });
  return newest == found->second.rend() ? stored{} : *newest;
}

std::vector<replication::object> chain_store::copy_part(std::size_t /*part*/, std::uint64_t watermark) const {
  std::vector<replication::object> copied;
  for (const auto& [key, versions] : objects_) {
    stored newest = fetch_at(key, watermark);
    if (newest.value) copied.push_back({bytes{key}, std::move(newest)});
  }
  return copied;
}

void chain_store::clear() {
  objects_.clear();
  journal_.clear();
  versions_ = 0;
}

void chain_store::apply(std::string_view key, const stored& written) {
  ++versions_;
  objects_[std::string{key}].push_back(written);
  journal_.push_back({std::string{key}, written.version, !written.value,
                      written.value ? std::string{written.value->text()} : std::string{}});
}

void chain_store::commit(std::string_view key, std::uint64_t seq) {
  ++commits_;
  const auto found = objects_.find(key);
  if (found == objects_.end()) return;
  std::vector<stored>& versions = found->second;
  const auto newest_committed =
      std::find_if(versions.rbegin(), versions.rend(), [&](const stored& s) { return s.version.seq <= seq; });
  if (newest_committed == versions.rend()) return;
  const auto newest = std::prev(newest_committed.base());
  versions_ -= static_cast<std::size_t>(newest - versions.begin());
  versions.erase(versions.begin(), newest);
  if (versions.size() > 1 || versions.front().value) return;
  --versions_;
  objects_.erase(found);
}

bool chain_store::same_as(const chain_store& other) const {
  return std::equal(objects_.begin(), objects_.end(), other.objects_.begin(), other.objects_.end(),
                    [](const auto& a, const auto& b) {
                      return a.first == b.first && a.second.back().version == b.second.back().version &&
                             a.second.back().value == b.second.back().value;
                    });
}

void chain_store::hash(detail::state_hash& into) const {
  into.add(objects_.size());
  for (const auto& [key, versions] : objects_) {
    into.add(std::string_view{key}).add(versions.size());
    for (const stored& each : versions) {
      into.add(each.version.epoch).add(each.version.seq).add(each.value.has_value()).add(each.checksum);
      if (each.value) into.add(each.value->view());
    }
  }
}

}  // namespace artillery::sim

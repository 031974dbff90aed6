#pragma once

#include <array>
#include <cstddef>

#include "artillery/endpoint.hpp"
#include "base/state_hash.hpp"
#include "membership/message.hpp"

namespace artillery::membership {

/// Where others see this node's datagrams come from, as far as they said: the last few words, one of each member, so
/// that no single one can make this node believe anything while several speak.
class observed_address {
public:
  void hear(short_name from, const endpoint& at) {
    for (std::size_t i = 0; i < count_; ++i) {
      if (words_[i].from != from) continue;
      words_[i].at = at;
      return;
    }
    words_[next_] = {from, at};
    next_ = (next_ + 1) % words_.size();
    count_ = std::min(count_ + 1, words_.size());
  }

  /// What most of them say, of equally many the one heard of first; `none()` when nobody has said anything.
  [[nodiscard]] endpoint most_said() const {
    endpoint best;
    std::size_t most = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      std::size_t said = 0;
      for (std::size_t k = 0; k < count_; ++k) said += words_[k].at == words_[i].at ? 1U : 0U;
      if (said <= most) continue;
      most = said;
      best = words_[i].at;
    }
    return best;
  }

  void hash(detail::state_hash& into) const {
    into.add(count_).add(next_);
    for (std::size_t i = 0; i < count_; ++i) into.add(words_[i].from.value).add(words_[i].at);
  }

private:
  struct word {
    short_name from;
    endpoint at;
  };
  std::array<word, 8> words_{};
  std::size_t count_ = 0;
  std::size_t next_ = 0;
};

}  // namespace artillery::membership

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <string>

#include "byte_json.hpp"
#include "exit_code.hpp"
#include "notation.hpp"
#include "steps.hpp"

namespace demo {

namespace {

using tool::exit_code;
using tool::failure;

constexpr artillery::duration request_limit = std::chrono::seconds{10};

std::string hex(std::uint32_t checksum) {
  std::array<char, 9> text{};
  std::snprintf(text.data(), text.size(), "%08x", checksum);
  return text.data();
}

/// One figure for all files: a checksum of their checksums.
std::uint32_t checksum_of_all(const collection& all) {
  std::string sums;
  for (const file& one : all.files) sums += hex(one.checksum);
  return checksum_of(sums);
}

struct reading {
  std::size_t local = 0;
  std::string sums;
};

/// Reads one file at the agent behind `client`; it must be there and be what it was.
void read_one(tool::control::client& client, const agent& at, const file& wanted, reading& sum) {
  const auto reply = client.request(
      {{"op", "get"}, {"key", tool::bytes_to_json(wanted.key)}, {"consistency", "strong"}}, request_limit);
  if (!reply.head.value("found", false))
    throw failure{exit_code::failed, "agent " + at.name + " has no '" + wanted.key + "'"};
  const std::uint32_t checksum = checksum_of(reply.body);
  if (reply.body.size() != wanted.content.size() || checksum != wanted.checksum)
    throw failure{exit_code::failed, "agent " + at.name + " returned another '" + wanted.key + "': checksum " +
                                         hex(checksum) + " instead of " + hex(wanted.checksum)};
  sum.sums += hex(checksum);
  if (reply.head.value("local", false)) ++sum.local;
}

}  // namespace

void put_files(agents& crowd, const collection& all, account& told) {
  told.step("Put " + std::to_string(all.files.size()) + " files (" + tool::to_size_text(all.bytes) + ") through a");
  for (const std::string& skipped : all.skipped) told.line("skipped " + skipped);
  tool::control::client client = crowd.connect(*crowd.all()[0]);
  artillery::duration longest{};
  for (const file& one : all.files) {
    const artillery::time_point began = artillery::clock::now();
    const auto reply =
        client.request({{"op", "put"}, {"key", tool::bytes_to_json(one.key)}}, one.content, request_limit);
    if (!reply.head.value("applied", false)) throw failure{exit_code::failed, "'" + one.key + "' was not written"};
    longest = std::max(longest, artillery::clock::now() - began);
  }
  const artillery::duration took = artillery::clock::now() - told.step_began();
  told.line("each is acknowledged once all three hold it; on average", took / all.files.size());
  told.line("the slowest", longest);
  told.done("written; checksum of all " + hex(checksum_of_all(all)));
}

void read_files(agents& crowd, const collection& all, account& told) {
  const auto living = crowd.living();
  told.step("Read each back, strongly, at " + std::string{living.size() == 3 ? "all three" : "the survivors"} +
            ", and compare");
  for (const agent* one : living) {
    const artillery::time_point began = artillery::clock::now();
    tool::control::client client = crowd.connect(*one);
    reading sum;
    for (const file& wanted : all.files) read_one(client, *one, wanted, sum);
    told.line(one->name + ": checksum of all " + hex(checksum_of(sum.sums)) + "; " + std::to_string(sum.local) +
                  " of " + std::to_string(all.files.size()) + " answered with no message to another",
              artillery::clock::now() - began);
  }
  told.done("all equal to the files on disk");
}

}  // namespace demo

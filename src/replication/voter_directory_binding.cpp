#include "replication/voter_directory_binding.hpp"

#include <array>
#include <charconv>
#include <utility>

#include "artillery/error.hpp"

namespace artillery::replication {

namespace {

constexpr const char* voter_file_name = "voter";

voter_problem told(const std::string& what, std::error_code error) {
  return {error, what + ": " + error.message() + "; nothing was changed"};
}

std::error_code code_of(voter_fault fault) noexcept {
  switch (fault) {
    case voter_fault::none: return {};
    case voter_fault::not_a_voter_file:
    case voter_fault::truncated:
    case voter_fault::damaged: return errc::damaged_data;
    case voter_fault::newer_format: return errc::newer_format;
    case voter_fault::other_chain:
    case voter_fault::other_node: return errc::foreign_data;
    case voter_fault::voters_disagree: return errc::voters_disagree;
  }
  return errc::damaged_data;
}

voter_problem told(voter_fault fault, const std::string& place) {
  return {code_of(fault), describe(fault, place)};
}

std::string name_of_former(std::uint64_t genesis) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), genesis, 16).ptr;
  return voter_file_name + ("-of-" + std::string{digits.data(), end});
}

}  // namespace

voter_problem voter_directory::open(const std::string& path, const meaning& meant) {
  voter_directory opened;
  const std::error_code error = opened.directory_.open(path);
  if (error == std::errc::device_or_resource_busy) {
    return {errc::directory_in_use,
            "the voter's directory " + path +
                " is in use by another process; nothing was changed. End that process, or give this one a directory of "
                "its own: two processes must not vote as one"};
  }
  if (error) return told("the voter's directory " + path + " cannot be opened", error);
  std::vector<std::byte> file;
  const std::error_code unread = opened.directory_.read(voter_file_name, voter_file_size_max, file);
  const std::string place = path + "/" + voter_file_name;
  if (unread == std::errc::no_such_file_or_directory) {
    voter_problem problem = opened.begin(meant);
    if (!problem) *this = std::move(opened);
    return problem;
  }
  if (unread == std::errc::file_too_large) return told(voter_fault::not_a_voter_file, place);
  if (unread) return told("the voter's file " + place + " cannot be read", unread);
  decoded_voter read = decode_voter(file);
  if (read.fault == voter_fault::none) read.fault = check_voter(read.state, meant.chain, meant.node, meant.voters);
  if (read.fault != voter_fault::none) return told(read.fault, place);
  opened.found_ = std::move(read.state);
  *this = std::move(opened);
  return {};
}

/// A voter without a file is one that never voted: it gets a name that no voter of this directory had.
voter_problem voter_directory::begin(const meaning& meant) {
  found_.chain = meant.chain;
  found_.self = {meant.node, meant.fresh};
  const std::array file{bytes::copy(encode_voter(found_))};
  const std::error_code error = write(file);
  if (!error) return {};
  return {error, "the voter's directory " + directory_.path() + " cannot be written to: " + error.message() +
                     ". A voter needs one, also of a chain that keeps its objects in memory"};
}

std::error_code voter_directory::write(std::span<const bytes> file) const {
  return directory_.replace(voter_file_name, file);
}

std::error_code voter_directory::exchange(const voter_state& former, const voter_state& next, std::string& kept) const {
  if (former.is_founded()) {
    const std::string beside = name_of_former(former.genesis);
    const std::array file{bytes::copy(encode_voter(former))};
    if (const auto error = directory_.replace(beside, file)) return error;
    kept = directory_.path() + "/" + beside;
  }
  const std::array file{bytes::copy(encode_voter(next))};
  return write(file);
}

}  // namespace artillery::replication

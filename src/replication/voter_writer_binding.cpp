#include "replication/voter_writer_binding.hpp"

#include <asio/post.hpp>
#include <vector>

namespace artillery::replication {

void voter_writer::use(voter_directory directory, done on_failure) {
  directory_ = std::make_shared<const voter_directory>(std::move(directory));
  on_failure_ = std::move(on_failure);
}

void voter_writer::persist(operation /*op*/, std::span<const bytes> slices, done finished) {
  if (directory_ == nullptr) return finished(std::make_error_code(std::errc::no_such_device));
  auto write = [directory = directory_, file = std::vector<bytes>{slices.begin(), slices.end()},
                finished = std::move(finished), on_failure = on_failure_] {
    const std::error_code error = directory->write(file);
    if (error) on_failure(error);
    finished(error);
  };
  if (!disk_) return write();
  asio::post(*disk_, std::move(write));
}

std::error_code voter_writer::exchange(const voter_state& former, const voter_state& next, std::string& kept) const {
  if (directory_ == nullptr) return std::make_error_code(std::errc::no_such_device);
  return directory_->exchange(former, next, kept);
}

}  // namespace artillery::replication

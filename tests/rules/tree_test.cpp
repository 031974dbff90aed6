#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "catch.hpp"
#include "rules/architecture.hpp"

namespace {

namespace fs = std::filesystem;

std::vector<rules::source_file> sources_of(const fs::path& root) {
  std::vector<rules::source_file> files;
  for (const char* folder : {"include", "src", "tests", "tools", "bench", "examples"}) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator{root / folder}) {
      std::string extension = entry.path().extension().string();
      if (!entry.is_regular_file() || (extension != ".hpp" && extension != ".cpp")) continue;
      std::ifstream in{entry.path()};
      std::string text{std::istreambuf_iterator<char>{in}, {}};
      files.push_back({fs::relative(entry.path(), root).generic_string(), std::move(text)});
    }
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

}  // namespace

TEST_CASE("the sources keep the rules of the architecture", "[rules]") {
  auto files = sources_of(ARTILLERY_SOURCE_DIR);
  REQUIRE(files.size() > 30);  // a wrong folder must not pass for a clean one
  std::string text;
  for (const auto& one : rules::check_all(files)) text += one.text() + "\n";
  INFO(text);
  CHECK(text.empty());
}

TEST_CASE("every exemption from a rule is needed by some file", "[rules]") {
  std::string text;
  for (const auto& one : rules::unneeded(sources_of(ARTILLERY_SOURCE_DIR))) {
    text += std::string{one.rule} + " for " + std::string{one.path} + "\n";
  }
  INFO(text);
  CHECK(text.empty());
}

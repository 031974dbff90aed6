// Exactly once: what is in the log is never evaluated again (R10).
#include "replication/sessions.hpp"

#include "catch.hpp"

using namespace artillery::replication;

namespace {

record opened(std::uint64_t seq, std::uint64_t ends = 0) {
  record r;
  r.what = record::kind::open_session;
  r.seq = seq;
  r.epoch = 1;
  r.session = seq;
  r.number = ends;
  return r;
}

record written(std::uint64_t seq, std::uint64_t session, std::uint64_t number, std::uint64_t lowest) {
  record r;
  r.seq = seq;
  r.epoch = 1;
  r.session = session;
  r.number = number;
  r.lowest = lowest;
  r.result = {true, {1, seq}};
  return r;
}

using finding = sessions::finding;

}  // namespace

TEST_CASE("a request that is in the log is known with its result", "[replication][sessions]") {
  sessions table{1, 10, 10};
  CHECK(table.find(1, 1, 1).what == finding::unknown_session);
  table.apply(opened(1));
  CHECK(table.find(1, 1, 1).what == finding::fresh);
  table.apply(written(2, 1, 1, 1));
  const auto known = table.find(1, 1, 1);
  REQUIRE(known.what == finding::known);
  CHECK(known.found.seq == 2);
  CHECK(known.found.result == write_result{true, {1, 2}});
}

TEST_CASE("requests of a session may come in any order", "[replication][sessions]") {
  sessions table{1, 10, 10};
  table.apply(opened(1));
  table.apply(written(2, 1, 3, 1));
  table.apply(written(3, 1, 1, 1));
  CHECK(table.find(1, 1, 1).found.seq == 3);
  CHECK(table.find(1, 2, 1).what == finding::fresh);
  CHECK(table.find(1, 3, 1).found.seq == 2);
}

TEST_CASE("what its client no longer waits for is settled and forgotten", "[replication][sessions]") {
  sessions table{1, 10, 10};
  table.apply(opened(1));
  table.apply(written(2, 1, 1, 1));
  table.apply(written(3, 1, 2, 2));
  CHECK(table.find(1, 1, 1).what == finding::settled);
  CHECK(table.find(1, 2, 2).what == finding::known);
}

TEST_CASE("results have a maximum, counted from the lowest number that is waited for", "[replication][sessions]") {
  sessions table{1, 10, 2};
  table.apply(opened(1));
  table.apply(written(2, 1, 1, 1));
  table.apply(written(3, 1, 2, 1));
  CHECK(table.find(1, 3, 1).what == finding::no_room);
  CHECK(table.find(1, 3, 2).what == finding::fresh);  // the request itself settles the first
}

TEST_CASE("a session beyond the maximum takes the place of the one that was idle longest", "[replication][sessions]") {
  sessions table{1, 2, 10};
  table.apply(opened(1));
  CHECK_FALSE(table.idle_longest());
  table.apply(opened(2));
  CHECK(table.idle_longest() == 1);
  table.apply(written(3, 1, 1, 1));
  CHECK(table.idle_longest() == 2);
  table.apply(opened(4, 2));
  CHECK(table.size() == 2);
  CHECK_FALSE(table.contains(2));
  CHECK(table.find(2, 1, 1).what == finding::unknown_session);
}

TEST_CASE("a closed session is unknown", "[replication][sessions]") {
  sessions table{1, 2, 10};
  table.apply(opened(1));
  record r;
  r.what = record::kind::close_session;
  r.session = 1;
  table.apply(r);
  CHECK(table.size() == 0);
}

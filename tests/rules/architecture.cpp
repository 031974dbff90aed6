#include "rules/architecture.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>
#include <utility>

#include "rules/scopes.hpp"

namespace rules {

namespace {

constexpr std::array<std::string_view, 3> protocol_rooms{"discovery", "membership", "replication"};
constexpr std::string_view umbrella = "include/artillery/artillery.hpp";
constexpr std::size_t lines_max = 600;
constexpr std::size_t function_lines_max = 70;

/// One file under examination.
struct context {
  const source_file& file;
  const source_text& text;
  std::vector<violation>& found;

  [[nodiscard]] std::string_view path() const { return file.path; }
  void report(std::size_t line, std::string_view rule, std::string what) const {
    found.push_back({file.path, line, std::string{rule}, std::move(what)});
  }
};

bool starts_with_any(std::string_view text, std::initializer_list<std::string_view> starts) {
  return std::any_of(starts.begin(), starts.end(), [&](std::string_view start) { return text.starts_with(start); });
}

bool equals_any(std::string_view text, std::initializer_list<std::string_view> values) {
  return std::find(values.begin(), values.end(), text) != values.end();
}

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}
std::string_view stem(std::string_view path) {
  return base_name(path).substr(0, base_name(path).find('.'));
}

bool is_library(std::string_view path) {
  return starts_with_any(path, {"src/", "include/"});
}

/// The room a file or an included header belongs to: src/membership/core.cpp, "membership/core.hpp",
/// "artillery/membership.hpp" and "artillery/membership/types.hpp" are all of membership. Headers of base that users
/// see ("artillery/bytes.hpp") are base.
std::string_view room_of(std::string_view path) {
  for (std::string_view folder : {"src/", "include/"}) {
    if (path.starts_with(folder)) path.remove_prefix(folder.size());
  }
  bool is_public = path.starts_with("artillery/");
  if (is_public) path.remove_prefix(std::string_view{"artillery/"}.size());
  std::string_view first = path.substr(0, path.find_first_of("/."));
  bool is_room = equals_any(first, {"base", "net", "discovery", "membership", "replication", "node", "sim"});
  if (is_room && (is_public || path.find('/') != std::string_view::npos)) return first;
  return is_public ? std::string_view{"base"} : std::string_view{};
}

/// True where a whole name, or its last parts, equals `banned`: std::thread in std::thread::id, not in my::std_thread.
bool names(std::string_view name, std::string_view banned) {
  std::size_t at = name.find(banned);
  while (at != std::string_view::npos) {
    std::size_t end = at + banned.size();
    bool starts = at == 0 || (at >= 2 && name.substr(at - 2, 2) == "::");
    bool ends = end == name.size() || name.substr(end, 2) == "::";
    if (starts && ends) return true;
    at = name.find(banned, at + 1);
  }
  return false;
}

struct ban {
  std::string_view text;
  bool whole;  ///< the whole name or qualified parts of it; else anywhere in it
};

void ban_names(const context& at, std::string_view rule, std::initializer_list<ban> bans, std::string_view why) {
  for (const name& used : at.text.names) {
    for (const ban& banned : bans) {
      bool hit = banned.whole ? names(used.text, banned.text) : used.text.find(banned.text) != std::string::npos;
      if (hit) {
        at.report(used.line, rule, used.text + ": " + std::string{why});
        break;
      }
    }
  }
}

void ban_headers(const context& at, std::string_view rule, std::initializer_list<std::string_view> headers,
                 std::string_view why) {
  for (const inclusion& used : at.text.inclusions) {
    if (equals_any(used.header, headers))
      at.report(used.line, rule, "includes " + used.header + ": " + std::string{why});
  }
}

// ---- rule 1 and the half of 4 that is about inclusions --------------------------------------------------------------

/// What a room of src/ (and the public headers of it) may include besides itself and base.
bool may_include(std::string_view from, std::string_view room) {
  if (room == from || room == "base") return true;
  if (from == "base" || from == "net") return false;
  if (from == "node") return room != "sim";
  if (from == "sim") return room != "net" && room != "node";
  return room == "net";  // the protocol rooms; that pure files stay away from net is the rule "pure"
}

void check_rooms(const context& at) {
  if (!is_library(at.path()) || at.path() == umbrella) return;
  std::string_view from = room_of(at.path());
  for (const inclusion& used : at.text.inclusions) {
    std::string_view room = room_of(used.header);
    if (from.empty() || room.empty() || may_include(from, room)) continue;
    at.report(used.line, "rooms",
              "includes " + used.header + ": " + std::string{from} + " must not know " + std::string{room});
  }
}

void check_umbrella(const context& at) {
  if (at.path() == umbrella || at.path().starts_with("tests/consumer/")) return;
  ban_headers(at, "umbrella", {"artillery/artillery.hpp"}, "the umbrella is for users; include what is used");
}

// ---- rules 2 and 7: who sees Asio and cereal ------------------------------------------------------------------------

bool is_class_header(std::string_view path) {
  return equals_any(path, {"include/artillery/discovery.hpp", "include/artillery/membership.hpp",
                           "include/artillery/membership/subscription.hpp", "include/artillery/replication.hpp",
                           "include/artillery/replication/quorum_authority.hpp", "include/artillery/node.hpp"});
}

bool may_include_asio(std::string_view path) {
  return starts_with_any(path, {"src/net/", "src/node/", "include/artillery/detail/"}) || is_class_header(path) ||
         is_binding(path);
}

void check_asio(const context& at) {
  if (!is_library(at.path())) return;
  for (const inclusion& used : at.text.inclusions) {
    if (used.header == "asio.hpp") {
      at.report(used.line, "asio", "includes asio.hpp: include the narrow headers, the whole takes seconds per file");
    } else if (used.header.starts_with("asio/") && !may_include_asio(at.path())) {
      at.report(used.line, "asio", "includes " + used.header + ": only net, bindings and public class headers may");
    }
  }
  if (!may_include_asio(at.path()))
    ban_names(at, "asio", {{"asio", true}}, "only net, bindings and public class headers may use Asio");
}

void check_coroutines(const context& at) {
  if (!is_library(at.path())) return;
  constexpr std::string_view why = "the library uses no coroutines (g++ 12 destroys some temporaries twice)";
  ban_headers(at, "coroutines", {"coroutine", "asio/awaitable.hpp", "asio/co_spawn.hpp", "asio/use_awaitable.hpp"},
              why);
  ban_names(at, "coroutines", {{"co_await", true}, {"co_return", true}, {"co_yield", true}}, why);
}

void check_cereal(const context& at) {
  if (!is_library(at.path())) return;
  std::string_view file = stem(at.path());
  bool may = false;
  for (std::string_view kind : {"codec", "message", "archive"}) may = may || file.find(kind) != std::string_view::npos;
  if (may && at.path().starts_with("src/")) return;
  for (const inclusion& used : at.text.inclusions) {
    if (used.header.starts_with("cereal/")) {
      at.report(used.line, "cereal", "includes " + used.header + ": only codec, message and archive files of src/ may");
    }
  }
}

// ---- rule 3: pure files --------------------------------------------------------------------------------------------

void check_pure_names(const context& at) {
  ban_names(at, "pure",
            {{"std::thread", true},
             {"std::jthread", true},
             {"std::this_thread", true},
             {"std::async", true},
             {"std::future", true},
             {"std::promise", true},
             {"mutex", false},
             {"std::condition_variable", false},
             {"std::lock_guard", true},
             {"std::unique_lock", true},
             {"std::scoped_lock", true},
             {"pthread_", false}},
            "a pure file knows no threads");
  ban_names(at, "pure", {{"clock::now", false}, {"clock_gettime", true}, {"gettimeofday", true}, {"std::time", true}},
            "time is an input of a pure file; take `now` as an argument");
  ban_names(at, "pure",
            {{"random_device", false},
             {"_distribution", false},
             {"std::shuffle", true},
             {"std::ranges::shuffle", true},
             {"std::sample", true},
             {"std::mt19937", false},
             {"std::default_random_engine", true},
             {"std::rand", true},
             {"rand", true}},
            "draws differ between standard libraries; use the seeded random of base");
  ban_names(at, "pure", {{"std::hash", true}, {"unordered_", false}},
            "its order differs between standard libraries; use base/indexed.hpp or a sorted container");
  ban_names(at, "pure", {{"float", true}, {"double", true}}, "floating point differs between compilers; use integers");
  ban_headers(at, "pure", {"thread",        "mutex",         "shared_mutex", "condition_variable",
                           "future",        "stop_token",    "semaphore",    "latch",
                           "barrier",       "iostream",      "fstream",      "random",
                           "unordered_map", "unordered_set", "filesystem",   "sys/socket.h",
                           "unistd.h",      "poll.h",        "sys/epoll.h",  "fcntl.h",
                           "time.h",        "ctime",         "sys/time.h"},
              "a pure file has bytes and time in, effects out");
  for (const inclusion& used : at.text.inclusions) {
    if (room_of(used.header) == "net")
      at.report(used.line, "pure", "includes " + used.header + ": a pure file knows no net");
  }
}

bool is_draw(std::string_view object, std::string_view /*call*/) {
  return equals_any(object, {"random", "random_", "rng", "rng_"});
}
bool is_effect(std::string_view object, std::string_view call) {
  return equals_any(object, {"out", "effects"}) && equals_any(call, {"send", "open", "close", "persist", "deliver"});
}

/// Where the calls `object.call(…)` that are wanted stand in a statement: from the object's first letter to the
/// bracket.
struct call_place {
  std::size_t begin;
  std::size_t bracket;
};

template <class Wanted>
std::vector<call_place> calls_in(std::string_view statement, Wanted wanted) {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz_ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  std::vector<call_place> calls;
  for (std::size_t dot = statement.find('.'); dot != std::string_view::npos; dot = statement.find('.', dot + 1)) {
    std::size_t before = statement.substr(0, dot).find_last_not_of(letters);
    std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
    std::size_t end = std::min(statement.find_first_not_of(letters, dot + 1), statement.size());
    bool is_call = end < statement.size() && statement[end] == '(';
    if (is_call && wanted(statement.substr(begin, dot - begin), statement.substr(dot + 1, end - dot - 1))) {
      calls.push_back({begin, end});
    }
  }
  return calls;
}

/// Where the condition of an `if (…)` or its like ends; the statement's begin when it has none.
std::size_t condition_end(std::string_view statement) {
  std::size_t begin = std::min(statement.find_first_not_of(" \n"), statement.size());
  if (!starts_with_any(statement.substr(begin), {"if (", "while (", "switch (", "else if ("})) return begin;
  int depth = 0;
  for (std::size_t i = statement.find('(', begin); i < statement.size(); ++i) {
    if (statement[i] == '(') ++depth;
    if (statement[i] == ')' && --depth == 0) return i;
  }
  return statement.size();
}

/// Whether the language orders two calls of one statement: only `?`, `:`, `&&` or `||` stands between them. Judged by
/// what lies between them outside of all brackets that both are not in.
bool ordered(std::string_view statement, const call_place& first, const call_place& second) {
  std::size_t condition = condition_end(statement);
  if (first.begin < condition && condition < second.begin) return true;
  int depth = 0;
  int depth_min = 1;  // the first call's own brackets count for nothing
  std::string between;
  for (std::size_t i = first.bracket; i < second.begin; ++i) {
    char c = statement[i];
    if (c == '(') ++depth;
    if (c == ')') --depth;
    if (depth < depth_min) {
      depth_min = depth;
      between.clear();
    } else if (depth == depth_min) {
      between += c;
    }
  }
  if (depth_min == 1 || between.find(',') != std::string::npos) return false;  // one is an argument of the other
  return between.find_first_of("?") != std::string::npos || between.find(" : ") != std::string::npos ||
         between.find("&&") != std::string::npos || between.find("||") != std::string::npos;
}

template <class Wanted>
bool has_unordered_calls(std::string_view statement, Wanted wanted) {
  std::vector<call_place> calls = calls_in(statement, wanted);
  for (std::size_t i = 1; i < calls.size(); ++i) {
    if (!ordered(statement, calls[i - 1], calls[i])) return true;
  }
  return false;
}

/// Compilers evaluate arguments in different orders: two draws in one statement are two different runs.
void check_one_draw_per_statement(const context& at) {
  std::string_view code = at.text.code;
  for (std::size_t start = 0; start < code.size();) {
    std::size_t end = std::min(code.find_first_of(";{}", start), code.size());
    std::string_view statement = code.substr(start, end - start);
    std::size_t line = line_of(code, start + std::min(statement.find_first_not_of(" \n"), statement.size()));
    if (has_unordered_calls(statement, is_draw))
      at.report(line, "pure", "two random draws in one statement: their order is not defined");
    if (has_unordered_calls(statement, is_effect))
      at.report(line, "pure", "two effects in one statement: their order is not defined");
    start = end + 1;
  }
}

void check_pure(const context& at) {
  if (!is_pure(at.path())) return;
  check_pure_names(at);
  check_one_draw_per_statement(at);
}

// ---- rule 5 and 8: a polite library --------------------------------------------------------------------------------

void check_polite(const context& at) {
  if (!is_library(at.path())) return;
  ban_headers(at, "polite", {"iostream", "csignal", "signal.h", "syslog.h"},
              "the library prints nothing and handles no signals");
  ban_names(at, "polite",
            {{"std::cout", true},
             {"std::cerr", true},
             {"std::clog", true},
             {"printf", true},
             {"fprintf", true},
             {"vprintf", true},
             {"vfprintf", true},
             {"puts", true},
             {"fputs", true},
             {"putchar", true},
             {"perror", true},
             {"syslog", true}},
            "the library prints nothing; give it to the log sink");
  ban_names(at, "polite",
            {{"std::abort", true},

             {"std::exit", true},

             {"_exit", true},
             {"std::_Exit", true},
             {"std::quick_exit", true},
             {"std::terminate", true},
             {"assert", true}},
            "the library never ends its host; ARTILLERY_INVARIANT poisons the object");
  ban_names(at, "polite", {{"sigaction", true}, {"std::signal", true}, {"signal_set", false}},
            "signals belong to the program");
  ban_names(at, "polite",
            {{"std::thread", true},
             {"std::jthread", true},
             {"std::async", true},
             {"pthread_create", true},
             {"thread_pool", false},
             {"sleep_for", false},
             {"sleep_until", false}},
            "the library starts no thread and stops none");
}

void check_atomics(const context& at) {
  ban_names(at, "atomics", {{"atomic_thread_fence", false}}, "the thread sanitizer of g++ 12 cannot judge fences");
  for (std::string_view banned : {"atomic<std::shared_ptr", "atomic<std::weak_ptr"}) {
    for (std::size_t hit = at.text.code.find(banned); hit != std::string::npos;
         hit = at.text.code.find(banned, hit + 1)) {
      at.report(line_of(at.text.code, hit), "atomics",
                std::string{banned} + ">: the thread sanitizer of g++ 12 cannot judge it");
    }
  }
}

// ---- rule 5: no globals --------------------------------------------------------------------------------------------

bool has_word(const std::vector<std::string>& words, std::initializer_list<std::string_view> wanted) {
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) { return equals_any(word, wanted); });
}

/// A declaration, cut at the character that follows its declarator (`;`, `=`, `(` or `{`), that makes a changeable
/// variable of static lifetime when it stands at namespace scope.
bool declares_variable(std::string_view declaration, char next) {
  if (next == '(') return false;
  std::vector<std::string> words = words_of(declaration);
  bool is_operator =
      std::any_of(words.begin(), words.end(), [](const std::string& word) { return word.ends_with("operator"); });
  return words.size() >= 2 && !is_operator &&
         !has_word(words, {"const",    "constexpr", "consteval", "using",     "typedef", "namespace",     "class",
                           "struct",   "union",     "enum",      "template",  "friend",  "static_assert", "concept",
                           "requires", "public",    "private",   "protected", "return",  "extern",        "goto"});
}

bool is_static_variable(std::string_view declaration, char next) {
  std::vector<std::string> words = words_of(declaration);
  return has_word(words, {"thread_local"}) || (has_word(words, {"static"}) && declares_variable(declaration, next));
}

void check_globals(const context& at) {
  if (!is_library(at.path())) return;
  for (const statement& one : find_scopes(at.text.code).statements) {
    std::string_view declaration = declarator_of(one.text);
    char next = declaration.size() < one.text.size() ? one.text[declaration.size()] : one.ended_by;
    bool is_global = one.inside == scope::of_namespace && declares_variable(declaration, next);
    if (!is_global && !is_static_variable(declaration, next)) continue;
    at.report(line_of(at.text.code, one.begin), "globals",
              "changeable state that outlives every object: the library keeps none");
  }
}

// ---- habits --------------------------------------------------------------------------------------------------------

void check_names_of_files(const context& at) {
  std::string_view rest = at.path();
  while (!rest.empty()) {
    std::size_t end = std::min(rest.find_first_of("/._-"), rest.size());
    if (equals_any(rest.substr(0, end),
                   {"util", "utils", "utility", "utilities", "common", "helper", "helpers", "misc"})) {
      at.report(1, "names", "a drawer for everything: name the file for its one purpose");
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

void check_length(const context& at) {
  if (at.text.lines > lines_max) {
    at.report(at.text.lines, "length",
              std::to_string(at.text.lines) + " lines; a file has at most " + std::to_string(lines_max));
  }
  // A test case or a generated table may be long; a function of the library must fit a screen.
  if (!is_library(at.path())) return;
  for (const block& one : find_scopes(at.text.code).blocks) {
    std::size_t first = line_of(at.text.code, one.begin);
    std::size_t lines = line_of(at.text.code, one.end) - first + 1;
    if (one.kind != scope::of_function || lines <= function_lines_max) continue;
    at.report(first, "length",
              std::to_string(lines) + " lines; a function has at most " + std::to_string(function_lines_max));
  }
}

void check_finished(const context& at) {
  // In two parts, so that this file does not break the rule.
  for (const std::string& mark : {std::string{"TO"} + "DO", std::string{"FIX"} + "ME"}) {
    for (std::size_t hit = at.file.text.find(mark); hit != std::string::npos; hit = at.file.text.find(mark, hit + 1)) {
      at.report(line_of(at.file.text, hit), "unfinished",
                mark + ": finish it, or say in the documents that it is not there");
    }
  }
}

void check_sleeps(const context& at) {
  if (is_library(at.path())) return;
  ban_names(at, "sleeps",
            {{"sleep_for", false}, {"sleep_until", false}, {"usleep", true}, {"nanosleep", false}, {"sleep", true}},
            "wait for the event, with a deadline");
}

bool matches(std::string_view path, std::string_view pattern) {
  return pattern.ends_with('*') ? path.starts_with(pattern.substr(0, pattern.size() - 1)) : path == pattern;
}

bool exempts(const exemption& entry, const violation& found) {
  return entry.rule == found.rule && matches(found.path, entry.path);
}

std::vector<violation> check_without_exemptions(const source_file& file) {
  std::vector<violation> found;
  source_text text = read_source(file.text);
  context at{file, text, found};
  for (auto rule : {check_rooms, check_umbrella, check_asio, check_coroutines, check_cereal, check_pure, check_polite,
                    check_atomics, check_globals, check_names_of_files, check_length, check_finished, check_sleeps}) {
    rule(at);
  }
  return found;
}

}  // namespace

bool is_binding(std::string_view path) {
  bool in_room = false;
  for (std::string_view room : protocol_rooms) in_room = in_room || path.starts_with("src/" + std::string{room} + "/");
  if (!in_room) return false;
  std::string_view file = base_name(path);
  return equals_any(file, {"beacon.cpp", "cluster.cpp", "replica.cpp", "client.cpp", "quorum_authority.cpp"}) ||
         stem(path).ends_with("_binding");
}

bool is_pure(std::string_view path) {
  if (path.starts_with("src/base/") || path.starts_with("src/sim/")) return true;
  if (path.starts_with("src/node/chain_")) return true;  // the rule by which a chain is formed
  if (path.starts_with("include/artillery/")) return !may_include_asio(path);
  std::string_view room = room_of(path);
  bool in_room = std::find(protocol_rooms.begin(), protocol_rooms.end(), room) != protocol_rooms.end();
  return path.starts_with("src/") && in_room && !is_binding(path);
}

std::vector<violation> check(const source_file& file) {
  std::vector<violation> found = check_without_exemptions(file);
  std::erase_if(found, [](const violation& one) {
    return std::any_of(exemptions().begin(), exemptions().end(),
                       [&](const exemption& entry) { return exempts(entry, one); });
  });
  return found;
}

std::vector<violation> check_all(const std::vector<source_file>& files) {
  std::vector<violation> found;
  for (const source_file& file : files) {
    for (violation& one : check(file)) found.push_back(std::move(one));
  }
  return found;
}

std::vector<exemption> unneeded(const std::vector<source_file>& files) {
  std::vector<violation> found;
  for (const source_file& file : files) {
    for (violation& one : check_without_exemptions(file)) found.push_back(std::move(one));
  }
  std::vector<exemption> result;
  for (const exemption& entry : exemptions()) {
    bool needed = std::any_of(found.begin(), found.end(), [&](const violation& one) { return exempts(entry, one); });
    if (!needed) result.push_back(entry);
  }
  return result;
}

}  // namespace rules

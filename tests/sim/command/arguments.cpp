#include "arguments.hpp"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <thread>

#include "command_line.hpp"
#include "exit_code.hpp"
#include "help_format.hpp"
#include "notation.hpp"
#include "run_words.hpp"

namespace simulator {

namespace sim = artillery::sim;

namespace {

constexpr const char* footer = R"(Examples:
  ./dev sim chain --seeds 20000 -o json           many seeds, and one JSON object about them
  ./dev sim chain --seed 17                       one seed again, and what it draws
  ./dev sim chain --seed 17 --trace run.txt       and all that happens in it
  ./dev sim membership --fresh --faults loss      seeds that nobody ran yet, with lost datagrams only
  ./dev sim shrink chain --seed 17                the smallest run of it that still fails
  ./dev sim mutants                               every planted mistake is found

Programs of their own: ./dev sim explore tries every run of small set-ups, scale studies large clusters, judge reads
histories of real processes, nightly does all of it at length.
Exit codes: 0 all is well, 1 a violation or less work than stated, 2 wrong use.
docs/simulating.md tells more.)";

constexpr std::uint64_t jobs_max = 256;
constexpr std::uint64_t most_seeds = 1'000'000'000;

/// A whole number from `low` on.
template <class Number>
auto number_in(std::uint64_t low, std::uint64_t high) {
  return [=](const std::string& text) -> std::optional<Number> {
    const auto number = tool::parse_number(text);
    if (!number || *number < low || *number > high) return std::nullopt;
    return static_cast<Number>(*number);
  };
}

std::string range_text(std::uint64_t low, std::uint64_t high) {
  return "a number from " + std::to_string(low) + " to " + std::to_string(high) + " is";
}

/// `target` is a `Number` or an optional one.
template <class Number>
CLI::Option* add_number(CLI::App& app, const std::string& name, auto& target, std::uint64_t low, std::uint64_t high,
                        const std::string& description) {
  return tool::add_parsed_option(app, name, target, number_in<Number>(low, high), range_text(low, high), description)
      ->type_name("N");
}

void add_run_options(CLI::App& app, sim::run_options& fixed) {
  constexpr const char* group = "What is fixed of each run; the rest is drawn from its seed";
  tool::add_parsed_option(
      app, "--faults", fixed.families, [](const std::string& text) { return parse_families(text); },
      "allowed are " + known_families(), "Families of faults that may exist: " + known_families())
      ->type_name("NAMES")
      ->default_str("all")
      ->group(group);
  add_number<std::size_t>(app, "--nodes", fixed.nodes, 1, 10'000, "How many replicas, members or hosts")->group(group);
  tool::add_parsed_option(
      app, "--time", fixed.time, [](const std::string& text) { return tool::parse_duration(text); },
      "0s to 24h are, such as 500ms, 2s, 1m", "Length of the phase with faults")
      ->type_name("DURATION")
      ->group(group);
  add_number<std::uint32_t>(app, "--operations", fixed.operations, 0, 1'000'000,
                            "Operations of each client or member, at most")
      ->group(group);
  tool::add_parsed_option(
      app, "--without", fixed.without, [](const std::string& text) { return parse_numbers(text); },
      "numbers and ranges are, such as 3,7-9", "Choices (faults and operations) to leave out, by number: 3,7-9")
      ->type_name("NUMBERS")
      ->group(group);
}

void add_jobs(CLI::App& app, unsigned& jobs) {
  jobs = std::max(1U, std::thread::hardware_concurrency());
  add_number<unsigned>(app, "--jobs", jobs, 1, jobs_max, "How many at a time")->default_str("number of processors");
}

void add_format(CLI::App& app, output_format& format) {
  const auto parse = [](const std::string& text) -> std::optional<output_format> {
    if (text == "table") return output_format::table;
    if (text == "json") return output_format::json;
    if (text == "jsonl") return output_format::jsonl;
    return std::nullopt;
  };
  tool::add_parsed_option(app, "-o,--format", format, parse, "table, json and jsonl are",
                          "How to print: jsonl is a line for each one")
      ->type_name("table|json|jsonl")
      ->default_str("table");
}

/// A mistake that is planted; only the program that has them knows the option.
void add_mutant(CLI::App& app, std::string& mutant, const std::vector<std::string>& known) {
  if (known.empty()) return;
  std::string allowed = "allowed are:";
  for (const std::string& name : known) allowed += ' ' + name;
  const auto parse = [known](const std::string& text) {
    return std::find(known.begin(), known.end(), text) == known.end() ? std::nullopt : std::optional{text};
  };
  tool::add_parsed_option(app, "--mutant", mutant, parse, allowed, "Plant this mistake first")->type_name("NAME");
}

/// `name=number`.
std::vector<std::pair<std::string, double>> parse_at_least(const std::vector<std::string>& texts) {
  std::vector<std::pair<std::string, double>> all;
  for (const std::string& text : texts) {
    const std::size_t sign = text.find('=');
    const auto number = sign == std::string::npos ? std::nullopt : tool::parse_number(text.substr(sign + 1));
    if (!number || sign == 0) {
      throw CLI::ValidationError("--at-least",
                                 "'" + text + "' is not allowed; figure=number is, such as operations=5000");
    }
    all.emplace_back(text.substr(0, sign), static_cast<double>(*number));
  }
  return all;
}

std::optional<artillery::duration> parse_budget(const std::string& text) {
  const auto time = tool::parse_duration(text);
  return time && time->count() > 0 ? time : std::nullopt;
}
constexpr const char* budget_allowed = "1ns to 24h are, such as 30s, 10m, 2h";

/// Where a trace goes: not to a file.
bool is_output(const std::string& file) {
  return file.empty() || file == "-";
}

void add_seeds_command(CLI::App& app, const room& where, std::optional<arguments>& chosen) {
  CLI::App* command = app.add_subcommand(where.name, "Seeds of " + where.name + ", one after another");
  const auto given = std::make_shared<seeds_arguments>();
  given->room = where.name;
  const auto add_seed = [given](const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      const auto numbers = parse_numbers(text);
      if (!numbers)
        throw CLI::ValidationError("--seed", "'" + text + "' is not allowed; numbers and ranges are: 3,7-9");
      given->named.insert(given->named.end(), numbers->begin(), numbers->end());
    }
  };
  add_number<std::uint64_t>(*command, "--seeds", given->seeds, 1, most_seeds, "How many")->default_str("200");
  CLI::Option* first =
      add_number<std::uint64_t>(*command, "--first", given->first, 0,
                                std::numeric_limits<std::uint64_t>::max() - most_seeds, "The first of them")
          ->default_str("1");
  CLI::Option* named =
      command->add_option_function<std::vector<std::string>>("--seed", add_seed, "Just this one, or these: 3,7-9")
          ->type_name("NUMBERS");
  command->add_flag("--fresh", given->fresh, "Seeds that nobody has run yet; the summary names the first")
      ->excludes(first)
      ->excludes(named);
  tool::add_parsed_option(*command, "--within", given->within, parse_budget, budget_allowed,
                          "Take no new seed after this time")
      ->type_name("DURATION");
  command
      ->add_option_function<std::vector<std::string>>(
          "--at-least", [given](const std::vector<std::string>& texts) { given->at_least = parse_at_least(texts); },
          "Fail when a figure of the summary is below this, such as operations=5000000 (may be given several times)")
      ->type_name("FIGURE=N");
  add_jobs(*command, given->jobs);
  command->add_flag("--hashes", given->hashes, "Print the trace hash of every seed");
  command->add_option("--trace", given->trace, "Tell all that happens in this one seed, or write it to a file")
      ->type_name("[FILE]")
      ->expected(0, 1);
  add_format(*command, given->format);
  add_mutant(*command, given->mutant, where.mutants);
  add_run_options(*command, given->fixed);
  command->callback([given, &chosen] {
    if (given->trace && given->named.size() != 1) {
      throw CLI::ValidationError("--trace", "is of one seed; name it: --seed 17");
    }
    if (given->trace && is_output(*given->trace) && given->format != output_format::table) {
      throw CLI::ValidationError("--trace", "would stand among the JSON; name a file: --trace run.txt");
    }
    chosen = *given;
  });
}

/// The room as a word behind the command.
CLI::Option* add_room(CLI::App& app, std::string& target, const std::vector<room>& rooms, const char* description) {
  const auto parse = [&rooms](const std::string& text) {
    return find_room(rooms, text) == nullptr ? std::nullopt : std::optional{text};
  };
  return tool::add_parsed_option(app, "room", target, parse, "allowed are: " + names_of(rooms), description)
      ->type_name("ROOM");
}

void add_folder(CLI::App& app, std::string& folder) {
  folder = "tests/sim/corpus";
  app.add_option("--folder", folder, "Where the corpus is")->type_name("PATH")->default_str(folder);
}

void add_shrink_command(CLI::App& app, const std::vector<room>& rooms, std::optional<arguments>& chosen) {
  CLI::App* command = app.add_subcommand("shrink", "The smallest run of a failing seed that still fails");
  const auto given = std::make_shared<shrink_arguments>();
  given->within = std::chrono::minutes{1};
  add_room(*command, given->room, rooms, "Which")->required();
  add_number<std::uint64_t>(*command, "--seed", given->seed, 0, std::numeric_limits<std::uint64_t>::max(),
                            "The seed that fails")
      ->required();
  tool::add_parsed_option(*command, "--within", given->within, parse_budget, budget_allowed, "How long to try")
      ->type_name("DURATION")
      ->default_str("1m");
  command->add_flag("--keep", given->keep, "Add the result to the corpus");
  add_folder(*command, given->folder);
  std::vector<std::string> mutants;
  for (const room& one : rooms) mutants.insert(mutants.end(), one.mutants.begin(), one.mutants.end());
  add_mutant(*command, given->mutant, mutants);
  add_run_options(*command, given->fixed);
  command->callback([given, &chosen] { chosen = *given; });
}

void add_corpus_command(CLI::App& app, const std::vector<room>& rooms, std::optional<arguments>& chosen) {
  CLI::App* command = app.add_subcommand("corpus", "Every run that failed once, again");
  const auto given = std::make_shared<corpus_arguments>();
  add_room(*command, given->room, rooms, "Only of this one");
  add_folder(*command, given->folder);
  command->callback([given, &chosen] { chosen = *given; });
}

void add_mutants_command(CLI::App& app, const std::vector<room>& rooms, std::optional<arguments>& chosen) {
  CLI::App* command = app.add_subcommand("mutants", "Each planted mistake is found, and in how many seeds");
  const auto given = std::make_shared<mutants_arguments>();
  add_room(*command, given->room, rooms, "Only of this one");
  command->add_option("--mutant", given->mutants, "Only this one (may be given several times)")->type_name("NAME");
  add_number<std::uint64_t>(*command, "--seeds-max", given->seeds_max, 1, most_seeds, "Within how many seeds")
      ->default_str("10000");
  command->add_flag("--record", given->record, "Note the seeds that found them, to be tried first the next time");
  add_folder(*command, given->folder);
  add_jobs(*command, given->jobs);
  add_format(*command, given->format);
  command->callback([given, &chosen] { chosen = *given; });
}

/// What CLI11 says of a word that it does not know does not tell what there is.
std::string explain(const CLI::App& app, const CLI::ParseError& error) {
  const auto commands = app.get_subcommands();
  if (!commands.empty()) {
    return std::string{error.what()} + "\n`./dev sim " + commands.front()->get_name() +
           " --help` tells what is allowed";
  }
  const auto unknown = app.remaining();
  std::string text = unknown.empty() ? error.what() : "there is no command '" + unknown.front() + "'";
  text += "; the commands are:";
  for (const CLI::App* one : app.get_subcommands([](const CLI::App*) { return true; })) text += ' ' + one->get_name();
  return text;
}

void parse(CLI::App& app, std::vector<std::string> words) {
  try {
    std::reverse(words.begin(), words.end());  // as CLI11 wants them
    app.parse(std::move(words));
  } catch (const CLI::CallForHelp&) {
    throw tool::help_requested{app.help()};
  } catch (const CLI::ParseError& error) {
    throw tool::failure{tool::exit_code::wrong_use, explain(app, error)};
  }
}

}  // namespace

arguments parse_arguments(std::vector<std::string> words, const std::vector<room>& rooms) {
  CLI::App app{"Runs artillery's protocols in the simulator, seed after seed, and checks what they did.", "./dev sim"};
  app.require_subcommand(1);
  app.footer(footer);
  app.formatter(std::make_shared<tool::help_format>());
  std::optional<arguments> chosen;
  for (const room& one : rooms) add_seeds_command(app, one, chosen);
  add_shrink_command(app, rooms, chosen);
  add_corpus_command(app, rooms, chosen);
  add_mutants_command(app, rooms, chosen);
  parse(app, std::move(words));
  if (!chosen) throw tool::failure{tool::exit_code::wrong_use, "no command was chosen"};
  return std::move(*chosen);
}

seed_and_options parse_corpus_words(std::vector<std::string> words) {
  CLI::App app{"A line of the corpus"};
  app.set_help_flag();
  seed_and_options line;
  add_number<std::uint64_t>(app, "--seed", line.seed, 0, std::numeric_limits<std::uint64_t>::max(), "The seed")
      ->required();
  add_run_options(app, line.fixed);
  tool::add_parsed_option(
      app, "--draws", line.draws, [](const std::string& text) { return parse_hash(text); }, "16 hexadecimal digits are",
      "What it drew when it was kept");
  try {
    std::reverse(words.begin(), words.end());
    app.parse(std::move(words));
  } catch (const CLI::ParseError& error) {
    throw tool::failure{tool::exit_code::wrong_use, error.what()};
  }
  return line;
}

}  // namespace simulator

#include <memory>

#include "command_line.hpp"
#include "notation.hpp"

namespace tool {

namespace {

CLI::Option* add_key(CLI::App& app, std::string& key) {
  const auto parse = [](const std::string& text) {
    return text.empty() || text.size() > artillery::replication::key_size_max ? std::nullopt : std::optional{text};
  };
  return add_parsed_option(app, "KEY", key, parse,
                           "1 to " + std::to_string(artillery::replication::key_size_max) + " bytes are",
                           "Name of the object")
      ->type_name("TEXT")
      ->required();
}

void add_get(CLI::App& app, std::optional<command>& chosen) {
  auto options = std::make_shared<get_options>();
  CLI::App* get = app.add_subcommand("get", "Read an object");
  get->footer(
      R"(How fresh: strong (linearizable, the default), bounded:50ms (at most so old), bounded:3 (lacks at most so many writes of
the object), eventual (the newest this replica holds, acknowledged or not).

Examples:
  artillery get limit
  artillery get photo --output photo.jpg
  artillery get limit --raw --consistency bounded:200ms)");
  add_key(*get, options->key);
  add_parsed_option(
      *get, "--consistency", options->consistency, [](const std::string& text) { return parse_consistency(text); },
      "strong, eventual, bounded:<duration> and bounded:<writes> are, such as bounded:50ms or bounded:3",
      "How fresh the answer must be")
      ->type_name("LEVEL")
      ->default_str("strong");
  CLI::Option* raw = get->add_flag("--raw", options->raw, "Print the value alone, byte for byte");
  get->add_option("--output", options->output, "Write the value to this file")->type_name("FILE")->excludes(raw);
  add_timeout_option(*get, options->common);
  add_common_options(*get, options->common);
  get->callback([options, &chosen] {
    if (options->raw && options->common.format != output_format::table)
      throw CLI::ValidationError("--raw", "prints the value alone and goes with no -o but table");
    chosen = *options;
  });
}

void add_value(CLI::App& app, write_options& options) {
  CLI::Option* value =
      app.add_option("VALUE", options.value, "Any bytes; - reads them from standard input")->type_name("TEXT|-");
  app.add_option("--file", options.file, "Take the value from this file")->type_name("FILE")->excludes(value);
}

void require_value(const write_options& options) {
  if (!options.value && options.file.empty()) throw CLI::RequiredError("VALUE (or --file, or - for standard input)");
}

void add_put(CLI::App& app, std::optional<command>& chosen) {
  auto options = std::make_shared<write_options>();
  CLI::App* put = app.add_subcommand("put", "Write an object");
  put->footer(
      R"(Done once every replica of the chain holds it. Exit code 5 means that it may or may not have happened: read it, or put
it again.

Examples:
  artillery put limit 100
  artillery put photo --file photo.jpg
  tar c . | artillery put backup -)");
  add_key(*put, options->key);
  add_value(*put, *options);
  add_timeout_option(*put, options->common);
  add_common_options(*put, options->common);
  put->callback([options, &chosen] {
    require_value(*options);
    chosen = *options;
  });
}

void add_cas(CLI::App& app, std::optional<command>& chosen) {
  auto options = std::make_shared<write_options>();
  auto absent = std::make_shared<bool>(false);
  options->what = write_options::kind::cas;
  CLI::App* cas = app.add_subcommand("cas", "Write an object if it is still as it was read (compare and swap)");
  cas->footer(
      R"(Exit code 7 means that it is not as was asked, and nothing changed; the answer tells the version there is.

Examples:
  artillery cas lock me --absent
  artillery cas limit 200 --version 1.42)");
  add_key(*cas, options->key);
  add_value(*cas, *options);
  CLI::Option* version =
      add_parsed_option(
          *cas, "--version", options->expected, [](const std::string& text) { return parse_version(text); },
          "EPOCH.PLACE as `get` shows it is, such as 1.42", "The version it must have")
          ->type_name("E.S");
  cas->add_flag("--absent", *absent, "It must not be there")->excludes(version);
  add_timeout_option(*cas, options->common);
  add_common_options(*cas, options->common);
  cas->callback([options, absent, version, &chosen] {
    require_value(*options);
    if (!*absent && version->empty()) throw CLI::RequiredError("--version (or --absent)");
    chosen = *options;
  });
}

void add_del(CLI::App& app, std::optional<command>& chosen) {
  auto options = std::make_shared<write_options>();
  options->what = write_options::kind::del;
  CLI::App* del = app.add_subcommand("del", "Erase an object; erasing what is not there is done, too");
  add_key(*del, options->key);
  add_timeout_option(*del, options->common);
  add_common_options(*del, options->common);
  del->callback([options, &chosen] { chosen = *options; });
}

}  // namespace

void add_object_commands(CLI::App& app, std::optional<command>& chosen) {
  add_get(app, chosen);
  add_put(app, chosen);
  add_cas(app, chosen);
  add_del(app, chosen);
}

}  // namespace tool

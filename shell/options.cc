#include "shell/options.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>

#include "base/letter_case.h"
#include "base/status_macros.h"
#include "planner/catalog/near_names.h"
#include "shell/prompt/statement_help.h"
#include "shell/statement_text.h"
#include "weir/version.h"

namespace weir::shell {
namespace {

constexpr int kExitUsage = 2;

/// Option values as CLI11 gives them, before they mean anything.
struct RawOptions {
  std::string positional_directory;
  std::vector<std::string> settings;
  std::vector<std::string> kafka;
  std::vector<std::string> defines;
  std::vector<std::string> commands;
  std::vector<std::string> files;
  std::string format;
  std::string log_level = "warning";
};

struct RawLoad {
  std::string input_format;
  std::string columns;
  std::string key;
  std::string key_format;
  std::string output_format;
};

/// Options given as many times as one likes, each time with one value.
CLI::Option* AddRepeated(CLI::App& app, const std::string& name, std::vector<std::string>* into,
                         const std::string& text) {
  return app.add_option(name, *into, text)->allow_extra_args(false);
}

void AddLoadOptions(CLI::App& app, LoadOptions* load, RawLoad* raw) {
  load->file = "-";
  app.add_option("topic", load->topic, "Topic; made with one partition if missing")->required();
  app.add_option("file", load->file, "CSV or NDJSON file; - or none: stdin");
  app.add_option("--input-format", raw->input_format, "json or csv (default: by the file's name)")
      ->check(CLI::IsMember({"json", "csv"}));
  app.add_option("--columns", raw->columns, "C=NAME,…: the CSV columns to load, and their names");
  app.add_option("--key", raw->key, "C[=NAME],…: the columns that make the record's key");
  app.add_option("--key-format", raw->key_format,
                 "json, kafka, kafka:int|bigint|double, avro, protobuf or json_sr");
  app.add_option(
         "--output-format", raw->output_format,
         "json (default), or avro, protobuf or json_sr: with a schema in the registry, made "
         "of the columns that the first 1,000 records have")
      ->check(CLI::IsMember({"json", "avro", "protobuf", "json_sr"}));
  app.add_option("--timestamp", load->timestamp_column, "C: the column with the record's time");
  app.add_option("--rate", load->rate, "Records a second at most")->check(CLI::PositiveNumber);
}

Status FinishLoad(const RawLoad& raw, LoadOptions* load) {
  if (raw.input_format == "json") load->input_format = InputFormat::kJson;
  if (raw.input_format == "csv") load->input_format = InputFormat::kCsv;
  WEIR_ASSIGN_OR_RETURN(load->columns, ParseColumnChoices(raw.columns));
  WEIR_ASSIGN_OR_RETURN(load->key, ParseColumnChoices(raw.key));
  if (!raw.key_format.empty()) {
    WEIR_ASSIGN_OR_RETURN(load->key_format, ParseKeyFormat(raw.key_format));
  }
  if (load->key_format == KeyFormat::kSchema) load->key_schema_format = ToUpper(raw.key_format);
  if (raw.output_format != "json") load->output_format = ToUpper(raw.output_format);
  return OkStatus();
}

void AddRegistryOptions(CLI::App& app, RegistryArguments* registry) {
  app.add_option("--port", registry->port, "Port (default 8081; 0: a free one)")
      ->check(CLI::Range(0, 65535));
  app.add_option("--address", registry->address,
                 "IP address (default 127.0.0.1: this machine alone; 0.0.0.0: all networks, "
                 "without a password)");
  app.add_option("--store", registry->directory,
                 "Directory of a local store that keeps the schemas; none: in memory");
}

void AddPrintOptions(CLI::App& app, PrintOptions* print) {
  app.add_option("topic", print->topic, "Topic")->required();
  app.add_flag("--from-beginning", print->from_beginning, "Start at the first record");
  app.add_option("--limit", print->limit, "End after so many records")->check(CLI::PositiveNumber);
}

Status ParseAssignments(const std::vector<std::string>& texts, std::string_view option,
                        const std::function<void(std::string, std::string)>& add) {
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return Status(ErrorCode::kUsage, fmt::format("{} takes NAME=VALUE: {}", option, text));
    }
    add(text.substr(0, equals), text.substr(equals + 1));
  }
  return OkStatus();
}

/// "a=1;b=2" of a variable; options of the command line win.
Status AddVariable(const char* variable, std::map<std::string, std::string>* into) {
  const char* value = std::getenv(variable);
  if (value == nullptr) return OkStatus();
  std::vector<std::string> items;
  for (std::string& item : CLI::detail::split(value, ';')) {
    if (!item.empty()) items.push_back(std::move(item));
  }
  return ParseAssignments(items, variable, [into](std::string name, std::string text) {
    into->emplace(std::move(name), std::move(text));
  });
}

const std::map<std::string, LogLevel>& LogLevels() {
  static const auto* const kLevels = new std::map<std::string, LogLevel>{
      {"trace", LogLevel::kTrace},     {"debug", LogLevel::kDebug}, {"info", LogLevel::kInfo},
      {"warning", LogLevel::kWarning}, {"error", LogLevel::kError}, {"off", LogLevel::kOff}};
  return *kLevels;
}

/// Null if there is none.
const CLI::App* FindSubcommand(const CLI::App& app, std::string_view name) {
  const auto found =
      app.get_subcommands([name](const CLI::App* each) { return each->get_name() == name; });
  return found.empty() ? nullptr : found.front();
}

/// A file of options. A key that no option has is an error: a setting that is silently not in
/// force is worse than none.
class OptionsFile : public CLI::ConfigBase {
 public:
  explicit OptionsFile(const CLI::App& app) : app_(app) {}

  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override {
    std::vector<CLI::ConfigItem> items = ConfigBase::from_config(input);
    for (const CLI::ConfigItem& item : items) {
      if (item.name == "++" || item.name == "--") continue;  // Begin and end of a section.
      const CLI::App* app = &app_;
      for (const std::string& section : item.parents) {
        app = FindSubcommand(*app, section);
        if (app == nullptr) {
          throw CLI::ConfigError(fmt::format(
              "no command has the name of section [{0}]; a setting of the engine with a dot in its "
              "name is given as setting = [\"{0}.…=…\"]",
              section));
        }
      }
      Check(*app, item);
    }
    return items;
  }

 private:
  static void Check(const CLI::App& app, const CLI::ConfigItem& item) {
    std::vector<std::string> names;
    for (const CLI::Option* option : app.get_options()) {
      for (const std::string& name : option->get_lnames()) {
        if (name == "help" || name == "version" || name == "config") continue;
        if (name == item.name) return;
        names.push_back(name);
      }
    }
    const std::string near = DidYouMean(item.name, names);
    throw CLI::ConfigError(
        fmt::format("no option has the name {}: {}", item.fullname(),
                    near.empty() ? "options are " + ListNames(names, 40) : near));
  }

  const CLI::App& app_;
};

/// The whole command line: CLI11's app and where its values go.
class CommandLine {
 public:
  explicit CommandLine(ProgramOptions* options) : options_(*options) {
    AddStoreOptions();
    AddScriptOptions();
    AddMessageOptions();
    AddSubcommands();
    app_.require_subcommand(0, 1);
    app_.fallthrough();
    app_.footer(
        "weir help NAME tells of a command, a statement, a clause, a type or a function.\n"
        "Exit codes: 0 done, 1 a statement failed, 2 wrong usage, 130 interrupted, "
        "143 terminated with work undone.");
  }

  CLI::App& app() { return app_; }

  /// Gives the values their meaning.
  Status Finish() {
    ChooseCommand();
    if (!raw_.positional_directory.empty()) {
      if (options_.command != ProgramCommand::kPrompt) {
        return Status(ErrorCode::kUsage,
                      fmt::format("one argument too many: {}", raw_.positional_directory))
            .WithHint("a store is named by -d DIRECTORY here");
      }
      if (!options_.directory.empty() && options_.directory != raw_.positional_directory) {
        return Status(ErrorCode::kUsage,
                      fmt::format("two directories: {} and {}", options_.directory,
                                  raw_.positional_directory));
      }
      if (options_.directory.empty()) {
        WEIR_RETURN_IF_ERROR(CheckNewStore(raw_.positional_directory));
      }
      options_.directory = raw_.positional_directory;
    }
    WEIR_RETURN_IF_ERROR(FinishMaps());
    FinishScripts();
    options_.format = ParseOutputFormat(raw_.format);
    options_.log_level = LogLevels().at(raw_.log_level);
    if (options_.command == ProgramCommand::kLoad) {
      WEIR_RETURN_IF_ERROR(FinishLoad(raw_load_, &options_.load));
    }
    return CheckStore();
  }

 private:
  void AddStoreOptions() {
    app_.add_option("directory", raw_.positional_directory,
                    "Directory of a local store; none: in memory");
    app_.add_option("-d,--directory", options_.directory, "Directory of a local store")
        ->envname("WEIR_DIRECTORY");
    app_.add_option("-b,--brokers", options_.brokers, "Kafka brokers, host:port,…")
        ->envname("WEIR_BROKERS");
    app_.add_option("--application-id", options_.application_id,
                    "On Kafka: names this application's groups and state")
        ->envname("WEIR_APPLICATION_ID");
    app_.add_option("--state-dir", options_.state_dir, "On Kafka: where state lies")
        ->envname("WEIR_STATE_DIR");
    app_.add_option("--threads", options_.threads, "Threads that run queries (default: one a core)")
        ->check(CLI::NonNegativeNumber)
        ->envname("WEIR_THREADS");
    app_.add_flag("--paused", options_.paused,
                  "Open a local store with its queries paused; RESUME ID or ALL runs them");
    AddRepeated(app_, "-S,--setting", &raw_.settings,
                "NAME=VALUE: a setting of the engine (SHOW PROPERTIES lists them)");
    AddRepeated(app_, "-X,--kafka", &raw_.kafka, "NAME=VALUE: a property of librdkafka");
    // CLI11 looks at the variables behind the file; the one that names the file must come before.
    const char* file = std::getenv("WEIR_CONFIG");
    const bool named = file != nullptr && *file != 0;
    app_.set_config("--config", named ? file : "",
                    "File of options, NAME = VALUE a line (Env:WEIR_CONFIG)", named);
    app_.config_formatter(std::make_shared<OptionsFile>(app_));
  }

  void AddScriptOptions() {
    command_option_ = AddRepeated(app_, "-c,--command", &raw_.commands, "SQL to run, then exit");
    file_option_ = AddRepeated(app_, "-f,--file", &raw_.files, "File of SQL to run, then exit");
    AddRepeated(app_, "--define", &raw_.defines, "NAME=TEXT: a variable, used as ${NAME}");
    app_.add_option("--format", raw_.format,
                    "table, vertical, json or csv (default: table on a terminal, else json)")
        ->check(CLI::IsMember({"table", "vertical", "json", "csv"}))
        ->envname("WEIR_FORMAT");
    app_.add_flag("--until-end", options_.until_end,
                  "End when all that the topics hold has been processed");
    app_.add_flag("--close-windows", options_.close_windows,
                  "With --until-end: close the windows that EMIT FINAL holds open");
  }

  void AddMessageOptions() {
    app_.add_option("--log-level", raw_.log_level, "trace, debug, info, warning, error or off")
        ->check(CLI::IsMember({"trace", "debug", "info", "warning", "error", "off"}))
        ->envname("WEIR_LOG_LEVEL");
    app_.add_option("--log-file", options_.log_file, "Log to this file instead of stderr")
        ->envname("WEIR_LOG_FILE");
    app_.add_option("--metrics-port", options_.metrics_port,
                    "Serve metrics for Prometheus at http://…:PORT/metrics (0: a free port)")
        ->check(CLI::Range(0, 65535))
        ->envname("WEIR_METRICS_PORT");
    app_.add_option("--metrics-address", options_.metrics_address,
                    "IP address for --metrics-port (default 127.0.0.1: this machine alone; "
                    "0.0.0.0: all networks, without a password)")
        ->envname("WEIR_METRICS_ADDRESS");
    app_.add_flag("-q,--quiet", options_.quiet, "Only results and errors");
    app_.set_version_flag("--version", [] { return fmt::format("weir {}", Version()); });
  }

  CLI::App* AddSubcommand(const std::string& name, const std::string& text,
                          ProgramCommand command) {
    CLI::App* subcommand = app_.add_subcommand(name, text);
    subcommand->fallthrough();
    subcommands_.emplace_back(subcommand, command);
    return subcommand;
  }

  void AddSubcommands() {
    AddSubcommand("run", "Run query files; stay while their queries do", ProgramCommand::kRun)
        ->add_option("files", options_.files, "SQL files")
        ->required();
    AddLoadOptions(
        *AddSubcommand("load", "Load a CSV or NDJSON file into a topic", ProgramCommand::kLoad),
        &options_.load, &raw_load_);
    AddPrintOptions(*AddSubcommand("print", "Show a topic's records", ProgramCommand::kPrint),
                    &options_.print);
    CLI::App* explain =
        AddSubcommand("explain", "Show the plans of a file's queries", ProgramCommand::kExplain);
    explain->add_option("files", options_.files, "SQL files")->required();
    explain->add_flag("--dot", options_.dot, "As a Graphviz graph");
    CLI::App* reset = AddSubcommand(
        "reset", "Delete the state, internal topics and positions of an application on Kafka",
        ProgramCommand::kReset);
    reset->add_option("--query", options_.reset.query_id, "ID: only those of one query");
    reset->add_flag("--yes", options_.reset.yes, "Do not ask");
    AddRegistryOptions(
        *AddSubcommand("registry", "Serve a schema registry over HTTP", ProgramCommand::kRegistry),
        &options_.registry);
    CLI::App* test =
        AddSubcommand("test", "Run golden tests (.test, .md) or conformance cases (.json)",
                      ProgramCommand::kTest);
    test->add_option("files", options_.files, "Test files")->required();
    test->add_flag("--dump", options_.test.dump, "Write what came out, as JSON, and judge nothing");
    test->add_flag("--update", options_.test.update, "Rewrite the expected blocks of .test files");
    test->add_option("--batch-rows", options_.test.batch_rows, "Records of a batch, .json cases")
        ->check(CLI::PositiveNumber);
    test->add_option("--way", options_.test.ways,
                     "whole, row_by_row, restart, spread, spilled (default: all)")
        ->allow_extra_args(false)
        ->check(CLI::IsMember({"whole", "row_by_row", "restart", "spread", "spilled"}));
  }

  void ChooseCommand() {
    for (const auto& [subcommand, command] : subcommands_) {
      if (subcommand->parsed()) options_.command = command;
    }
  }

  Status FinishMaps() {
    WEIR_RETURN_IF_ERROR(
        ParseAssignments(raw_.settings, "-S", [this](std::string name, std::string value) {
          options_.settings[std::move(name)] = std::move(value);
        }));
    WEIR_RETURN_IF_ERROR(
        ParseAssignments(raw_.kafka, "-X", [this](std::string name, std::string value) {
          options_.kafka[std::move(name)] = std::move(value);
        }));
    WEIR_RETURN_IF_ERROR(AddVariable("WEIR_SETTINGS", &options_.settings));
    WEIR_RETURN_IF_ERROR(AddVariable("WEIR_KAFKA", &options_.kafka));
    return ParseAssignments(raw_.defines, "--define", [this](std::string name, std::string value) {
      options_.defines.emplace_back(std::move(name), std::move(value));
    });
  }

  // CLI11 gathers the values option by option; the order among the two is in parse_order().
  void FinishScripts() {
    size_t commands = 0;
    size_t files = 0;
    for (const CLI::Option* option : app_.parse_order()) {
      if (option == command_option_ && commands < raw_.commands.size()) {
        options_.scripts.push_back({.is_file = false, .text = raw_.commands[commands++]});
      } else if (option == file_option_ && files < raw_.files.size()) {
        options_.scripts.push_back({.is_file = true, .text = raw_.files[files++]});
      }
    }
  }

  /// An argument that is no store yet would become one: not if it was meant as something else.
  Status CheckNewStore(const std::string& name) const {
    std::error_code error;
    if (std::filesystem::is_regular_file(name, error)) {
      return Status(ErrorCode::kUsage,
                    fmt::format("a store is a directory, this is a file: {}", name))
          .WithHint(HintForFile(name));
    }
    if (std::filesystem::exists(name, error)) return OkStatus();
    if (LooksLikeSql(name)) {
      return Status(ErrorCode::kUsage, fmt::format("no store has this name, which looks like SQL: "
                                                   "{}",
                                                   name))
          .WithHint(fmt::format("weir -c \"{0}\" runs it (weir -d \"{0}\" makes a store)", name));
    }
    std::vector<std::string> commands = {"help", "version"};
    for (const auto& [subcommand, command] : subcommands_) {
      commands.push_back(subcommand->get_name());
    }
    const std::string near = DidYouMean(name, commands);
    if (near.empty()) return OkStatus();
    return Status(ErrorCode::kUsage, fmt::format("no store and no command has this name: {}", name))
        .WithHint(fmt::format("{} (weir -d {} makes a store)", near, name));
  }

  static std::string HintForFile(const std::string& name) {
    if (name.ends_with(".sql")) return fmt::format("weir run {} runs its statements", name);
    if (name.ends_with(".test")) return fmt::format("weir test {} runs its tests", name);
    return fmt::format(
        "weir load TOPIC {} loads its records into a topic, and CREATE STREAM … "
        "WITH (CONNECTOR='file', PATH='{}') reads them where they are",
        name, name);
  }

  static bool LooksLikeSql(std::string_view text) {
    if (text.find(';') != std::string_view::npos) return true;
    const std::string word = FirstWord(text);
    if (word.empty() || (text.find(' ') == std::string_view::npos && text.size() > word.size())) {
      return false;
    }
    for (const StatementHelp& statement : StatementHelps()) {
      if (statement.name.substr(0, statement.name.find(' ')) == word) return true;
    }
    return false;
  }

  Status CheckStore() const {
    if (!options_.directory.empty() && !options_.brokers.empty()) {
      return Status(ErrorCode::kUsage, "a directory and Kafka brokers exclude each other");
    }
    if (options_.command == ProgramCommand::kReset) {
      if (!options_.brokers.empty() && !options_.application_id.empty()) return OkStatus();
      return Status(ErrorCode::kUsage, "reset needs Kafka brokers and an application id")
          .WithHint(
              "weir reset --application-id ID -b BROKERS; on a local store DROP what a query "
              "makes and create it again");
    }
    if (options_.command == ProgramCommand::kRegistry) {
      RegistryArguments& registry = options_.registry;
      if (registry.directory.empty()) registry.directory = options_.directory;
      if (!options_.brokers.empty() ||
          (!options_.directory.empty() && registry.directory != options_.directory)) {
        return Status(ErrorCode::kUsage,
                      "registry keeps its schemas in one directory, or in memory")
            .WithHint("weir registry --port PORT --store DIRECTORY");
      }
      return OkStatus();
    }
    const bool needs_store =
        options_.command == ProgramCommand::kLoad || options_.command == ProgramCommand::kPrint;
    if (needs_store && options_.directory.empty() && options_.brokers.empty()) {
      return Status(ErrorCode::kUsage, "load and print need a store")
          .WithHint("name a directory with -d DIRECTORY, or Kafka with -b BROKERS");
    }
    return OkStatus();
  }

  ProgramOptions& options_;
  RawOptions raw_;
  RawLoad raw_load_;
  CLI::App app_{"Streaming SQL over Kafka topics, or over topics in a local directory", "weir"};
  CLI::Option* command_option_ = nullptr;
  CLI::Option* file_option_ = nullptr;
  std::vector<std::pair<CLI::App*, ProgramCommand>> subcommands_;
};

/// Runs CLI11 over the words of one command of the prompt.
Status ParseWords(CLI::App& app, const std::vector<std::string>& arguments) {
  try {
    // CLI11 wants them last first.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    return OkStatus();
  } catch (const CLI::ParseError& error) {
    return Status(ErrorCode::kUsage, error.what());
  }
}

}  // namespace

ParsedCommandLine ParseCommandLine(int argc, const char* const* argv, std::ostream& out,
                                   std::ostream& err) {
  ParsedCommandLine parsed;
  CommandLine line(&parsed.options);
  std::vector<const char*> arguments(argv, argv + argc);
  if (argc > 1 && std::string_view(argv[1]) == "version") arguments = {argv[0], "--version"};
  if (argc > 1 && std::string_view(argv[1]) == "help") {
    arguments = {argv[0], "--help"};
    if (argc > 2 && FindSubcommand(line.app(), argv[2]) != nullptr) {
      arguments = {argv[0], argv[2], "--help"};
    } else if (argc > 2) {
      parsed.options.command = ProgramCommand::kHelp;
      for (int i = 2; i < argc; ++i) {
        parsed.options.help_topic += (i > 2 ? " " : "") + std::string(argv[i]);
      }
      return parsed;
    }
  }
  // The one place that sees CLI11's exceptions; help and version are among them.
  try {
    line.app().parse(static_cast<int>(arguments.size()), arguments.data());
  } catch (const CLI::ParseError& error) {
    parsed.exit_code = line.app().exit(error, out, err) == 0 ? 0 : kExitUsage;
    return parsed;
  }
  if (Status status = line.Finish(); !status.ok()) {
    err << status.ToString() << '\n';
    parsed.exit_code = kExitUsage;
  }
  return parsed;
}

Result<LoadOptions> ParseLoadArguments(const std::vector<std::string>& arguments) {
  LoadOptions load;
  RawLoad raw;
  CLI::App app("", "load");
  app.set_help_flag();
  AddLoadOptions(app, &load, &raw);
  WEIR_RETURN_IF_ERROR(ParseWords(app, arguments));
  WEIR_RETURN_IF_ERROR(FinishLoad(raw, &load));
  return load;
}

Result<PrintOptions> ParsePrintArguments(const std::vector<std::string>& arguments) {
  PrintOptions print;
  CLI::App app("", "print");
  app.set_help_flag();
  AddPrintOptions(app, &print);
  WEIR_RETURN_IF_ERROR(ParseWords(app, arguments));
  return print;
}

}  // namespace weir::shell

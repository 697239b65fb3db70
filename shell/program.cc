#include "shell/program.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <set>
#include <utility>

#include "base/status_macros.h"
#include "shell/command_help.h"
#include "shell/commands.h"
#include "shell/logging.h"
#include "shell/metrics_server.h"
#include "shell/prompt/catalog_names.h"
#include "shell/prompt/completion.h"
#include "shell/prompt/line_editor.h"
#include "shell/prompt/repl.h"
#include "shell/registry_server.h"
#include "shell/render/explain.h"
#include "shell/render/progress.h"
#include "shell/render/terminal_stream.h"
#include "shell/reset.h"
#include "shell/statement_runner.h"
#include "shell/test/test_command.h"
#include "weir/version.h"

namespace weir::shell {
namespace {

constexpr int kExitDone = 0;
constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;
// 128 and the number of the signal, as a shell reports a program that the signal ended.
constexpr int kExitInterrupted = 130;
constexpr int kExitTerminated = 143;
constexpr int kExitOutputClosed = 141;
constexpr int kTerminalWidthDefault = 80;
/// How often `run` looks whether its queries still run.
constexpr std::chrono::milliseconds kStayInterval(500);

int TerminalWidth() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
    return kTerminalWidthDefault;
  }
  return size.ws_col;
}

/// 0 where it is not known.
int TerminalLines() {
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_row : 0;
}

int StoppedCode(const Interrupts& interrupts) {
  return interrupts.pending() == StopKind::kTerminate ? kExitTerminated : kExitInterrupted;
}

std::string SqlText(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out.push_back('\'');
    out.push_back(c);
  }
  return out + "'";
}

/// One run of the program with its engine open.
class Program {
 public:
  Program(const ProgramOptions& options, ProgramStreams& streams, Interrupts& interrupts,
          Engine& engine)
      : options_(options),
        streams_(streams),
        interrupts_(interrupts),
        engine_(engine),
        output_(streams.out,
                options.format.value_or(streams.out_is_terminal ? OutputFormat::kTable
                                                                : OutputFormat::kJson),
                [&streams] { return streams.out_is_terminal ? TerminalWidth() : 0; }),
        runner_(engine, output_, streams.err, interrupts,
                {.until_end = options.until_end,
                 .close_windows = options.close_windows,
                 .quiet = options.quiet,
                 .err_is_terminal = streams.err_is_terminal}) {
    output_.set_descriptor(streams.out_descriptor);
    output_.set_terminal_lines(&TerminalLines);
    output_.set_pager_running([this](bool running) { interrupts_.set_held(running); });
    const char* pager = std::getenv("PAGER");
    if (pager != nullptr && streams.in_is_terminal) output_.set_pager(pager);
  }

  int Run() {
    int code = Carry();
    // A query that was reading is stopped, what it has done is committed.
    const Status closed = engine_.Close();
    if (!closed.ok() && code == kExitDone) code = Tell(closed, {});
    if (interrupts_.pending() == StopKind::kInterrupt) return kExitInterrupted;
    return code;
  }

 private:
  int Carry() {
    for (const auto& [name, value] : options_.defines) {
      const std::string sql = fmt::format("DEFINE {} = {}", name, SqlText(value));
      if (Status status = runner_.Run({.text = sql, .position = {}}); !status.ok()) {
        return Tell(status, "--define");
      }
    }
    switch (options_.command) {
      case ProgramCommand::kPrompt: return options_.scripts.empty() ? RunPrompt() : RunScripts();
      case ProgramCommand::kRun: return RunScripts();
      case ProgramCommand::kLoad: return RunLoadCommand();
      case ProgramCommand::kPrint:
        return Tell(runner_.Run({.text = PrintStatement(options_.print), .position = {}}), {});
      case ProgramCommand::kExplain: return RunExplain();
      case ProgramCommand::kHelp:
        return Tell(TellHelp(engine_, options_.help_topic, streams_.out), {});
      case ProgramCommand::kRegistry:
      case ProgramCommand::kReset:
      case ProgramCommand::kTest:
        return kExitUsage;  // Open what they need themselves; never come here.
    }
    return kExitUsage;
  }

  /// Tells an error and gives the exit code. After a stop it tells what was left undone, if
  /// anything was.
  int Tell(const Status& status, std::string_view file) {
    if (status.ok()) return kExitDone;
    if (runner_.output_closed()) return kExitOutputClosed;
    if (interrupts_.pending() != StopKind::kNone) {
      if (runner_.was_following()) return kExitDone;
      if (!file.empty()) TellStopped(file);
      return StoppedCode(interrupts_);
    }
    streams_.err << status.ToString(file) << '\n' << std::flush;
    return status.code() == ErrorCode::kUsage ? kExitUsage : kExitFailed;
  }

  void TellStopped(std::string_view file) {
    const SourcePosition at = runner_.last_position();
    streams_.err << fmt::format("stopped before the end of {}: {} statement{} carried out", file,
                                runner_.statements_done(),
                                runner_.statements_done() == 1 ? " was" : "s were");
    if (at.line > 0)
      streams_.err << fmt::format(", the last one begun is at {}:{}", at.line, at.column);
    streams_.err << '\n' << std::flush;
  }

  int RunLoadCommand() {
    // The process's own standard input is read by descriptor, so that Ctrl-C ends the waiting.
    std::istream* input = streams_.in.rdbuf() == std::cin.rdbuf() ? nullptr : &streams_.in;
    const Status status =
        LoadFile(engine_, options_.load, input, streams_.err, interrupts_,
                 {.quiet = options_.quiet, .err_is_terminal = streams_.err_is_terminal});
    if (status.ok() || interrupts_.pending() == StopKind::kNone) return Tell(status, {});
    // How much was loaded must be known to go on from there.
    streams_.err << status.message() << '\n' << std::flush;
    return StoppedCode(interrupts_);
  }

  int RunScripts() {
    std::vector<ScriptItem> scripts = options_.scripts;
    if (options_.command == ProgramCommand::kRun) {
      for (const std::string& file : options_.files) {
        scripts.push_back({.is_file = true, .text = file});
      }
    }
    for (const ScriptItem& script : scripts) {
      const Status status =
          script.is_file ? runner_.RunFile(script.text) : runner_.RunText(script.text);
      if (status.ok()) continue;
      const std::string_view name = script.is_file ? std::string_view(script.text) : "-c";
      if (&script != &scripts.back() && runner_.was_following()) {
        TellStopped(name);
        return StoppedCode(interrupts_);
      }
      return Tell(status, name);
    }
    if (options_.until_end) return End();
    return options_.command == ProgramCommand::kRun ? Stay() : kExitDone;
  }

  /// Waits until all that there is has been processed, and tells what was left out: with the end of
  /// the program the counts are gone.
  int End() {
    const Status status = runner_.WaitUntilEnd();
    if (!options_.quiet) {
      for (const QueryMetrics& query : engine_.Metrics().queries) {
        for (const auto& [reason, rows] : query.dropped) {
          streams_.err << fmt::format("query {} dropped {}: {}\n", query.query_id, reason, rows);
        }
      }
      streams_.err.flush();
    }
    if (!status.ok() && interrupts_.pending() != StopKind::kNone) {
      streams_.err << "stopped before everything was processed\n" << std::flush;
    }
    return Tell(status, {});
  }

  // Stays while there is a query that can still do something.
  int Stay() {
    std::set<std::string> failed;
    const Progress progress(streams_.err, streams_.err_is_terminal && !options_.quiet,
                            QueryProgressLine(engine_));
    do {
      const EngineMetrics metrics = engine_.Metrics();
      size_t in_error = 0;
      for (const QueryMetrics& query : metrics.queries) {
        if (query.state != "ERROR") continue;
        ++in_error;
        if (failed.insert(query.query_id).second) {
          streams_.err << fmt::format("query {} failed: {}\n", query.query_id, query.error)
                       << std::flush;
        }
      }
      if (in_error == metrics.queries.size()) return in_error == 0 ? kExitDone : kExitFailed;
    } while (!interrupts_.WaitFor(kStayInterval));
    return kExitDone;
  }

  int RunExplain() {
    for (const std::string& file : options_.files) {
      if (Status status = ExplainFile(engine_, file, options_.dot, streams_.out); !status.ok()) {
        return Tell(status, file);
      }
    }
    return kExitDone;
  }

  std::unique_ptr<LineSource> MakeLineSource() {
    if (!streams_.in_is_terminal || !streams_.out_is_terminal) {
      if (streams_.in_descriptor < 0) return std::make_unique<StreamLineSource>(streams_.in);
      return std::make_unique<DescriptorLineSource>(streams_.in_descriptor, interrupts_);
    }
    return std::make_unique<LineEditor>(
        HistoryFile(),
        [this](std::string_view before, std::string_view line, size_t cursor) {
          return Complete(before, line, cursor, NamesOf(engine_));
        },
        interrupts_);
  }

  void Greet() {
    if (options_.quiet) return;
    std::ostream& err = streams_.err;
    err << fmt::format("weir {}: ", Version());
    if (!options_.brokers.empty()) {
      err << fmt::format("Kafka at {}. Queries started here live as long as this session.\n",
                         options_.brokers);
    } else if (!options_.directory.empty()) {
      err << fmt::format("store {}. Queries started here go on when it is opened again.\n",
                         options_.directory);
    } else {
      err << "in memory, gone at the end (weir DIRECTORY keeps it).\n";
    }
    err << "Statements end in a semicolon. help tells more, Ctrl-C stops, Ctrl-D ends.\n"
        << std::flush;
  }

  int RunPrompt() {
    const bool interactive = streams_.in_is_terminal;
    const std::unique_ptr<LineSource> lines = MakeLineSource();
    CommandContext context{.engine = engine_,
                           .runner = runner_,
                           .output = output_,
                           .err = streams_.err,
                           .interrupts = interrupts_,
                           .err_is_terminal = streams_.err_is_terminal};
    if (interactive) Greet();
    Repl repl(context, *lines, {.interactive = interactive});
    if (Status status = repl.Run(); !status.ok()) {
      if (runner_.was_following() && lines->HasMore()) {
        TellStopped("stdin");
        return StoppedCode(interrupts_);
      }
      return Tell(status, "stdin");
    }
    return options_.until_end ? End() : kExitDone;
  }

  const ProgramOptions& options_;
  ProgramStreams& streams_;
  Interrupts& interrupts_;
  Engine& engine_;
  Output output_;
  StatementRunner runner_;
};

}  // namespace

EngineOptions MakeEngineOptions(const ProgramOptions& options) {
  EngineOptions engine;
  engine.directory = options.directory;
  engine.brokers = options.brokers;
  engine.application_id = options.application_id;
  engine.state_dir = options.state_dir;
  engine.threads = options.threads;
  engine.paused = options.paused;
  engine.settings = options.settings;
  engine.kafka = options.kafka;
  engine.log_level = options.log_level;
  // A person who leaves VALUE_FORMAT out means JSON; the library keeps ksqlDB's own default: none.
  engine.settings.emplace("persistence.default.format.value", "JSON");
  return engine;
}

namespace {

/// The server that --metrics-port asks for, or null.
Result<std::unique_ptr<MetricsServer>> ServeMetrics(const ProgramOptions& options,
                                                    const Engine& engine, std::ostream& err) {
  if (!options.metrics_port) return std::unique_ptr<MetricsServer>();
  WEIR_ASSIGN_OR_RETURN(
      std::unique_ptr<MetricsServer> server,
      MetricsServer::Start(engine, options.metrics_address, *options.metrics_port));
  if (!options.quiet) {
    err << fmt::format("metrics are at {}\n", server->url()) << std::flush;
  }
  return server;
}

/// Serves until a signal comes.
int RunRegistry(const ProgramOptions& options, ProgramStreams& streams, Interrupts& interrupts) {
  RegistryServerOptions serving;
  serving.address = options.registry.address;
  serving.port = options.registry.port;
  serving.directory = options.registry.directory;
  const Result<std::unique_ptr<RegistryServer>> server = RegistryServer::Start(serving);
  if (!server.ok()) {
    streams.err << server.status().ToString() << '\n';
    return kExitFailed;
  }
  if (!options.quiet) {
    streams.err << fmt::format("schema registry at {}, {}\n", (*server)->url(),
                               serving.directory.empty() ? "in memory, gone at the end"
                                                         : "store " + serving.directory)
                << std::flush;
  }
  while (!interrupts.WaitFor(std::chrono::hours(1))) {
  }
  return interrupts.pending() == StopKind::kInterrupt ? kExitInterrupted : kExitDone;
}

int RunCommand(const ProgramOptions& options, ProgramStreams& streams, Interrupts& interrupts,
               const EngineOpener& open_engine) {
  if (options.command == ProgramCommand::kTest) {
    const int code = RunTestCommand(options, streams.out, streams.err, interrupts, open_engine);
    return interrupts.pending() == StopKind::kNone ? code : StoppedCode(interrupts);
  }
  if (options.command == ProgramCommand::kRegistry) {
    return RunRegistry(options, streams, interrupts);
  }
  EngineOptions engine_options = MakeEngineOptions(options);
  if (options.command == ProgramCommand::kExplain) PrepareForExplain(&engine_options);
  if (options.command == ProgramCommand::kHelp) engine_options = EngineOptions();
  Result<Logger> logger = MakeLogger(options.log_file);
  if (!logger.ok()) {
    streams.err << logger.status().ToString() << '\n';
    return kExitUsage;
  }
  engine_options.logger = *std::move(logger);
  if (options.command == ProgramCommand::kReset) {
    const Status status = RunReset(options, engine_options, streams, interrupts);
    if (status.ok()) return kExitDone;
    streams.err << status.ToString() << '\n' << std::flush;
    return status.code() == ErrorCode::kUsage ? kExitUsage : kExitFailed;
  }
  Result<std::unique_ptr<Engine>> engine = open_engine(std::move(engine_options));
  if (!engine.ok()) {
    streams.err << engine.status().ToString() << '\n' << std::flush;
    const ErrorCode code = engine.status().code();
    const bool usage = code == ErrorCode::kInvalidOption || code == ErrorCode::kUnknownOption;
    return usage ? kExitUsage : kExitFailed;
  }
  Result<std::unique_ptr<MetricsServer>> metrics = ServeMetrics(options, **engine, streams.err);
  if (!metrics.ok()) {
    streams.err << metrics.status().ToString() << '\n' << std::flush;
    return kExitFailed;
  }
  return Program(options, streams, interrupts, **engine).Run();
}

}  // namespace

int RunProgram(const ProgramOptions& options, ProgramStreams streams, Interrupts& interrupts,
               const EngineOpener& open_engine) {
  // Whoever writes, and whatever of the data it quotes: a terminal gets safe text only.
  std::optional<TerminalStream> out;
  std::optional<TerminalStream> err;
  if (streams.out_is_terminal) out.emplace(streams.out);
  if (streams.err_is_terminal) err.emplace(streams.err);
  if (err) *err << std::unitbuf;
  ProgramStreams safe{.in = streams.in,
                      .out = out ? *out : streams.out,
                      .err = err ? *err : streams.err,
                      .in_is_terminal = streams.in_is_terminal,
                      .out_is_terminal = streams.out_is_terminal,
                      .err_is_terminal = streams.err_is_terminal,
                      .in_descriptor = streams.in_descriptor,
                      .out_descriptor = streams.out_descriptor};
  const int code = RunCommand(options, safe, interrupts, open_engine);
  safe.out.flush();
  if (safe.out.good() || code != kExitDone) return code;
  Output written(safe.out, OutputFormat::kJson, [] { return 0; });
  written.set_descriptor(streams.out_descriptor);
  if (written.reader_gone()) return kExitOutputClosed;
  safe.err << Status(ErrorCode::kIoError, "the results cannot be written").ToString() << '\n';
  return kExitFailed;
}

std::string PrintStatement(const PrintOptions& options) {
  std::string sql = fmt::format("PRINT {}", SqlText(options.topic));
  if (options.from_beginning) sql += " FROM BEGINNING";
  if (options.limit > 0) sql += fmt::format(" LIMIT {}", options.limit);
  return sql;
}

Status LoadFile(Engine& engine, const LoadOptions& options, std::istream* standard_input,
                std::ostream& err, Interrupts& interrupts, LoadMessages messages) {
  const auto start = std::chrono::steady_clock::now();
  const auto tell = [&](int64_t acknowledged) {
    if (messages.quiet) return;
    if (!messages.err_is_terminal) {
      err << fmt::format("acknowledged {}\n", acknowledged) << std::flush;
      return;
    }
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    const double rate = static_cast<double>(acknowledged) / std::max(taken.count(), 1e-3);
    err << WipeLine
        << fmt::format("{} records, {}/s", WithThousands(acknowledged),
                       WithThousands(static_cast<int64_t>(rate)))
        << std::flush;
  };
  const Result<int64_t> loaded =
      Load(engine, options, options.file == "-" ? standard_input : nullptr, interrupts, tell,
           [&](const std::string& text) { err << "warning: " << text << '\n'
                                              << std::flush; });
  if (!messages.quiet && messages.err_is_terminal) err << '\n';
  WEIR_RETURN_IF_ERROR(loaded.status());
  if (!messages.quiet) {
    err << fmt::format("loaded {} records into {}\n", *loaded, options.topic) << std::flush;
  }
  return OkStatus();
}

}  // namespace weir::shell

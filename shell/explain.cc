#include "shell/explain.h"

#include <fmt/format.h>

#include <string_view>

#include "base/status_macros.h"
#include "parser/parser.h"
#include "parser/statement_splitter.h"
#include "shell/plan_dot.h"
#include "shell/statement_text.h"

namespace weir::shell {
namespace {

enum class Handling { kExecute, kExplain, kExplainAndExecute, kSkip };

// A statement that does not parse is executed: the engine then says what is wrong with it.
Handling HandlingOf(std::string_view text) {
  const Result<ast::Statement> statement = ParseStatement(text);
  if (!statement.ok()) return Handling::kExecute;
  if (statement->Is<ast::Select>()) return Handling::kExplain;
  if (statement->Is<ast::Print>()) return Handling::kSkip;
  if (statement->Is<ast::CreateAsSelect>() || statement->Is<ast::InsertInto>() ||
      statement->Is<ast::Pipeline>()) {
    return Handling::kExplainAndExecute;
  }
  return Handling::kExecute;
}

Status HandleStatement(Engine& engine, const StatementText& statement, bool as_dot,
                       std::ostream& out) {
  const Handling handling = HandlingOf(statement.text);
  if (handling == Handling::kExplain || handling == Handling::kExplainAndExecute) {
    WEIR_ASSIGN_OR_RETURN(const std::string plan, engine.Explain(statement.text));
    const std::string_view first_line =
        std::string_view(statement.text).substr(0, statement.text.find('\n'));
    if (as_dot) {
      out << PlanToDot(plan, first_line);
    } else {
      out << fmt::format("-- line {}: {}\n{}\n\n", statement.position.line, first_line, plan);
    }
    out.flush();
  }
  if (handling == Handling::kExecute || handling == Handling::kExplainAndExecute) {
    return engine.Execute(statement.text).status();
  }
  return OkStatus();
}

}  // namespace

void PrepareForExplain(EngineOptions* options) {
  options->directory.clear();
  options->brokers.clear();
  options->settings["test.partitions.override"] = "1";
}

Status ExplainFile(Engine& engine, const std::string& path, bool as_dot, std::ostream& out) {
  WEIR_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path));
  StatementSplitter splitter;
  splitter.Add(text);
  for (;;) {
    std::optional<StatementText> statement = splitter.Next();
    if (!statement) statement = splitter.TakeRest();
    if (!statement) return OkStatus();
    if (Status status = HandleStatement(engine, *statement, as_dot, out); !status.ok()) {
      return Relocate(std::move(status), *statement, text);
    }
  }
}

}  // namespace weir::shell

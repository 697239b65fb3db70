#include "shell/render/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "base/text_file.h"
#include "parser/parser.h"
#include "parser/statement_splitter.h"
#include "parser/variable_substitution.h"
#include "shell/render/plan_dot.h"
#include "shell/statement_text.h"

namespace weir::shell {
namespace {

/// `text` with the variables of the session in the place of their names.
std::string WithVariables(Engine& engine, const std::string& text) {
  if (text.find("${") == std::string::npos) return text;
  std::map<std::string, std::string, std::less<>> values;
  const auto shown = engine.Execute("SHOW VARIABLES");
  if (shown.ok() && !shown->empty() && shown->front().rows != nullptr) {
    const Batch& rows = *shown->front().rows;
    for (int32_t row = 0; row < rows.row_count(); ++row) {
      values[rows.column(0).ToText(row)] = rows.column(1).ToText(row);
    }
  }
  const Result<std::string> replaced =
      SubstituteVariables(text, [&](std::string_view name) -> const std::string* {
        const auto found = values.find(name);
        return found == values.end() ? nullptr : &found->second;
      });
  return replaced.ok() ? *replaced : text;
}

/// The plans of the queries in one file.
class FileExplainer {
 public:
  /// `partitions` of topics that the file does not say more about.
  FileExplainer(Engine& engine, int32_t partitions) : engine_(engine), partitions_(partitions) {}

  std::vector<NamedPlan>& plans() { return plans_; }
  const std::vector<int>& lines() const { return lines_; }

  Status Handle(const StatementText& statement) {
    const Result<ast::Statement> parsed = ParseStatement(WithVariables(engine_, statement.text));
    // A statement that does not parse is executed: the engine then says what is wrong with it.
    if (!parsed.ok()) return engine_.Execute(statement.text).status();
    if (parsed->Is<ast::Print>()) return OkStatus();
    if (parsed->Is<ast::Select>()) return Explain(statement, statement.text);
    if (parsed->Is<ast::CreateAsSelect>() || parsed->Is<ast::InsertInto>()) {
      WEIR_RETURN_IF_ERROR(Explain(statement, statement.text));
    }
    if (parsed->Is<ast::CreateSource>()) {
      WEIR_RETURN_IF_ERROR(MakeTopicOf(parsed->As<ast::CreateSource>()));
    }
    const std::set<std::string> before = QueryIds();
    WEIR_RETURN_IF_ERROR(engine_.Execute(statement.text).status());
    if (!parsed->Is<ast::Pipeline>()) return OkStatus();
    // Its statements read each other's streams: they have plans once all are there.
    for (const std::string& id : QueryIds()) {
      if (!before.contains(id)) WEIR_RETURN_IF_ERROR(Explain(statement, "EXPLAIN " + id));
    }
    return OkStatus();
  }

 private:
  Status Explain(const StatementText& statement, const std::string& sql) {
    WEIR_ASSIGN_OR_RETURN(std::string plan, engine_.Explain(sql));
    std::string title = statement.text.substr(0, statement.text.find('\n'));
    plans_.push_back({std::move(title), std::move(plan)});
    lines_.push_back(statement.position.line);
    return OkStatus();
  }

  std::set<std::string> QueryIds() const {
    std::set<std::string> ids;
    for (const QueryMetrics& query : engine_.Metrics().queries) ids.insert(query.query_id);
    return ids;
  }

  /// The topic that a source is declared over is elsewhere; here an empty one takes its place.
  Status MakeTopicOf(const ast::CreateSource& source) {
    std::string topic;
    for (const ast::Property& property : source.properties) {
      if (property.name == "CONNECTOR" || property.name == "PARTITIONS") return OkStatus();
      if (property.name == "KAFKA_TOPIC") topic = property.value.text;
    }
    return topic.empty() ? OkStatus() : engine_.CreateTopic(topic, partitions_, true);
  }

  Engine& engine_;
  const int32_t partitions_;
  std::vector<NamedPlan> plans_;
  std::vector<int> lines_;
};

/// The first PARTITIONS that a statement declares, else 1: sources that are joined mostly have the
/// same number, whether or not each says so.
int32_t DeclaredPartitions(const std::vector<StatementText>& statements) {
  for (const StatementText& statement : statements) {
    const Result<ast::Statement> parsed = ParseStatement(statement.text);
    if (!parsed.ok() || !parsed->Is<ast::CreateSource>()) continue;
    for (const ast::Property& property : parsed->As<ast::CreateSource>().properties) {
      const int64_t count = property.value.integer;
      if (property.name == "PARTITIONS" && count >= 1 && count <= 1000) {
        return static_cast<int32_t>(count);
      }
    }
  }
  return 1;
}

}  // namespace

void PrepareForExplain(EngineOptions* options) {
  options->directory.clear();
  options->brokers.clear();
}

Status ExplainFile(Engine& engine, const std::string& path, bool as_dot, std::ostream& out) {
  WEIR_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path));
  StatementSplitter splitter;
  splitter.Add(text);
  std::vector<StatementText> statements;
  while (std::optional<StatementText> next = splitter.Next()) statements.push_back(*next);
  if (std::optional<StatementText> rest = splitter.TakeRest()) statements.push_back(*rest);
  FileExplainer explainer(engine, DeclaredPartitions(statements));
  size_t written = 0;
  for (const StatementText& statement : statements) {
    if (Status status = explainer.Handle(statement); !status.ok()) {
      return Relocate(std::move(status), statement, text);
    }
    for (; !as_dot && written < explainer.plans().size(); ++written) {
      const NamedPlan& plan = explainer.plans()[written];
      out << fmt::format("-- line {}: {}\n{}\n\n", explainer.lines()[written], plan.title,
                         plan.text)
          << std::flush;
    }
  }
  if (as_dot) out << PlansToDot(explainer.plans(), path) << std::flush;
  return OkStatus();
}

}  // namespace weir::shell

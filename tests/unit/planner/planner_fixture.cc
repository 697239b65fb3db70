#include "tests/unit/planner/planner_fixture.h"

#include "base/status_macros.h"

namespace weir {
namespace {

Status RunOne(const ast::Statement& statement, Catalog& catalog, const PlannerContext& context) {
  if (statement.Is<ast::CreateSource>()) {
    WEIR_ASSIGN_OR_RETURN(CreateSourcePlan plan, PlanCreateSource(statement, context));
    catalog.PutSource(std::move(plan.source));
  } else if (statement.Is<ast::CreateAsSelect>() || statement.Is<ast::InsertInto>()) {
    WEIR_ASSIGN_OR_RETURN(PersistentQueryPlan plan, PlanPersistentQuery(statement, context));
    if (plan.sink) catalog.PutSource(*plan.sink);
  } else if (statement.Is<ast::InsertValues>()) {
    return PlanInsertValues(statement, context).status();
  } else if (statement.Is<ast::AlterSource>()) {
    WEIR_ASSIGN_OR_RETURN(SourceEntry changed, PlanAlterSource(statement, context));
    catalog.PutSource(std::move(changed));
  } else if (statement.Is<ast::CreateType>()) {
    const auto& create = statement.As<ast::CreateType>();
    WEIR_ASSIGN_OR_RETURN(DataType type, ResolveType(create.type, catalog));
    catalog.PutType(create.name.name, std::move(type));
  } else if (statement.Is<ast::Select>()) {
    const bool pull = statement.As<ast::Select>().query->emit == ast::EmitMode::kNone;
    if (pull) return PlanPullQuery(statement, context).status();
    return PlanPushQuery(statement, context).status();
  }
  return OkStatus();
}

}  // namespace

Status PlanningSession::Run(std::string_view sql) {
  WEIR_ASSIGN_OR_RETURN(std::vector<ast::Statement> statements, ParseStatements(sql));
  for (const ast::Statement& statement : statements) {
    WEIR_RETURN_IF_ERROR(RunOne(statement, catalog, context));
  }
  return OkStatus();
}

void PlanningSession::MustRun(std::string_view sql) {
  const Status status = Run(sql);
  ASSERT_TRUE(status.ok()) << status.ToString() << "\n" << sql;
}

std::string PlanningSession::Explain(std::string_view sql, std::string_view stage) {
  Result<ast::Statement> statement = ParseStatement(sql);
  Result<std::string> text = statement.ok() ? ExplainStatement(*statement, context, stage)
                                            : Result<std::string>(statement.status());
  if (text.ok()) return *text;
  const Status status = text.status();
  return "error " + std::to_string(static_cast<int>(status.code())) + ": " + status.message() +
         "\n";
}

}  // namespace weir

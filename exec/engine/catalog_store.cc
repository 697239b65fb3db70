#include "exec/engine/catalog_store.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <set>

#include <fmt/format.h>

#include "base/status_macros.h"
#include "parser/parser.h"

namespace weir {
namespace {

// 2: as written, and the columns that queries know, behind the SQL.
// 3: the plans that queries run by, and what their state lies under, behind these.
constexpr unsigned char kFormatVersion = 3;
constexpr std::string_view kPrefix = "catalog/";

void AppendText(std::string_view text, std::string& out) {
  out += fmt::format("{}:", text.size());
  out.append(text);
}

// Reads "<length>:<bytes>" and moves `in` past it.
bool ReadText(std::string_view& in, std::string& text) {
  size_t length = 0;
  const auto [end, error] = std::from_chars(in.data(), in.data() + in.size(), length);
  const size_t digits = static_cast<size_t>(end - in.data());
  if (error != std::errc() || digits >= in.size() || *end != ':') return false;
  if (in.size() - digits - 1 < length) return false;
  text.assign(in.substr(digits + 1, length));
  in.remove_prefix(digits + 1 + length);
  return true;
}

void AppendCount(size_t count, std::string& out) { AppendText(fmt::format("{}", count), out); }

bool ReadCount(std::string_view& in, size_t& count) {
  std::string text;
  if (!ReadText(in, text)) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  return error == std::errc() && end == text.data() + text.size();
}

void AppendColumns(const KnownColumns& known, std::string& out) {
  AppendCount(known.size(), out);
  for (const auto& [source, columns] : known) {
    AppendText(source, out);
    AppendCount(columns.size(), out);
    for (const std::string& column : columns) AppendText(column, out);
  }
}

bool ReadColumns(std::string_view& in, KnownColumns& known) {
  size_t sources = 0;
  if (!ReadCount(in, sources)) return false;
  for (; sources > 0; --sources) {
    std::string source;
    size_t count = 0;
    if (!ReadText(in, source) || !ReadCount(in, count)) return false;
    std::vector<std::string>& columns = known[source];
    for (; count > 0; --count) {
      if (!ReadText(in, columns.emplace_back())) return false;
    }
  }
  return true;
}

void AppendPlans(const KeptPlans& plans, std::string& out) {
  AppendCount(plans.size(), out);
  for (const auto& [query, plan] : plans) {
    AppendText(query, out);
    AppendText(plan, out);
  }
}

bool ReadPlans(std::string_view& in, KeptPlans& plans) {
  size_t count = 0;
  if (!ReadCount(in, count)) return false;
  for (; count > 0; --count) {
    std::string query;
    if (!ReadText(in, query) || !ReadText(in, plans[query])) return false;
  }
  return true;
}

Status Decode(std::string_view bytes, StoredStatement& statement) {
  const Status corrupt(ErrorCode::kStoreCorrupt, "an entry of the catalog does not decode");
  if (bytes.size() < 2) return corrupt;
  const auto version = static_cast<unsigned char>(bytes[0]);
  if (version > kFormatVersion) {
    return Status(ErrorCode::kStoreVersion,
                  fmt::format("the catalog was written by a newer Weir: its format is {}, this one "
                              "knows {}",
                              int{version}, int{kFormatVersion}));
  }
  statement.paused = bytes[1] == 'P';
  bytes.remove_prefix(2);
  if (!ReadText(bytes, statement.kind) || !ReadText(bytes, statement.name) ||
      !ReadText(bytes, statement.sql)) {
    return corrupt;
  }
  if (version >= 2 &&
      (!ReadText(bytes, statement.written) || !ReadColumns(bytes, statement.known_columns))) {
    return corrupt;
  }
  if (version >= 3 &&
      (!ReadPlans(bytes, statement.plans) || !ReadText(bytes, statement.state_id))) {
    return corrupt;
  }
  while (!bytes.empty()) {
    std::string name;
    std::string value;
    if (!ReadText(bytes, name) || !ReadText(bytes, value)) return corrupt;
    statement.settings[name] = value;
  }
  return OkStatus();
}

}  // namespace

// Of a query without its text: ids have prefixes.
std::vector<std::string> SourcesMadeBy(const StoredStatement& statement) {
  if (statement.kind == "source") return {statement.name};
  if (statement.kind == "query") {
    const bool makes = statement.name.starts_with("CSAS_") || statement.name.starts_with("CTAS_");
    return makes ? std::vector{statement.name.substr(5)} : std::vector<std::string>();
  }
  std::vector<std::string> names;
  if (statement.kind != "pipeline") return names;
  const Result<ast::Statement> parsed = ParseStatement(statement.sql);
  if (!parsed.ok() || !parsed->Is<ast::Pipeline>()) return names;
  for (const ast::Statement& inner : parsed->As<ast::Pipeline>().statements) {
    if (!inner.Is<ast::CreateAsSelect>()) continue;
    names.push_back(inner.As<ast::CreateAsSelect>().name.name);
  }
  return names;
}

std::vector<const StoredStatement*> InOrderOfUse(const std::vector<StoredStatement>& statements) {
  std::set<std::string> waiting;
  std::vector<const StoredStatement*> left;
  for (const StoredStatement& statement : statements) {
    left.push_back(&statement);
    for (std::string& name : SourcesMadeBy(statement)) waiting.insert(std::move(name));
  }
  std::vector<const StoredStatement*> ordered;
  for (size_t before = left.size() + 1; !left.empty() && left.size() < before;) {
    before = left.size();
    std::vector<const StoredStatement*> later;
    for (const StoredStatement* statement : left) {
      const std::vector<std::string> made = SourcesMadeBy(*statement);
      const bool reads_later = std::ranges::any_of(statement->known_columns, [&](const auto& read) {
        return waiting.contains(read.first) && std::ranges::find(made, read.first) == made.end();
      });
      if (reads_later) {
        later.push_back(statement);
        continue;
      }
      ordered.push_back(statement);
      for (const std::string& name : made) waiting.erase(name);
    }
    left = std::move(later);
  }
  ordered.insert(ordered.end(), left.begin(), left.end());
  return ordered;
}

std::string StatementKey(int64_t number) { return fmt::format("{}{:012}", kPrefix, number); }

std::string EncodeStatement(const StoredStatement& statement) {
  std::string out;
  out.push_back(static_cast<char>(kFormatVersion));
  out.push_back(statement.paused ? 'P' : 'R');
  AppendText(statement.kind, out);
  AppendText(statement.name, out);
  AppendText(statement.sql, out);
  AppendText(statement.written, out);
  AppendColumns(statement.known_columns, out);
  AppendPlans(statement.plans, out);
  AppendText(statement.state_id, out);
  for (const auto& [name, value] : statement.settings) {
    AppendText(name, out);
    AppendText(value, out);
  }
  return out;
}

std::string EncodePlans(const KeptPlans& plans) {
  std::string out;
  AppendPlans(plans, out);
  return out;
}

bool DecodePlans(std::string_view bytes, KeptPlans& plans) {
  return ReadPlans(bytes, plans) && bytes.empty();
}

Result<std::vector<StoredStatement>> LoadStatements(const StateReader& state) {
  std::vector<StoredStatement> statements;
  Status status;
  WEIR_RETURN_IF_ERROR(
      state.Scan(kPrefix, "catalog0", [&](std::string_view key, std::string_view value) {
        StoredStatement statement;
        const std::string_view digits = key.substr(kPrefix.size());
        std::from_chars(digits.data(), digits.data() + digits.size(), statement.number);
        status = Decode(value, statement);
        if (status.ok()) statements.push_back(std::move(statement));
        return status.ok();
      }));
  WEIR_RETURN_IF_ERROR(std::move(status));
  return statements;
}

}  // namespace weir

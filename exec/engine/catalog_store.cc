#include "exec/engine/catalog_store.h"

#include <charconv>
#include <cstdint>

#include <fmt/format.h>

#include "base/status_macros.h"

namespace weir {
namespace {

constexpr unsigned char kFormatVersion = 1;
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

Status Decode(std::string_view bytes, StoredStatement& statement) {
  const Status corrupt(ErrorCode::kStoreCorrupt, "an entry of the catalog does not decode");
  if (bytes.size() < 2) return corrupt;
  if (const auto version = static_cast<unsigned char>(bytes[0]); version > kFormatVersion) {
    return Status(ErrorCode::kStoreVersion,
                  fmt::format("the catalog was written by a newer Weir: its format is {}, this one "
                              "knows {}", int{version}, int{kFormatVersion}));
  }
  statement.paused = bytes[1] == 'P';
  bytes.remove_prefix(2);
  if (!ReadText(bytes, statement.kind) || !ReadText(bytes, statement.name) ||
      !ReadText(bytes, statement.sql)) {
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

std::string StatementKey(int64_t number) { return fmt::format("{}{:012}", kPrefix, number); }

std::string EncodeStatement(const StoredStatement& statement) {
  std::string out;
  out.push_back(static_cast<char>(kFormatVersion));
  out.push_back(statement.paused ? 'P' : 'R');
  AppendText(statement.kind, out);
  AppendText(statement.name, out);
  AppendText(statement.sql, out);
  for (const auto& [name, value] : statement.settings) {
    AppendText(name, out);
    AppendText(value, out);
  }
  return out;
}

Result<std::vector<StoredStatement>> LoadStatements(const StateBackend& state) {
  std::vector<StoredStatement> statements;
  Status status;
  WEIR_RETURN_IF_ERROR(state.Scan(kPrefix, "catalog0", [&](std::string_view key,
                                                           std::string_view value) {
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

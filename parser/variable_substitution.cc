#include "parser/variable_substitution.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/limits.h"
#include "parser/diagnostic.h"
#include "parser/source_text.h"

namespace weir {
namespace {

/// End of the comment that begins at `at`, or `at` when none does there.
size_t SkipComment(std::string_view text, size_t at) {
  const std::string_view mark = text.substr(at, 2);
  if (mark == "--") return std::min(text.find('\n', at), text.size());
  if (mark != "/*") return at;
  const size_t end = text.find("*/", at + 2);
  return end == std::string_view::npos ? text.size() : end + 2;
}

bool IsNamePart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '@' || (c & 0x80) != 0;
}

/// The name in `${name}` at `at`, or nothing.
std::optional<std::string_view> VariableAt(std::string_view text, size_t at) {
  if (text.substr(at, 2) != "${") return std::nullopt;
  size_t end = at + 2;
  while (end < text.size() && IsNamePart(text[end])) ++end;
  if (end == at + 2 || end == text.size() || text[end] != '}') return std::nullopt;
  return text.substr(at + 2, end - at - 2);
}

Status UnknownVariable(std::string_view text, size_t at, std::string_view name,
                       const std::vector<std::string>& known_names) {
  const std::string_view before = text.substr(0, at);
  const size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0.
  const SourcePosition position = {
      .line = 1 + static_cast<int>(std::count(before.begin(), before.end(), '\n')),
      .column = 1 + CodePointCount(before.substr(line_begin)),
      .length = CodePointCount(name) + 3};
  const std::vector<std::string_view> names(known_names.begin(), known_names.end());
  const std::optional<std::string_view> near = NearestWord(FoldName(name), names);
  std::string hint =
      near ? fmt::format("did you mean ${{{}}}?", *near)
           : fmt::format("DEFINE {} = '…' first; $${{{}}} is the text itself", name, name);
  return Status(ErrorCode::kUnknownVariable, fmt::format("unknown variable: {}", name))
      .At(position)
      .WithSourceLine(SourceLineAt(text, position.line))
      .WithHint(std::move(hint));
}

}  // namespace

Result<std::string> SubstituteVariables(std::string_view text, const VariableLookup& lookup,
                                        const std::vector<std::string>& known_names) {
  std::string out;
  out.reserve(text.size());
  char quote = '\0';
  size_t at = 0;
  while (at < text.size()) {
    if (quote == '\0') {
      if (const size_t end = SkipComment(text, at); end != at) {
        out.append(text.substr(at, end - at));
        at = end;
        continue;
      }
    }
    const char c = text[at];
    if (c == '$' && text.substr(at, 3) == "$${" && VariableAt(text, at + 1)) {
      const size_t length = VariableAt(text, at + 1)->size() + 3;
      out.append(text.substr(at + 1, length));
      at += length + 1;
      continue;
    }
    if (const auto name = VariableAt(text, at)) {
      const std::string* value = lookup(FoldName(*name));
      if (value == nullptr) return UnknownVariable(text, at, *name, known_names);
      // A value may hold quotes: the text around it decides whether this stands inside a string.
      if (out.size() + value->size() > limits::kStatementBytesMax * 16) {
        return Status(ErrorCode::kStatementTooLong, "the text grows too long by its variables");
      }
      out.append(*value);
      at += name->size() + 3;
      continue;
    }
    if (quote == '\0' && (c == '\'' || c == '"' || c == '`')) {
      quote = c;
    } else if (c == quote) {
      quote = '\0';
    }
    out += c;
    ++at;
  }
  return out;
}

}  // namespace weir

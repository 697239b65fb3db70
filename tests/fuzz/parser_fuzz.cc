// Any bytes as SQL: an error or statements, never a crash; what parses prints and parses again.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parser/parser.h"
#include "parser/statement_splitter.h"
#include "parser/variable_substitution.h"
#include "tests/fuzz/fuzz_driver.h"

namespace weir {
namespace {

[[noreturn]] void Broken(const char* what, std::string_view input, const std::string& detail) {
  std::fprintf(stderr, "%s\ninput: %.*s\n%s\n", what, static_cast<int>(input.size()), input.data(),
               detail.c_str());
  std::abort();
}

void CheckPrinted(std::string_view input, const ast::Statement& statement) {
  const std::string printed = ast::FormatStatement(statement);
  Result<ast::Statement> again = ParseStatement(printed);
  if (!again.ok()) {
    // Brackets that printing adds may pass the limit of nesting.
    if (again.status().code() == ErrorCode::kNestingTooDeep) return;
    Broken("what was printed does not parse", input, printed + "\n" + again.status().ToString());
  }
  const std::string second = ast::FormatStatement(*again);
  if (second != printed) Broken("printing is not stable", input, printed + "\n" + second);
}

void CheckStatement(std::string_view input) {
  Result<std::vector<ast::Statement>> parsed = ParseStatements(input);
  if (!parsed.ok()) {
    const Status& status = parsed.status();
    const bool placed = status.position() && status.position()->line > 0;
    const int code = static_cast<int>(status.code());
    if (code < 2001 || code > 2999 || !placed || status.message().empty()) {
      Broken("an error without place or of a foreign code", input, status.ToString());
    }
    return;
  }
  for (const ast::Statement& statement : *parsed) CheckPrinted(input, statement);
}

void CheckAll(std::string_view input) {
  CheckStatement(input);
  StatementSplitter splitter;  // Byte by byte gives what the whole gave.
  StatementSplitter whole;
  whole.Add(input);
  for (char c : input) splitter.Add({&c, 1});
  while (true) {
    const std::optional<StatementText> a = splitter.Next();
    const std::optional<StatementText> b = whole.Next();
    if (a.has_value() != b.has_value()) Broken("splitting depends on pieces", input, "");
    if (!a) break;
    if (a->text != b->text || a->position != b->position) {
      Broken("splitting depends on pieces", input, a->text + "\n---\n" + b->text);
    }
  }
  static const std::string kValue = "x'y";
  (void)SubstituteVariables(input,
                            [](std::string_view name) { return name == "V" ? &kValue : nullptr; });
}

}  // namespace

namespace fuzz {

std::vector<std::string> Pieces() {
  static constexpr std::string_view kSymbols = "()[]<>,;.'\"`-+*/%=|:$ \n";
  std::vector<std::string> pieces;  // As many symbols as words.
  for (const Keyword& keyword : Keywords()) {
    pieces.push_back(" " + std::string(keyword.word) + " ");
    pieces.emplace_back(1, kSymbols[pieces.size() / 2 % kSymbols.size()]);
  }
  return pieces;
}

std::vector<std::string> InputsOf(std::string_view file) {
  std::vector<std::string> statements;
  StatementSplitter splitter;
  splitter.Add(file);
  while (auto statement = splitter.Next()) statements.push_back(statement->text + ";");
  return statements;
}

}  // namespace fuzz
}  // namespace weir

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  weir::CheckAll({reinterpret_cast<const char*>(data), size});
  return 0;
}

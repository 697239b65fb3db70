// Any bytes as SQL: an error or statements, never a crash; what parses prints and parses again.
//
// Built twice: with WEIR_FUZZ as a libFuzzer target, and otherwise with a driver of our own that
// mutates the corpus a fixed number of times from a fixed seed, so that the checks are repeatable.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parser/parser.h"
#include "parser/statement_splitter.h"
#include "parser/variable_substitution.h"

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
}  // namespace weir

#ifdef WEIR_LIBFUZZER
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  weir::CheckAll({reinterpret_cast<const char*>(data), size});
  return 0;
}
#else

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

namespace {

using Random = std::mt19937_64;

size_t Below(Random& random, size_t bound) { return bound == 0 ? 0 : random() % bound; }

/// One change: bytes, words of the language, or a piece of another text.
void Mutate(std::string& text, const std::vector<std::string>& corpus, Random& random) {
  const std::span<const weir::Keyword> words = weir::Keywords();
  const size_t at = Below(random, text.size() + 1);
  const size_t length = std::min(text.size() - at, 1 + Below(random, 24));
  switch (random() % 7) {
    case 0:
      text.insert(at, 1, static_cast<char>(random()));
      break;
    case 1:
      text.erase(at, length);
      break;
    case 2:
      if (at < text.size()) text[at] = static_cast<char>(random());
      break;
    case 3:
      text.insert(at, " " + std::string(words[Below(random, words.size())].word) + " ");
      break;
    case 4: {
      static constexpr std::string_view kSymbols = "()[]<>,;.'\"`-+*/%=|:$ \n";
      text.insert(at, 1, kSymbols[Below(random, kSymbols.size())]);
      break;
    }
    case 5:
      text.insert(at, std::string(text, Below(random, text.size() + 1), length));
      break;
    default: {
      const std::string& other = corpus[Below(random, corpus.size())];
      const size_t from = Below(random, other.size() + 1);
      text.replace(at, length, other, from, 1 + Below(random, 60));
      break;
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const uint64_t executions = std::strtoull(argv[2], nullptr, 10);
  std::vector<std::filesystem::path> files(std::filesystem::directory_iterator(argv[1]), {});
  std::sort(files.begin(), files.end());
  std::vector<std::string> corpus;
  for (const std::filesystem::path& file : files) {
    std::ifstream in(file);
    std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    weir::CheckAll(text);
    weir::StatementSplitter splitter;
    splitter.Add(text);
    while (auto statement = splitter.Next()) corpus.push_back(statement->text + ";");
  }
  constexpr uint64_t kSeed = 20240611;
  Random random(kSeed);
  for (uint64_t i = 0; i < executions; ++i) {
    std::string text = corpus[Below(random, corpus.size())];
    const size_t changes = 1 + Below(random, 6);
    for (size_t change = 0; change < changes; ++change) Mutate(text, corpus, random);
    weir::CheckAll(text);
  }
  std::printf("parser_fuzz: %zu statements in the corpus, %llu executions, seed %llu\n",
              corpus.size(), static_cast<unsigned long long>(executions),
              static_cast<unsigned long long>(kSeed));
  return 0;
}
#endif

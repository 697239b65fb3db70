// Functions with regular expressions. RE2's syntax is Java's without look-around and back
// references; a pattern that needs them is refused with a message.

#include <optional>

#include <re2/re2.h>

#include "base/interrupt.h"
#include "exec/functions/builtin_functions.h"
#include "exec/functions/scalar/kernel_rows_inl.h"
#include "exec/functions/scalar/unicode_text.h"

namespace weir {
namespace {

constexpr std::string_view kCategory = "String";

re2::StringPiece Piece(std::string_view text) { return {text.data(), text.size()}; }
std::string_view View(const re2::StringPiece& piece) { return {piece.data(), piece.size()}; }

std::shared_ptr<const RE2> Compile(std::string_view pattern) {
  RE2::Options options;
  options.set_log_errors(false);
  return std::make_shared<const RE2>(Piece(pattern), options);
}

/// Compiles the pattern once if it is constant.
template <size_t kPatternArgument>
Result<std::shared_ptr<const void>> PreparePattern(std::span<const Value* const> constants,
                                                   std::span<const DataType>) {
  const Value* pattern = constants[kPatternArgument];
  if (pattern == nullptr || !std::holds_alternative<std::string>(pattern->data)) {
    return std::shared_ptr<const void>();
  }
  std::shared_ptr<const RE2> compiled = Compile(pattern->as<std::string>());
  if (!compiled->ok()) {
    return Status(ErrorCode::kExpressionError,
                  "the regular expression cannot be used: " + compiled->error())
        .WithHint("patterns have no look-around and no back references");
  }
  return std::shared_ptr<const void>(std::move(compiled));
}

/// The pattern of each row: the prepared one, or compiled when it changes.
class Patterns {
 public:
  Patterns(const KernelCall& call, size_t argument)
      : call_(call),
        column_(*call.args[argument]),
        prepared_(static_cast<const RE2*>(call.state)) {}
  /// Null (with an error for the row) if the pattern cannot be compiled.
  const RE2* At(int32_t row) {
    if (prepared_ != nullptr) return prepared_;
    const std::string_view pattern = column_.GetString(row);
    if (last_ == nullptr || pattern != text_) {
      text_ = pattern;
      last_ = Compile(pattern);
    }
    if (last_->ok()) return last_.get();
    call_.Error(row, "the regular expression cannot be used: " + last_->error());
    return nullptr;
  }

 private:
  const KernelCall& call_;
  const Column& column_;
  const RE2* prepared_;
  std::shared_ptr<const RE2> last_;
  std::string text_;
};

/// Calls visit(groups) for each match from left to right until it returns false.
template <typename Visit>
void ForMatches(const RE2& pattern, std::string_view text, Visit&& visit) {
  std::vector<re2::StringPiece> groups(static_cast<size_t>(pattern.NumberOfCapturingGroups()) + 1);
  size_t at = 0;
  while (at <= text.size() && pattern.Match(Piece(text), at, text.size(), RE2::UNANCHORED,
                                            groups.data(), static_cast<int>(groups.size()))) {
    CheckInterrupt();
    if (!visit(groups)) return;
    const size_t end = static_cast<size_t>(groups[0].data() - text.data()) + groups[0].size();
    // Behind an empty match go on one character later, or the same would be found again.
    if (groups[0].empty()) {
      at = end < text.size() ? end + FirstCharacter(text.substr(end)).size() : end + 1;
    } else {
      at = end;
    }
  }
}

/// The group asked for, or nothing where the pattern has no such group.
std::optional<size_t> GroupAt(const KernelCall& call, const RE2& pattern, int32_t row) {
  if (call.args.size() < 3) return 0;
  const int32_t group = GetInt(*call.args[2], row);
  if (group < 0 || group > pattern.NumberOfCapturingGroups()) return std::nullopt;
  return static_cast<size_t>(group);
}

void AppendGroup(const re2::StringPiece& group, ColumnBuilder& out) {
  if (group.data() == nullptr) {
    out.AppendNull();
  } else {
    out.AppendBytes(View(group));
  }
}

void ExtractKernel(const KernelCall& call, ColumnBuilder& out) {
  Patterns patterns(call, 0);
  ForActiveRows(call, out, [&](int32_t row) {
    const RE2* pattern = patterns.At(row);
    const auto group = pattern != nullptr ? GroupAt(call, *pattern, row) : std::nullopt;
    bool found = false;
    if (group) {
      ForMatches(*pattern, call.args[1]->GetString(row), [&](const auto& groups) {
        AppendGroup(groups[*group], out);
        found = true;
        return false;
      });
    }
    if (!found) out.AppendNull();
  });
}

void ExtractAllKernel(const KernelCall& call, ColumnBuilder& out) {
  Patterns patterns(call, 0);
  ForActiveRows(call, out, [&](int32_t row) {
    const RE2* pattern = patterns.At(row);
    const auto group = pattern != nullptr ? GroupAt(call, *pattern, row) : std::nullopt;
    if (!group) return out.AppendNull();
    ForMatches(*pattern, call.args[1]->GetString(row), [&](const auto& groups) {
      AppendGroup(groups[*group], out.child(0));
      return true;
    });
    out.AppendNested();
  });
}

/// Appends a replacement as Java writes it: $1, ${name}, and \ before a character to take as it is.
/// False if it names a group that is not there.
bool AppendReplacement(std::string_view replacement, const RE2& pattern,
                       const std::vector<re2::StringPiece>& groups, std::string& out) {
  for (size_t i = 0; i < replacement.size(); ++i) {
    const char c = replacement[i];
    if (c == '\\' && i + 1 < replacement.size()) {
      out.push_back(replacement[++i]);
    } else if (c != '$') {
      out.push_back(c);
    } else if (i + 1 < replacement.size() && replacement[i + 1] == '{') {
      const size_t end = replacement.find('}', i);
      if (end == std::string_view::npos) return false;
      const auto& names = pattern.NamedCapturingGroups();
      const auto named = names.find(std::string(replacement.substr(i + 2, end - i - 2)));
      if (named == names.end()) return false;
      out.append(View(groups[static_cast<size_t>(named->second)]));
      i = end;
    } else {
      size_t digits = i + 1;
      size_t group = 0;
      // As many digits as still name a group.
      while (digits < replacement.size() && replacement[digits] >= '0' &&
             replacement[digits] <= '9') {
        const size_t longer = group * 10 + static_cast<size_t>(replacement[digits] - '0');
        if (digits > i + 1 && longer >= groups.size()) break;
        group = longer;
        ++digits;
      }
      if (digits == i + 1 || group >= groups.size()) return false;
      out.append(View(groups[group]));
      i = digits - 1;
    }
  }
  return true;
}

void ReplaceKernel(const KernelCall& call, ColumnBuilder& out) {
  Patterns patterns(call, 1);
  std::string scratch;
  ForActiveRows(call, out, [&](int32_t row) {
    const RE2* pattern = patterns.At(row);
    if (pattern == nullptr) return out.AppendNull();
    const std::string_view text = call.args[0]->GetString(row);
    scratch.clear();
    size_t copied = 0;
    bool valid = true;
    ForMatches(*pattern, text, [&](const auto& groups) {
      const auto begin = static_cast<size_t>(groups[0].data() - text.data());
      scratch.append(text.substr(copied, begin - copied));
      valid = AppendReplacement(call.args[2]->GetString(row), *pattern, groups, scratch);
      copied = begin + groups[0].size();
      return valid && scratch.size() <= limits::kMadeValueBytesMax;
    });
    if (!valid) {
      call.Error(row, "the replacement names a group that the regular expression lacks");
      return out.AppendNull();
    }
    if (IsTooLong(call, row, scratch.append(text.substr(copied)).size())) return out.AppendNull();
    out.AppendBytes(scratch);
  });
}

/// A pattern that matches the empty text splits between characters and leaves no empty parts at the
/// ends; others keep every part, as ksqlDB does.
void SplitKernel(const KernelCall& call, ColumnBuilder& out) {
  Patterns patterns(call, 1);
  std::vector<std::string_view> parts;
  ForActiveRows(call, out, [&](int32_t row) {
    const RE2* pattern = patterns.At(row);
    if (pattern == nullptr) return out.AppendNull();
    const std::string_view text = call.args[0]->GetString(row);
    const bool matches_empty = RE2::FullMatch("", *pattern);
    parts.clear();
    size_t begin = 0;
    ForMatches(*pattern, text, [&](const auto& groups) {
      const auto at = static_cast<size_t>(groups[0].data() - text.data());
      const size_t end = at + groups[0].size();
      if (end > 0 || !matches_empty) {
        parts.push_back(text.substr(begin, at - begin));
        begin = end;
      }
      return true;
    });
    parts.push_back(text.substr(begin));
    if (matches_empty) {
      while (parts.size() > 1 && parts.back().empty()) parts.pop_back();
    }
    for (const std::string_view part : parts) out.child(0).AppendBytes(part);
    out.AppendNested();
  });
}

template <size_t kPatternArgument>
constexpr FunctionRow RegexpRow(std::string_view name, std::string_view signature, Kernel kernel,
                                std::string_view text, std::string_view example) {
  return {.name = name,
          .signature = signature,
          .kernel = kernel,
          .prepare = &PreparePattern<kPatternArgument>,
          .category = kCategory,
          .text = text,
          .example = example};
}

constexpr std::string_view kExtractText =
    "Gives the first match of a regular expression (given first), or one of its groups.";
constexpr std::string_view kExtractAllText =
    "Gives all matches of a regular expression (given first), or one group of each.";

constexpr FunctionRow kRegexpFunctions[] = {
    RegexpRow<0>("REGEXP_EXTRACT", "(STRING, STRING) -> STRING", &ExtractKernel, kExtractText,
                 "REGEXP_EXTRACT('.*r', 'stream') = 'str'"),
    RegexpRow<0>("REGEXP_EXTRACT", "(STRING, STRING, INT) -> STRING", &ExtractKernel, kExtractText,
                 "REGEXP_EXTRACT('(.*) (.*)', 'ab cd', 2) = 'cd'"),
    RegexpRow<0>("REGEXP_EXTRACT_ALL", "(STRING, STRING) -> ARRAY<STRING>", &ExtractAllKernel,
                 kExtractAllText, "REGEXP_EXTRACT_ALL('a.', 'abac') = ARRAY['ab', 'ac']"),
    RegexpRow<0>("REGEXP_EXTRACT_ALL", "(STRING, STRING, INT) -> ARRAY<STRING>", &ExtractAllKernel,
                 kExtractAllText, "REGEXP_EXTRACT_ALL('a(.)', 'abac', 1) = ARRAY['b', 'c']"),
    RegexpRow<1>("REGEXP_REPLACE", "(STRING, STRING, STRING) -> STRING", &ReplaceKernel,
                 "Replaces each match of a regular expression; $1 stands for a group.",
                 "REGEXP_REPLACE('abc', '[ab]', 'x') = 'xxc'"),
    RegexpRow<1>("REGEXP_SPLIT_TO_ARRAY", "(STRING, STRING) -> ARRAY<STRING>", &SplitKernel,
                 "Splits a text at each match of a regular expression.",
                 "REGEXP_SPLIT_TO_ARRAY('a1b2c', '[0-9]') = ARRAY['a', 'b', 'c']"),
};

}  // namespace

std::span<const FunctionRow> RegexpFunctions() { return kRegexpFunctions; }

}  // namespace weir

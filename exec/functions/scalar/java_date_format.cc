// Patterns: which elements their letters mean. What is done with them: java_date_format_write.cc,
// java_date_format_read.cc, and for patterns of fixed width java_date_format_shape.cc.

#include "exec/functions/scalar/java_date_format.h"

#include <fmt/format.h>

#include "base/status_macros.h"

namespace weir {

Result<JavaDateFormat> JavaDateFormat::Make(std::string_view pattern) {
  JavaDateFormat format;
  const auto literal = [&](std::string_view text) {
    Element element{.kind = Kind::kLiteral};
    element.literal = std::string(text);
    format.elements_.push_back(std::move(element));
  };
  std::vector<size_t> open;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
      size_t end = i;
      while (end < pattern.size() && pattern[end] == c) ++end;
      WEIR_RETURN_IF_ERROR(format.AddLetters(c, static_cast<int>(end - i)));
      i = end - 1;
    } else if (c == '\'') {
      std::string quoted;
      size_t end = i + 1;
      for (; end < pattern.size(); ++end) {
        if (pattern[end] != '\'') {
          quoted.push_back(pattern[end]);
        } else if (end + 1 < pattern.size() && pattern[end + 1] == '\'') {
          quoted.push_back('\'');
          ++end;
        } else {
          break;
        }
      }
      if (end >= pattern.size()) {
        return Status(ErrorCode::kExpressionError,
                      fmt::format("a quote in the date pattern does not end: {}", pattern));
      }
      literal(quoted.empty() ? "'" : quoted);
      i = end;
    } else if (c == '[') {
      open.push_back(format.elements_.size());
      format.elements_.push_back({.kind = Kind::kOptionalStart});
    } else if (c == ']' && !open.empty()) {
      format.elements_[open.back()].jump = format.elements_.size();
      open.pop_back();
      format.elements_.push_back({.kind = Kind::kOptionalEnd});
    } else if (c == ']' || c == '{' || c == '}' || c == '#') {
      return Status(ErrorCode::kExpressionError,
                    fmt::format("the date pattern has a reserved character: {}", pattern));
    } else {
      literal(pattern.substr(i, 1));
    }
  }
  for (const size_t start : open) format.elements_[start].jump = format.elements_.size();
  format.ReserveDigits();
  format.FindFixedShape();
  return format;
}

void JavaDateFormat::AddNumber(char letter, int count, int width_min, int width_max) {
  elements_.push_back({.kind = Kind::kNumber,
                       .letter = letter,
                       .count = count,
                       .width_min = width_min,
                       .width_max = width_max});
}

Status JavaDateFormat::AddLetters(char letter, int count) {
  const auto refuse = [&](ErrorCode code, std::string_view what) {
    return Status(code, fmt::format("{} in the date pattern: {}", what,
                                    std::string(static_cast<size_t>(count), letter)));
  };
  constexpr std::string_view kDateLetters = "GuyYwDMLdQqEec";
  constexpr std::string_view kTimeLetters = "ahKkHmsSAnN";
  if (kDateLetters.find(letter) != std::string_view::npos) {
    has_date_ = true;
  } else if (kTimeLetters.find(letter) != std::string_view::npos) {
    has_time_ = true;
  } else {
    has_zone_ = true;
  }
  if (count > 19) return refuse(ErrorCode::kExpressionError, "too many letters");
  const auto two_at_most = [&]() -> Status {
    if (count > 2) return refuse(ErrorCode::kExpressionError, "too many letters");
    AddNumber(letter, count, count, count == 1 ? 19 : 2);
    return OkStatus();
  };
  switch (letter) {
    case 'u':
    case 'y':
    case 'Y': AddNumber(letter, count, count, count == 2 ? 2 : 19); return OkStatus();
    case 'M':
    case 'L':
    case 'Q':
    case 'q':
      if (count <= 2) return two_at_most();
      if (letter == 'Q' || letter == 'q') return refuse(ErrorCode::kUnsupported, "no such letters");
      break;
    case 'd':
    case 'h':
    case 'K':
    case 'k':
    case 'H':
    case 'm':
    case 's':
    case 'w': return two_at_most();
    case 'D':
      if (count > 3) return refuse(ErrorCode::kExpressionError, "too many letters");
      AddNumber(letter, count, count, count == 1 ? 19 : 3);
      return OkStatus();
    case 'A':
    case 'n':
    case 'N': AddNumber(letter, count, count, 19); return OkStatus();
    case 'S':
      if (count > 9) return refuse(ErrorCode::kExpressionError, "too many letters");
      elements_.push_back({.kind = Kind::kFraction,
                           .letter = letter,
                           .count = count,
                           .width_min = count,
                           .width_max = count});
      return OkStatus();
    case 'e':
    case 'c':
      if (count <= 2) {
        AddNumber(letter, count, count, count);
        return OkStatus();
      }
      break;
    case 'E':
    case 'G': break;
    case 'a':
      if (count > 1) return refuse(ErrorCode::kExpressionError, "too many letters");
      break;
    case 'X':
    case 'x':
    case 'Z':
      if (count > 5) return refuse(ErrorCode::kExpressionError, "too many letters");
      elements_.push_back({.kind = Kind::kOffset, .letter = letter, .count = count});
      return OkStatus();
    case 'O':
      if (count != 1 && count != 4) return refuse(ErrorCode::kExpressionError, "too many letters");
      elements_.push_back({.kind = Kind::kOffset, .letter = letter, .count = count});
      return OkStatus();
    case 'V':
      if (count != 2) return refuse(ErrorCode::kExpressionError, "a zone id is written VV");
      elements_.push_back({.kind = Kind::kZone, .letter = letter, .count = count});
      return OkStatus();
    case 'z':
      if (count > 3) return refuse(ErrorCode::kUnsupported, "full zone names are not supported");
      elements_.push_back({.kind = Kind::kZone, .letter = letter, .count = count});
      return OkStatus();
    default:
      return refuse(std::string_view("FWgBvp").find(letter) != std::string_view::npos
                        ? ErrorCode::kUnsupported
                        : ErrorCode::kExpressionError,
                    "an unknown letter");
  }
  if (count > 5) return refuse(ErrorCode::kExpressionError, "too many letters");
  elements_.push_back({.kind = Kind::kText, .letter = letter, .count = count});
  return OkStatus();
}

/// Numbers that stand side by side (yyyyMMdd): the first leaves the others their fixed digits.
void JavaDateFormat::ReserveDigits() {
  for (size_t i = 0; i < elements_.size(); ++i) {
    if (elements_[i].kind != Kind::kNumber) continue;
    for (size_t j = i + 1; j < elements_.size(); ++j) {
      const Element& next = elements_[j];
      const bool fixed = (next.kind == Kind::kNumber && next.width_min == next.width_max) ||
                         next.kind == Kind::kFraction;
      if (!fixed) break;
      elements_[i].reserved += next.width_max;
    }
  }
}

}  // namespace weir

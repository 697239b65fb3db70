#include "weir/status.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/status_macros.h"

namespace weir {

std::string_view ErrorCodeMeaning(ErrorCode code) {
  switch (code) {
#define WEIR_ERROR_CODE(name, number, meaning) \
  case ErrorCode::name:                        \
    return meaning;
#include "weir/error_codes.inc"
#undef WEIR_ERROR_CODE
  }
  return "unknown error code";
}

struct Status::Error {
  ErrorCode code = ErrorCode::kOk;
  std::string message;
  std::string hint;
  std::string source_line;
  std::optional<SourcePosition> position;
};

void Status::FreeError::operator()(Error* error) const { std::default_delete<Error>()(error); }

Status::Status(ErrorCode code, std::string message) : error_(std::make_unique<Error>().release()) {
  error_->code = code;
  error_->message = std::move(message);
}

Status::Status(const Status& other) { *this = other; }

Status& Status::operator=(const Status& other) {
  if (this == &other) return *this;
  error_.reset(other.ok() ? nullptr : std::make_unique<Error>(*other.error_).release());
  return *this;
}

const Status::Error& Status::error() const {
  static const Error none;
  return ok() ? none : *error_;
}

ErrorCode Status::code() const { return error().code; }
const std::string& Status::message() const { return error().message; }
const std::string& Status::hint() const { return error().hint; }
const std::optional<SourcePosition>& Status::position() const { return error().position; }
const std::string& Status::source_line() const { return error().source_line; }

Status&& Status::WithHint(std::string hint) && {
  if (!ok() && error_->hint.empty()) error_->hint = std::move(hint);
  return std::move(*this);
}

Status&& Status::At(SourcePosition position) && {
  if (!ok() && !error_->position) error_->position = position;
  return std::move(*this);
}

Status&& Status::WithSourceLine(std::string line) && {
  if (!ok() && error_->source_line.empty()) error_->source_line = std::move(line);
  return std::move(*this);
}

Status&& Status::WithContext(std::string_view context) && {
  if (!ok()) error_->message = fmt::format("{}: {}", context, error_->message);
  return std::move(*this);
}

namespace {

/// A part of a source line around the place of an error, with that place in it.
struct ShownLine {
  std::string text;
  int column;
  int length;
};

/// Short lines are shown whole; of others, of which some have a megabyte, what is around `column`.
ShownLine CutLine(std::string_view line, int column, int length) {
  constexpr int kCharactersMax = 160;
  constexpr int kCharactersBefore = 60;
  std::vector<size_t> starts;  // Of the line's characters.
  for (size_t i = 0; i < line.size(); ++i) {
    if ((line[i] & 0xC0) != 0x80) starts.push_back(i);
  }
  const int count = static_cast<int>(starts.size());
  if (count <= kCharactersMax) return {std::string(line), column, length};
  starts.push_back(line.size());
  const int begin = std::clamp(column - 1 - kCharactersBefore, 0, count - 1);
  const int end = std::min(count, begin + kCharactersMax);
  ShownLine shown{std::string(line.substr(starts[begin], starts[end] - starts[begin])),
                  column - begin, std::min(length, std::max(1, end - column + 1))};
  if (begin > 0) {
    shown.text.insert(0, "…");
    ++shown.column;
  }
  if (end < count) shown.text += "…";
  return shown;
}

}  // namespace

std::string Status::ToString(std::string_view file) const {
  if (ok()) return "ok";
  std::string out = fmt::format("error {}: {}", static_cast<int>(code()), message());
  if (position() && position()->line > 0) {
    const auto& [line, column, length, statement] = *position();
    const std::string place = file.empty() ? fmt::format("{}:{}", line, column)
                                           : fmt::format("{}:{}:{}", file, line, column);
    if (source_line().empty()) {
      out += fmt::format("\n  at {}", place);
    } else {
      const ShownLine shown = CutLine(source_line(), column, length);
      out += fmt::format("\n  {} | {}\n  {:{}} | {:{}}{:^>{}}", place, shown.text, "", place.size(),
                         "", shown.column - 1, "", shown.length);
    }
  }
  if (!hint().empty()) out += "\n  hint: " + hint();
  return out;
}

void CheckFailed(const char* file, int line, const char* condition, std::string_view what) {
  std::string message = fmt::format("check failed: {} ({}) at {}:{}", what, condition, file, line);
#ifdef NDEBUG
  throw CheckFailure{std::move(message)};
#else
  std::fputs((message + "\n").c_str(), stderr);
  std::abort();
#endif
}

}  // namespace weir

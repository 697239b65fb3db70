#include "weir/status.h"

#include <cstdio>
#include <cstdlib>

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

Status&& Status::WithHint(std::string hint) && {
  if (hint_.empty()) hint_ = std::move(hint);
  return std::move(*this);
}

Status&& Status::At(SourcePosition position) && {
  if (!position_) position_ = position;
  return std::move(*this);
}

Status&& Status::WithSourceLine(std::string line) && {
  if (source_line_.empty()) source_line_ = std::move(line);
  return std::move(*this);
}

Status&& Status::WithContext(std::string_view context) && {
  message_ = fmt::format("{}: {}", context, message_);
  return std::move(*this);
}

std::string Status::ToString(std::string_view file) const {
  if (ok()) return "ok";
  std::string out = fmt::format("error {}: {}", static_cast<int>(code_), message_);
  if (position_ && position_->line > 0) {
    const std::string place =
        file.empty() ? fmt::format("{}:{}", position_->line, position_->column)
                     : fmt::format("{}:{}:{}", file, position_->line, position_->column);
    if (source_line_.empty()) {
      out += fmt::format("\n  at {}", place);
    } else {
      out += fmt::format("\n  {} | {}\n  {:{}} | {:{}}{:^>{}}", place, source_line_, "",
                         place.size(), "", position_->column - 1, "", position_->length);
    }
  }
  if (!hint_.empty()) out += "\n  hint: " + hint_;
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

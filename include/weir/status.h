#pragma once

// Errors as values. Every call of Weir that can fail returns a Status, or a Result<T> that is
// either a T or a Status. Nothing in Weir's public interface throws.

#include <cassert>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace weir {

/// What went wrong, by number. The meaning of each is in error_codes.inc.
enum class ErrorCode : int {
#define WEIR_ERROR_CODE(name, number, meaning) name = number,
#include "weir/error_codes.inc"
#undef WEIR_ERROR_CODE
};

/// The one-line meaning of `code`, for documentation and listings. Never empty.
std::string_view ErrorCodeMeaning(ErrorCode code);

/// A place in SQL text. Lines and columns count from 1; columns count Unicode code points.
struct SourcePosition {
  int line = 0;
  int column = 0;
  int length = 1;      ///< Code points to underline, at least 1.
  int statement = -1;  ///< 0-based number of the statement in the text executed, or -1.
  bool operator==(const SourcePosition&) const = default;
};

/// Success, or an error with its code, message, place and hint. Cheap to move, and success costs no
/// memory; one that was moved from is success. May be shared between threads once built.
class [[nodiscard]] Status {
 public:
  /// Success.
  Status() = default;
  /// An error. `code` must not be kOk. `message` is one sentence, values last, without a full stop.
  Status(ErrorCode code, std::string message);
  Status(const Status& other);
  Status& operator=(const Status& other);
  Status(Status&&) noexcept = default;
  Status& operator=(Status&&) noexcept = default;

  bool ok() const { return error_ == nullptr; }
  ErrorCode code() const;
  /// One sentence saying what is wrong. Empty on success.
  const std::string& message() const;
  /// What would work instead. May be empty.
  const std::string& hint() const;
  /// Where in the SQL text, if the error has a place there.
  const std::optional<SourcePosition>& position() const;
  /// The source line at position(), for the caret. May be empty.
  const std::string& source_line() const;

  /// Each returns this status with one more detail; the first place and hint given win.
  Status&& WithHint(std::string hint) &&;
  Status&& At(SourcePosition position) &&;
  Status&& WithSourceLine(std::string line) &&;
  /// Puts `context` and ": " before the message.
  Status&& WithContext(std::string_view context) &&;

  /// The whole error as shown to a person: "error 3002: …", the line with a caret, the hint.
  /// `file` goes before line and column where given. Several lines, no newline at the end.
  std::string ToString(std::string_view file = {}) const;

 private:
  struct Error;
  struct FreeError {
    void operator()(Error* error) const;
  };
  const Error& error() const;  // Of success too: an empty one.

  std::unique_ptr<Error, FreeError> error_;
};

/// A T, or the Status that says why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::in_place_index<0>, std::move(value)) {}        // NOLINT: implicit
  Result(Status status) : value_(std::in_place_index<1>, std::move(status)) {  // NOLINT: implicit
    assert(!std::get<1>(value_).ok());
  }
  template <typename U>
  requires(std::is_convertible_v<U&&, T> && !std::is_same_v<std::remove_cvref_t<U>, Status> &&
           !std::is_same_v<std::remove_cvref_t<U>, Result> &&
           !std::is_same_v<std::remove_cvref_t<U>, T>) Result(U&& value)
      : value_(std::in_place_index<0>, std::forward<U>(value)) {}  // NOLINT: implicit

  bool ok() const { return value_.index() == 0; }
  /// The error; success when ok().
  Status status() const& { return ok() ? Status() : std::get<1>(value_); }
  Status status() && { return ok() ? Status() : std::get<1>(std::move(value_)); }
  /// The value. Requires ok().
  T& value() & { return std::get<0>(value_); }
  const T& value() const& { return std::get<0>(value_); }
  T&& value() && { return std::get<0>(std::move(value_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  std::variant<T, Status> value_;
};

inline Status OkStatus() { return Status(); }

}  // namespace weir

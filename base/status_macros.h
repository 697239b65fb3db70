#pragma once

// Early return on errors, and the checks for our own bugs.

#include <string_view>

#include "weir/status.h"

#define WEIR_RETURN_IF_ERROR(expr)                                  \
  do {                                                              \
    if (::weir::Status weir_status_ = (expr); !weir_status_.ok()) { \
      return weir_status_;                                          \
    }                                                               \
  } while (false)

#define WEIR_CONCAT_INNER_(a, b) a##b
#define WEIR_CONCAT_(a, b) WEIR_CONCAT_INNER_(a, b)
#define WEIR_ASSIGN_OR_RETURN_IMPL_(result, lhs, expr) \
  auto result = (expr);                                \
  if (!result.ok()) return std::move(result).status(); \
  lhs = std::move(result).value()
#define WEIR_ASSIGN_OR_RETURN(lhs, expr) \
  WEIR_ASSIGN_OR_RETURN_IMPL_(WEIR_CONCAT_(weir_result_, __LINE__), lhs, expr)

/// Ends the query (release: throws CheckFailure, caught at the task's and the API's boundary;
/// debug: aborts) when an invariant of Weir itself does not hold.
#define WEIR_CHECK(cond, what) \
  ((cond) ? (void)0 : ::weir::CheckFailed(__FILE__, __LINE__, #cond, (what)))
#ifdef NDEBUG
#define WEIR_DCHECK(cond, what) ((void)0)
#else
#define WEIR_DCHECK(cond, what) WEIR_CHECK(cond, what)
#endif

namespace weir {

/// Thrown by a failed WEIR_CHECK in release builds; never leaves the library.
struct CheckFailure {
  std::string message;
};

[[noreturn]] void CheckFailed(const char* file, int line, const char* condition,
                              std::string_view what);

}  // namespace weir

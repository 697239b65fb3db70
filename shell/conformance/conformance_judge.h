#pragma once

// Whether what came out of a conformance case is what it expects.

#include <string>
#include <string_view>
#include <vector>

#include "exec/formats/json/raw_json.h"

namespace weir::testing {

/// What came out of one case; outputs and responses as JSON texts.
struct CaseOutcome {
  std::string status = "ran";  ///< ran, rejected, unsupported, crashed.
  std::string error;
  std::vector<std::string> outputs;
  std::vector<std::string> responses;
  int failed_statement = -1;
};

/// Empty if the case passes, else its first difference.
std::string JudgeCase(const RawJson& test, const CaseOutcome& outcome);

/// True if a statement's text is a SELECT.
bool IsSelect(std::string_view sql);

}  // namespace weir::testing

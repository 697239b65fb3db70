// Any bytes as JSON records: bad ones are said to be bad, their neighbours are as they are alone.

#include <cstddef>
#include <cstdint>

#include <algorithm>
#include <cctype>
#include <set>
#include <string>

#include "tests/fuzz/decoder_check.h"

namespace {

// A record that has a key twice, but for case: which one counts is not said, and may depend on the
// records before it. Keys are told apart roughly, too many are taken for repeated.
bool RepeatsKey(const std::string& record) {
  std::set<std::string> seen;
  for (size_t colon = record.find(':'); colon != std::string::npos;
       colon = record.find(':', colon + 1)) {
    const size_t close = record.find_last_not_of(" \t\r\n", colon == 0 ? 0 : colon - 1);
    if (close == std::string::npos || record[close] != '"' || close == 0) continue;
    const size_t open = record.rfind('"', close - 1);
    if (open == std::string::npos) continue;
    std::string key = record.substr(open, close - open);
    if (key.find('\\') != std::string::npos) return true;
    std::transform(key.begin(), key.end(), key.begin(),
                   [](unsigned char c) { return std::toupper(c); });
    if (!seen.insert(std::move(key)).second) return true;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weir;
  if (size == 0) return 0;
  fuzz::Records records = fuzz::CutRecords({reinterpret_cast<const char*>(data), size});
  std::erase_if(records, [](const auto& record) { return record && RepeatsKey(*record); });
  static const std::vector<FormatColumn> kAll = fuzz::AllColumns(true);
  FormatSpec spec;
  spec.name = "JSON";
  if ((data[0] & 2) != 0) spec.properties["STRICT.JSON"] = "true";
  if ((data[0] & 4) == 0) {
    fuzz::CheckDecoder(spec, kAll, records);
    return 0;
  }
  spec.unwrapped = true;
  spec.is_key = (data[0] & 8) != 0;
  fuzz::CheckDecoder(spec, {kAll[(data[0] >> 4) % kAll.size()]}, records);
  return 0;
}

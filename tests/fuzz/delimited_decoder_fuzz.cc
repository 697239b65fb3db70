// Any bytes as DELIMITED records, with each delimiter that the format has a word for.

#include <cstddef>
#include <cstdint>
#include <iterator>

#include "tests/fuzz/decoder_check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weir;
  if (size == 0) return 0;
  static constexpr const char* kDelimiters[] = {"", "TAB", "SPACE", "|"};
  static const std::vector<FormatColumn> kAll = fuzz::AllColumns(false);
  const char* delimiter = kDelimiters[(data[0] >> 1) % std::size(kDelimiters)];
  FormatSpec spec;
  spec.name = "DELIMITED";
  if (*delimiter != '\0') spec.properties["DELIMITER"] = delimiter;
  spec.is_key = (data[0] & 8) != 0;
  std::vector<FormatColumn> columns = kAll;
  if ((data[0] >> 4 & 1) != 0) columns.resize(1 + (data[0] >> 5));
  fuzz::CheckDecoder(spec, columns, fuzz::CutRecords({reinterpret_cast<const char*>(data), size}));
  return 0;
}

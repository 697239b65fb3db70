// Any bytes as KAFKA keys and values of each type that the format holds.

#include <cstddef>
#include <cstdint>
#include <iterator>

#include "tests/fuzz/decoder_check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weir;
  if (size == 0) return 0;
  const fuzz::Records records = fuzz::CutRecords({reinterpret_cast<const char*>(data), size});
  for (const DataType& type : {DataType::Int(), DataType::Bigint(), DataType::Double(),
                               DataType::String(), DataType::Bytes()}) {
    FormatSpec spec;
    spec.name = "KAFKA";
    spec.is_key = (data[0] & 2) != 0;
    spec.unwrapped = true;
    fuzz::CheckDecoder(spec, {{"K", type}}, records);
  }
  for (const auto& record : records) {
    if (!record) continue;
    for (WindowKeyKind kind : {WindowKeyKind::kTime, WindowKeyKind::kSession}) {
      std::string_view key = *record;
      int64_t start = 0;
      int64_t end = 0;
      if (SplitWindowedKey(kind, 1000, key, start, end) && key.size() >= record->size()) {
        __builtin_trap();
      }
    }
  }
  return 0;
}

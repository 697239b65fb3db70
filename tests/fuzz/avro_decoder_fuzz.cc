// Any bytes as AVRO records behind the ids of a few schemas, and any bytes as an Avro schema whose
// plan is then followed over the same bytes.

#include <cstddef>
#include <cstdint>

#include "exec/formats/avro/avro_format.h"
#include "exec/formats/avro/avro_json.h"
#include "exec/formats/avro/avro_plan.h"
#include "exec/formats/registry/memory_registry.h"
#include "tests/fuzz/decoder_check.h"

namespace {

using namespace weir;

constexpr const char* kOtherWriter =
    R"({"type":"record","name":"R","fields":[
        {"name":"f","type":["string","null",{"type":"array","items":"null"}]},
        {"name":"x","type":{"type":"map","values":{"type":"array","items":["null","long"]}}},
        {"name":"q","type":{"type":"enum","name":"E","symbols":["A","B"]}},
        {"name":"y","type":{"type":"fixed","name":"F","size":3}},
        {"name":"C","type":"int"}]})";

// Ids 1: what the columns themselves are written by; 2: another writer's.
MemoryRegistry& Registry(const std::vector<FormatColumn>& columns) {
  static MemoryRegistry registry({}, [] { return Compatibility::kNone; });
  static const bool filled = [&] {
    FormatSpec spec;
    spec.name = "AVRO";
    return registry.Register("v", SchemaType::kAvro, AvroSchemaOf(spec, columns), {}).ok() &&
           registry.Register("v", SchemaType::kAvro, kOtherWriter, {}).ok();
  }();
  if (!filled) __builtin_trap();
  return registry;
}

void CheckSchema(std::string_view bytes) {
  const size_t end = bytes.find('\x1e');
  const Result<AvroSchemaPtr> schema = ParseAvroSchema(bytes.substr(0, end));
  if (!schema.ok()) return;
  const AvroType& root = (*schema)->root();
  const auto columns = ColumnsOfAvro(std::string(bytes.substr(0, end)), {}, false, true, true);
  if (!columns.ok() || columns->empty()) return;
  const Result<AvroStep> plan = PlanAvroValue(root, (*columns)[0].type, &root);
  if (!plan.ok()) return;
  const std::string_view value = end == std::string_view::npos ? "" : bytes.substr(end + 1);
  AvroCursor from(value);
  AvroCursor shown = from;
  ColumnBuilder builder((*columns)[0].type);
  AvroReader reader;
  const bool read = reader.Read(*plan, from, builder);
  if (!read) builder.Truncate(0);
  if (builder.Finish()->length() != (read ? 1 : 0)) __builtin_trap();
  std::string text;
  // What can be shown ends where it ends for who reads it.
  if (read && AppendAvroAsJson(root, shown, text).ok() && shown.at != from.at) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if ((data[0] & 2) != 0) {
    CheckSchema(input.substr(1));
    return 0;
  }
  static const std::vector<FormatColumn> kAll = fuzz::AllColumns(true);
  fuzz::Records records = fuzz::CutRecords(input);
  fuzz::PutIdsInFront(records);
  FormatSpec spec;
  spec.name = "AVRO";
  spec.registry = &Registry(kAll);
  fuzz::CheckDecoder(spec, kAll, records);
  return 0;
}

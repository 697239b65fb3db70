// Any bytes as PROTOBUF records behind the ids of a few schemas, and any bytes as a .proto text
// whose messages the rest of the bytes are then read as.

#include <cstddef>
#include <cstdint>

#include "exec/formats/protobuf/protobuf_format.h"
#include "exec/formats/protobuf/protobuf_json.h"
#include "exec/formats/protobuf/protobuf_plan.h"
#include "exec/formats/registry/memory_registry.h"
#include "tests/fuzz/decoder_check.h"

namespace {

using namespace weir;

constexpr const char* kOtherWriter =
    "syntax = \"proto2\"; import \"google/protobuf/wrappers.proto\";"
    "message R { enum E { A = 0; B = 7; }"
    "  optional string f = 1 [default = 'none']; repeated sint64 c = 2; optional E q = 3;"
    "  optional google.protobuf.Int64Value C = 4; map<string, string> l = 5;"
    "  message In { optional fixed32 x = 1; repeated In y = 2; } optional In m = 6;"
    "  oneof either { bool a = 7; bytes g = 8; } repeated group Old = 9 { optional int32 z = 1; } "
    "}";

// Lists of lists have no place in Protobuf.
std::vector<FormatColumn> Columns() {
  std::vector<FormatColumn> columns = fuzz::AllColumns(true);
  columns.pop_back();
  return columns;
}

// Ids 1: what the columns themselves are written by; 2: another writer's.
MemoryRegistry& Registry(const std::vector<FormatColumn>& columns) {
  static MemoryRegistry registry({}, [] { return Compatibility::kNone; });
  static const bool filled = [&] {
    FormatSpec spec;
    spec.name = "PROTOBUF";
    return registry.Register("v", SchemaType::kProtobuf, ProtobufSchemaOf(spec, columns), {})
               .ok() &&
           registry.Register("v", SchemaType::kProtobuf, kOtherWriter, {}).ok();
  }();
  if (!filled) __builtin_trap();
  return registry;
}

void CheckSchema(std::string_view bytes) {
  const size_t end = bytes.find('\x1e');
  const Result<ProtobufSchemaPtr> schema = ParseProtobufSchema(bytes.substr(0, end));
  if (!schema.ok()) return;
  const std::string_view value = end == std::string_view::npos ? "" : bytes.substr(end + 1);
  for (const ProtobufMessage* message : (*schema)->messages()) {
    const auto columns = ColumnsOfProtobuf(**schema, message->full_name, false, true);
    if (!columns.ok()) continue;
    std::vector<DataType::Field> fields;
    for (const ColumnSchema& column : *columns) fields.push_back({column.name, column.type});
    const DataType type = DataType::Struct(fields);
    const Result<ProtobufStep> plan = PlanProtobufMessage(*message, type);
    if (!plan.ok()) continue;
    ColumnBuilder builder(type);
    ProtobufReader reader;
    const bool read = reader.Read(*plan, value, builder);
    if (!read) builder.Truncate(0);
    if (builder.Finish()->length() != (read ? 1 : 0)) __builtin_trap();
    std::string text;
    static_cast<void>(AppendProtobufAsJson(*message, value, text));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if ((data[0] & 2) != 0) {
    CheckSchema(input.substr(1));
    return 0;
  }
  static const std::vector<FormatColumn> kAll = Columns();
  fuzz::Records records = fuzz::CutRecords(input);
  fuzz::PutIdsInFront(records, std::string_view("\0", 1));
  FormatSpec spec;
  spec.name = "PROTOBUF";
  spec.registry = &Registry(kAll);
  fuzz::CheckDecoder(spec, kAll, records);
  return 0;
}

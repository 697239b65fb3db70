// Decoding records of one shape, written in each format: all columns, and two of twelve.

#include <benchmark/benchmark.h>

#include <random>
#include <string>

#include "exec/formats/format.h"
#include "exec/formats/registry/memory_registry.h"

namespace {

using namespace weir;

constexpr int32_t kRows = 4096;

std::vector<FormatColumn> Columns() {
  return {{"VENDOR", DataType::Int()},        {"PICKUP", DataType::Timestamp()},
          {"DROPOFF", DataType::Timestamp()}, {"PASSENGERS", DataType::Int()},
          {"DISTANCE", DataType::Double()},   {"RATE", DataType::Int()},
          {"FLAG", DataType::String()},       {"FROM_ZONE", DataType::Int()},
          {"TO_ZONE", DataType::Int()},       {"PAYMENT", DataType::Int()},
          {"FARE", DataType::Double()},       {"TOTAL", DataType::Double()}};
}

MemoryRegistry& Registry() {
  static MemoryRegistry registry;
  return registry;
}

FormatSpec SpecOf(const char* name) {
  FormatSpec spec;
  spec.name = name;
  spec.registry = &Registry();
  spec.subject = std::string(name) + "-value";
  return spec;
}

RecordBatch RecordsOf(const FormatSpec& spec, const std::vector<FormatColumn>& columns) {
  std::mt19937 random(1);
  std::vector<ColumnPtr> values;
  for (const FormatColumn& column : columns) {
    ColumnBuilder builder(column.type);
    for (int32_t row = 0; row < kRows; ++row) {
      const auto number = static_cast<int32_t>(random() % 260);
      switch (column.type.kind()) {
        case TypeKind::kInt: builder.AppendInt32(number); break;
        case TypeKind::kTimestamp: builder.AppendInt64(1'577'836'800'000 + row * 1000); break;
        case TypeKind::kDouble: builder.AppendDouble(number / 4.0); break;
        default: builder.AppendBytes(number % 2 == 0 ? "N" : "Y"); break;
      }
    }
    values.push_back(builder.Finish());
  }
  auto encoder = MakeEncoder(spec, columns);
  std::vector<int32_t> rows(kRows);
  for (int32_t row = 0; row < kRows; ++row) rows[static_cast<size_t>(row)] = row;
  BufferBuilder bytes;
  RecordBatch records;
  if (!encoder.ok() || !(*encoder)->Encode(values, rows, bytes, records.values).ok()) std::abort();
  records.keys.resize(kRows, Slice{0, -1});
  records.timestamps.resize(kRows);
  records.offsets.resize(kRows);
  records.bytes = bytes.Finish();
  return records;
}

void Decode(benchmark::State& state, const char* format, bool all) {
  std::vector<FormatColumn> columns = Columns();
  const FormatSpec spec = SpecOf(format);
  const RecordBatch records = RecordsOf(spec, columns);
  for (size_t i = 0; i < columns.size(); ++i) columns[i].needed = all || i == 0 || i == 11;
  auto decoder = MakeDecoder(spec, columns);
  if (!decoder.ok()) std::abort();
  DecodedSide out;
  for (auto _ : state) {
    if (!(*decoder)->Decode(records, out).ok() || !out.bad.empty()) std::abort();
    benchmark::DoNotOptimize(out.columns.data());
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}

}  // namespace

BENCHMARK_CAPTURE(Decode, json_all, "JSON", true);
BENCHMARK_CAPTURE(Decode, avro_all, "AVRO", true);
BENCHMARK_CAPTURE(Decode, protobuf_all, "PROTOBUF", true);
BENCHMARK_CAPTURE(Decode, json_two, "JSON", false);
BENCHMARK_CAPTURE(Decode, avro_two, "AVRO", false);
BENCHMARK_CAPTURE(Decode, protobuf_two, "PROTOBUF", false);

BENCHMARK_MAIN();

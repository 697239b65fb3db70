// A batch handed to another library through the Arrow C data interface, without a copy. Here the
// other side is this program: it reads the two structs as any Arrow library would.

#include <weir/arrow_c_abi.h>
#include <weir/weir.h>

#include <cstring>
#include <iostream>

namespace {

using namespace weir;

bool IsValid(const ArrowArray& array, int64_t row) {
  const auto* bits = static_cast<const uint8_t*>(array.buffers[0]);
  row += array.offset;
  return bits == nullptr || ((bits[row >> 3] >> (row & 7)) & 1) != 0;
}

void PrintValue(const ArrowSchema& schema, const ArrowArray& array, int64_t row) {
  std::cout << schema.name << '=';
  const int64_t at = row + array.offset;
  if (!IsValid(array, row)) {
    std::cout << "null";
  } else if (std::strcmp(schema.format, "i") == 0) {
    std::cout << static_cast<const int32_t*>(array.buffers[1])[at];
  } else if (std::strcmp(schema.format, "g") == 0) {
    std::cout << static_cast<const double*>(array.buffers[1])[at];
  } else if (std::strcmp(schema.format, "u") == 0) {
    const auto* offsets = static_cast<const int32_t*>(array.buffers[1]);
    const auto* bytes = static_cast<const char*>(array.buffers[2]);
    std::cout << std::string_view(bytes + offsets[at],
                                  static_cast<size_t>(offsets[at + 1] - offsets[at]));
  } else {
    std::cout << "(" << schema.format << ")";
  }
}

void PrintAndRelease(const Batch& batch) {
  ArrowArray array;
  ArrowSchema schema;
  batch.ExportArrow(&array, &schema);
  for (int64_t row = 0; row < array.length; ++row) {
    for (int64_t i = 0; i < array.n_children; ++i) {
      if (i > 0) std::cout << ' ';
      PrintValue(*schema.children[i], *array.children[i], row);
    }
    std::cout << '\n';
  }
  // The memory is ours until here, even if the batch and the cursor are gone.
  array.release(&array);
  schema.release(&schema);
}

Status Run() {
  auto engine = Engine::Open({});
  if (!engine.ok()) return engine.status();
  auto created = (*engine)->Execute(
      "CREATE STREAM zones (id INT, borough VARCHAR, share DOUBLE)"
      "  WITH (KAFKA_TOPIC='zones', VALUE_FORMAT='JSON', PARTITIONS=1);");
  if (!created.ok()) return created.status();
  const Record records[] = {{.value = R"({"id": 1, "borough": "Queens", "share": 0.25})"},
                            {.value = R"({"id": 2, "borough": null, "share": 0.5})"}};
  if (Status status = (*engine)->Append("zones", records); !status.ok()) return status;
  auto rows = (*engine)->Query("SELECT id, borough, share FROM zones EMIT CHANGES LIMIT 2;");
  if (!rows.ok()) return rows.status();
  while (!(*rows)->done()) {
    auto batch = (*rows)->Next(std::chrono::milliseconds(100));
    if (!batch.ok()) return batch.status();
    if (batch->has_value()) PrintAndRelease(**batch);
  }
  return OkStatus();
}

}  // namespace

int main() {
  const Status status = Run();
  if (!status.ok()) std::cerr << status.ToString() << '\n';
  return status.ok() ? 0 : 1;
}

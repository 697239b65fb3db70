#include "exec/runtime/exchange/rows_block.h"

#include <algorithm>
#include <cstring>

#include "base/status_macros.h"
#include "exec/runtime/task/task_context.h"
#include "exec/state/chunk_codec.h"

namespace weir {
namespace {

constexpr uint8_t kBlockVersion = 1;
constexpr uint8_t kDrained = 1;
constexpr uint8_t kHasRows = 2;
constexpr size_t kHeaderBytes = 14;

uint32_t BigEndian32(std::string_view bytes) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

}  // namespace

// Which system columns it has, whether operations, the rows and their source,
// the operations, which columns it has (nobody may read some), and the columns.
std::string EncodeRows(const Chunk& chunk) {
  std::string bytes, filled;
  std::vector<ColumnPtr> columns;
  for (const ColumnPtr& column : chunk.columns) {
    filled.push_back(column != nullptr ? 1 : 0);
    if (column != nullptr) columns.push_back(column);
  }
  uint8_t present = 0;
  for (int i = 0; i < kSystemColumnCount; ++i) {
    if (chunk.system[i] == nullptr) continue;
    present |= static_cast<uint8_t>(1 << i);
    columns.push_back(chunk.system[i]);
  }
  bytes.push_back(static_cast<char>(present));
  bytes.push_back(chunk.ops != nullptr ? 1 : 0);
  AppendBigEndian32(static_cast<uint32_t>(chunk.rows), bytes);
  AppendBigEndian32(static_cast<uint32_t>(chunk.source), bytes);
  if (chunk.ops != nullptr) bytes.append(chunk.ops->as<char>(), chunk.rows);
  bytes += filled;
  AppendColumns(columns, bytes);
  return bytes;
}

Result<Chunk> DecodeRows(const Schema& schema, std::string_view bytes) {
  const Status corrupt(ErrorCode::kStoreCorrupt, "a block of rows does not decode");
  if (bytes.size() < 10) return corrupt;
  const auto present = static_cast<uint8_t>(bytes[0]);
  const bool has_ops = bytes[1] != 0;
  Chunk chunk;
  chunk.rows = static_cast<int32_t>(BigEndian32(bytes.substr(2)));
  chunk.source = static_cast<int32_t>(BigEndian32(bytes.substr(6)));
  bytes.remove_prefix(10);
  if (has_ops) {
    if (bytes.size() < static_cast<size_t>(chunk.rows)) return corrupt;
    uint8_t* data = nullptr;
    chunk.ops = MakeBuffer(chunk.rows, &data);
    std::copy_n(bytes.begin(), chunk.rows, data);
    bytes.remove_prefix(chunk.rows);
  }
  const size_t width = schema.columns.size();
  if (bytes.size() < width) return corrupt;
  const std::string_view filled = bytes.substr(0, width);
  bytes.remove_prefix(width);
  std::vector<DataType> types;
  for (size_t i = 0; i < width; ++i) {
    if (filled[i] != 0) types.push_back(schema.columns[i].type);
  }
  for (int i = 0; i < kSystemColumnCount; ++i) {
    if (present >> i & 1) types.push_back(SystemColumnType(static_cast<SystemColumn>(i)));
  }
  WEIR_ASSIGN_OR_RETURN(std::vector<ColumnPtr> columns, ReadColumns(types, bytes));
  size_t next = 0;
  for (size_t i = 0; i < width; ++i) {
    chunk.columns.push_back(filled[i] != 0 ? std::move(columns[next++]) : nullptr);
  }
  for (int i = 0; i < kSystemColumnCount; ++i) {
    if (present >> i & 1) chunk.system[i] = std::move(columns[next++]);
  }
  return chunk;
}

std::string EncodeBlock(const BlockHeader& header, const Chunk* rows) {
  std::string bytes;
  bytes.push_back(static_cast<char>(kBlockVersion));
  bytes.push_back(
      static_cast<char>((header.drained ? kDrained : 0) | (rows != nullptr ? kHasRows : 0)));
  AppendBigEndian32(static_cast<uint32_t>(header.upstream), bytes);
  bytes.append(reinterpret_cast<const char*>(&header.stream_time), sizeof(header.stream_time));
  if (rows != nullptr) bytes += EncodeRows(*rows);
  return bytes;
}

Status DecodeBlock(const Schema& schema, std::string_view bytes, BlockHeader& header, Chunk& rows) {
  if (!bytes.empty() && static_cast<uint8_t>(bytes[0]) > kBlockVersion) {
    return Status(ErrorCode::kStoreVersion, "a repartition topic was written by a newer Weir");
  }
  if (bytes.size() < kHeaderBytes) {
    return Status(ErrorCode::kStoreCorrupt,
                  "a repartition topic holds what is not a block of rows");
  }
  const auto flags = static_cast<uint8_t>(bytes[1]);
  header.drained = (flags & kDrained) != 0;
  header.upstream = static_cast<int32_t>(BigEndian32(bytes.substr(2)));
  std::memcpy(&header.stream_time, bytes.data() + 6, sizeof(header.stream_time));
  rows = Chunk();
  if ((flags & kHasRows) == 0) return OkStatus();
  WEIR_ASSIGN_OR_RETURN(rows, DecodeRows(schema, bytes.substr(kHeaderBytes)));
  return OkStatus();
}

}  // namespace weir

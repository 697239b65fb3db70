#pragma once

// gzip and zstd as sources of bytes, told by their first bytes.

#include <memory>
#include <string>
#include <string_view>

#include "exec/connect/files/byte_source.h"

namespace weir {

enum class Compression : uint8_t { kNone, kGzip, kZstd };

/// How many bytes CompressionOf wants to see.
inline constexpr size_t kCompressionMagicBytes = 4;
Compression CompressionOf(std::string_view first_bytes);

/// The text that `raw` holds, or `raw`'s own bytes where they are not compressed. Where it ends is
/// known at the end. `name` is for messages. Damaged or cut-off data is kIoError with a position.
std::unique_ptr<ByteSource> Decompress(std::unique_ptr<ByteSource> raw, std::string name);

}  // namespace weir

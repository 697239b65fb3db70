#pragma once

// What the ending of a file's name tells about its content.

#include <string>
#include <string_view>

namespace weir {

/// `path` in lower case and without .gz, .gzip, .zst or .zstd at its end.
std::string WithoutCompressionEnding(std::string_view path);

/// DELIMITED for .csv, .tsv and .txt, JSON for others; also if an ending of a compressed file is
/// behind.
std::string FileFormatByEnding(std::string_view path);

/// Whether the path ends in .tsv, or that and an ending of a compressed file.
bool IsTabSeparated(std::string_view path);

}  // namespace weir

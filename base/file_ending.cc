#include "base/file_ending.h"

namespace weir {

std::string WithoutCompressionEnding(std::string_view path) {
  std::string plain(path);
  for (char& c : plain) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  for (const std::string_view ending : {".gz", ".gzip", ".zst", ".zstd"}) {
    if (!plain.ends_with(ending)) continue;
    plain.resize(plain.size() - ending.size());
    break;
  }
  return plain;
}

std::string FileFormatByEnding(std::string_view path) {
  const std::string plain = WithoutCompressionEnding(path);
  for (const std::string_view ending : {".csv", ".tsv", ".txt"}) {
    if (plain.ends_with(ending)) return "DELIMITED";
  }
  return "JSON";
}

bool IsTabSeparated(std::string_view path) {
  return WithoutCompressionEnding(path).ends_with(".tsv");
}

}  // namespace weir

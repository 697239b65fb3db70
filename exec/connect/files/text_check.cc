#include "exec/connect/files/text_check.h"

#include <algorithm>

#include "parser/source_text.h"

namespace weir {
namespace {

using namespace std::string_view_literals;

struct KnownKind {
  std::string_view first;
  std::string_view what;
  std::string_view hint;
};

constexpr std::string_view kConvertHint =
    "convert it first: iconv -f UTF-16 -t UTF-8 FILE > FILE.utf8";
constexpr std::string_view kUnpackHint = "unpack it first; gzip and zstd are read as they are";

constexpr KnownKind kKinds[] = {
    {"\xFF\xFE\0\0"sv, "UTF-32 text", "convert it first: iconv -f UTF-32 -t UTF-8"},
    {"\0\0\xFE\xFF"sv, "UTF-32 text", "convert it first: iconv -f UTF-32 -t UTF-8"},
    {"\xFF\xFE"sv, "UTF-16 text", kConvertHint},
    {"\xFE\xFF"sv, "UTF-16 text", kConvertHint},
    {"\xFD\x37zXZ\0"sv, "compressed by xz", kUnpackHint},
    {"\x04\x22\x4D\x18"sv, "compressed by lz4", kUnpackHint},
    {"\x1F\x9D"sv, "compressed by compress", kUnpackHint},
    {"PK\x03\x04"sv, "a zip archive (or an .xlsx)", kUnpackHint},
    {"PAR1\x15"sv, "a Parquet file", "write it as CSV or as JSON, one object a line"},
    {"Obj\x01"sv, "an Avro file", "write it as CSV or as JSON, one object a line"},
    {"SQLite format 3\0"sv, "a SQLite database", "write its tables as CSV"},
};

bool IsBzip2(std::string_view bytes) {
  return bytes.size() >= 10 && bytes.starts_with("BZh") && bytes.substr(4, 6) == "1AY&SY";
}

/// UTF-16 without a mark: of ASCII text every second byte is zero.
bool LooksLikeUtf16(std::string_view bytes) {
  if (bytes.size() < 4) return false;
  size_t zeros[2] = {0, 0};
  for (size_t i = 0; i < bytes.size(); ++i) zeros[i % 2] += bytes[i] == 0 ? 1 : 0;
  const size_t pairs = bytes.size() / 2;
  return std::max(zeros[0], zeros[1]) * 2 > pairs && std::min(zeros[0], zeros[1]) * 8 < pairs;
}

Status NotText(const std::string& name, std::string_view what, std::string_view hint) {
  return Status(ErrorCode::kUnsupported,
                "the file cannot be read, " + name + ": it is " + std::string(what))
      .WithHint(std::string(hint));
}

}  // namespace

Status CheckIsText(std::string_view first_bytes, const std::string& name) {
  for (const KnownKind& kind : kKinds) {
    if (first_bytes.starts_with(kind.first)) return NotText(name, kind.what, kind.hint);
  }
  if (IsBzip2(first_bytes)) return NotText(name, "compressed by bzip2", kUnpackHint);
  if (LooksLikeUtf16(first_bytes.substr(0, kCheckedBytes))) {
    return NotText(name, "UTF-16 text", kConvertHint);
  }
  // Behind the last byte there may be a '\n' still.
  const size_t lone_return = first_bytes.find('\r');
  if (lone_return < first_bytes.size() - 1 && first_bytes.find('\n') == std::string_view::npos) {
    return NotText(name, "text whose lines end in a carriage return alone",
                   "convert it first: tr '\\r' '\\n' < FILE > FILE.lf");
  }
  return OkStatus();
}

std::string DescribeWrongEncoding(std::string_view line) {
  const size_t at = FindInvalidUtf8(line);
  if (at == std::string_view::npos) return "not UTF-8";
  constexpr char kDigits[] = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(line[at]);
  return std::string("not UTF-8 but perhaps Latin-1 (ISO 8859-1) or Windows-1252, at its byte ") +
         std::to_string(at + 1) + " (0x" + kDigits[byte >> 4] + kDigits[byte & 15] + ")";
}

Status WrongEncoding(const std::string& name, int64_t number, std::string_view line) {
  return Status(ErrorCode::kUnsupported, "the file cannot be read, " + name + " line " +
                                             std::to_string(number) + ": it is " +
                                             DescribeWrongEncoding(line))
      .WithHint("convert it first: iconv -f WINDOWS-1252 -t UTF-8 FILE > FILE.utf8");
}

}  // namespace weir

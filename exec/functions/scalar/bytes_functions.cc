// Functions between BYTES and other types.

#include <algorithm>
#include <bit>

#include "exec/functions/builtin_functions.h"
#include "exec/functions/scalar/encoded_text.h"
#include "exec/functions/scalar/kernel_rows_inl.h"

namespace weir {
namespace {

constexpr std::string_view kCategory = "Bytes";

/// A number of sizeof(T) bytes, big-endian unless told otherwise.
template <typename T>
void NumberFromBytesKernel(const KernelCall& call, ColumnBuilder& out) {
  ForActiveRows(call, out, [&](int32_t row) {
    const std::string_view bytes = call.args[0]->GetString(row);
    const std::string_view order =
        call.args.size() > 1 ? call.args[1]->GetString(row) : "BIG_ENDIAN";
    const bool big = order == "BIG_ENDIAN";
    if (!big && order != "LITTLE_ENDIAN") {
      call.Error(row, "the byte order is BIG_ENDIAN or LITTLE_ENDIAN");
      return out.AppendNull();
    }
    if (bytes.size() != sizeof(T)) {
      call.Error(row, "the number of bytes does not fit the type");
      return out.AppendNull();
    }
    char buffer[sizeof(T)];
    std::copy(bytes.begin(), bytes.end(), buffer);
    if (big == (std::endian::native == std::endian::little)) {
      std::reverse(buffer, buffer + sizeof(T));
    }
    T value;
    std::memcpy(&value, buffer, sizeof(T));
    AppendCell<T>(value, out);
  });
}

void FromBytesKernel(const KernelCall& call, ColumnBuilder& out) {
  std::string scratch;
  ForActiveRows(call, out, [&](int32_t row) {
    const auto encoding = EncodingNamed(call.args[1]->GetString(row));
    if (!encoding) {
      call.Error(row, "the encodings are hex, utf8, ascii and base64");
      return out.AppendNull();
    }
    scratch.clear();
    const std::string_view bytes = call.args[0]->GetString(row);
    if (*encoding == TextEncoding::kHex) {
      AppendHex(bytes, true, scratch);
    } else {
      EncodeText(bytes, *encoding, scratch);
    }
    out.AppendBytes(scratch);
  });
}

void ToBytesKernel(const KernelCall& call, ColumnBuilder& out) {
  std::string scratch;
  ForActiveRows(call, out, [&](int32_t row) {
    const auto encoding = EncodingNamed(call.args[1]->GetString(row));
    scratch.clear();
    if (!encoding || !DecodeText(call.args[0]->GetString(row), *encoding, scratch)) {
      call.Error(row, encoding ? "the text is not in the encoding named"
                               : "the encodings are hex, utf8, ascii and base64");
      return out.AppendNull();
    }
    out.AppendBytes(scratch);
  });
}

constexpr FunctionRowOf Row{kCategory};

constexpr std::string_view kBigintText =
    "Reads 8 bytes as a BIGINT, BIG_ENDIAN unless LITTLE_ENDIAN is given.";
constexpr std::string_view kDoubleText =
    "Reads 8 bytes as a DOUBLE, BIG_ENDIAN unless LITTLE_ENDIAN is given.";
constexpr std::string_view kIntText =
    "Reads 4 bytes as an INT, BIG_ENDIAN unless LITTLE_ENDIAN is given.";

constexpr FunctionRow kBytesFunctions[] = {
    Row("BIGINT_FROM_BYTES", "(BYTES) -> BIGINT", &NumberFromBytesKernel<int64_t>, kBigintText,
        "BIGINT_FROM_BYTES(TO_BYTES('000000012A05F200', 'hex')) = 5000000000"),
    Row("BIGINT_FROM_BYTES", "(BYTES, STRING) -> BIGINT", &NumberFromBytesKernel<int64_t>,
        kBigintText,
        "BIGINT_FROM_BYTES(TO_BYTES('00F2052A01000000', 'hex'), 'LITTLE_ENDIAN') = 5000000000"),
    Row("DOUBLE_FROM_BYTES", "(BYTES) -> DOUBLE", &NumberFromBytesKernel<double>, kDoubleText,
        "DOUBLE_FROM_BYTES(TO_BYTES('3FF8000000000000', 'hex')) = 1.5E0"),
    Row("DOUBLE_FROM_BYTES", "(BYTES, STRING) -> DOUBLE", &NumberFromBytesKernel<double>,
        kDoubleText,
        "DOUBLE_FROM_BYTES(TO_BYTES('000000000000F83F', 'hex'), 'LITTLE_ENDIAN') = 1.5E0"),
    Row("FROM_BYTES", "(BYTES, STRING) -> STRING", &FromBytesKernel,
        "Writes bytes as text in hex, utf8, ascii or base64.",
        "FROM_BYTES(TO_BYTES('Ab', 'utf8'), 'hex') = '4162'"),
    Row("INT_FROM_BYTES", "(BYTES) -> INT", &NumberFromBytesKernel<int32_t>, kIntText,
        "INT_FROM_BYTES(TO_BYTES('000007E5', 'hex')) = 2021"),
    Row("INT_FROM_BYTES", "(BYTES, STRING) -> INT", &NumberFromBytesKernel<int32_t>, kIntText,
        "INT_FROM_BYTES(TO_BYTES('E5070000', 'hex'), 'LITTLE_ENDIAN') = 2021"),
    Row("TO_BYTES", "(STRING, STRING) -> BYTES", &ToBytesKernel,
        "Reads text in hex, utf8, ascii or base64 as bytes.", "LEN(TO_BYTES('4162', 'hex')) = 2"),
};

}  // namespace

std::span<const FunctionRow> BytesFunctions() { return kBytesFunctions; }

}  // namespace weir

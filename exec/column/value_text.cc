#include "exec/column/value_text.h"

#include <cmath>

#include "base/decimal.h"
#include "base/number_text.h"
#include "base/time_text.h"

namespace weir {
namespace {

/// Values without a structure, as bare text.
void AppendScalar(const Column& column, int32_t row, std::string& out) {
  char text[kTimeTextMax];
  size_t size = 0;
  switch (column.type().kind()) {
    case TypeKind::kBoolean: out += column.GetBool(row) ? "true" : "false"; return;
    case TypeKind::kInt: size = FormatInt64(column.values<int32_t>()[row], text); break;
    case TypeKind::kBigint: size = FormatInt64(column.values<int64_t>()[row], text); break;
    case TypeKind::kDouble: size = FormatJavaDouble(column.values<double>()[row], text); break;
    case TypeKind::kDecimal:
      size = FormatDecimal(ToInt128(column.values<Decimal128>()[row]), column.type().scale(), text);
      break;
    case TypeKind::kDate: size = FormatDate(column.values<int32_t>()[row], text); break;
    case TypeKind::kTime: size = FormatTime(column.values<int32_t>()[row], text); break;
    case TypeKind::kTimestamp: size = FormatTimestamp(column.values<int64_t>()[row], text); break;
    case TypeKind::kString: out += column.GetString(row); return;
    case TypeKind::kBytes: return AppendBase64(column.GetString(row), out);
    default: out += "null"; return;
  }
  out.append(text, size);
}

bool IsBareInJson(const Column& column, int32_t row) {
  switch (column.type().kind()) {
    case TypeKind::kBoolean:
    case TypeKind::kInt:
    case TypeKind::kBigint:
    case TypeKind::kDecimal: return true;
    case TypeKind::kDouble: return std::isfinite(column.values<double>()[row]);
    default: return false;
  }
}

void AppendJsonArray(const Column& column, int32_t row, std::string& out) {
  out += '[';
  const int32_t begin = column.offsets()[row];
  for (int32_t i = begin; i < column.offsets()[row + 1]; ++i) {
    if (i != begin) out += ',';
    AppendJsonText(*column.child(0), i, out);
  }
  out += ']';
}

void AppendJsonMap(const Column& column, int32_t row, std::string& out) {
  out += '{';
  const int32_t begin = column.offsets()[row];
  for (int32_t i = begin; i < column.offsets()[row + 1]; ++i) {
    if (i != begin) out += ',';
    std::string key;
    AppendText(*column.child(0), i, key);
    AppendJsonString(key, out);
    out += ':';
    AppendJsonText(*column.child(1), i, out);
  }
  out += '}';
}

void AppendJsonStruct(const Column& column, int32_t row, std::string& out) {
  out += '{';
  int index = 0;
  for (const DataType::Field& field : column.type().fields()) {
    if (index != 0) out += ',';
    AppendJsonString(field.name, out);
    out += ':';
    AppendJsonText(*column.child(index++), row, out);
  }
  out += '}';
}

}  // namespace

void AppendBase64(std::string_view bytes, std::string& out) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t left = bytes.size() - i;
    uint32_t group = static_cast<uint8_t>(bytes[i]) << 16;
    if (left > 1) group |= static_cast<uint8_t>(bytes[i + 1]) << 8;
    if (left > 2) group |= static_cast<uint8_t>(bytes[i + 2]);
    out += kDigits[group >> 18];
    out += kDigits[(group >> 12) & 63];
    out += left > 1 ? kDigits[(group >> 6) & 63] : '=';
    out += left > 2 ? kDigits[group & 63] : '=';
  }
}

void AppendText(const Column& column, int32_t row, std::string& out) {
  if (column.IsNull(row)) {
    out += "null";
  } else if (column.type().is_nested()) {
    AppendJsonText(column, row, out);
  } else {
    AppendScalar(column, row, out);
  }
}

void AppendJsonText(const Column& column, int32_t row, std::string& out) {
  if (column.IsNull(row)) {
    out += "null";
    return;
  }
  switch (column.type().kind()) {
    case TypeKind::kArray: return AppendJsonArray(column, row, out);
    case TypeKind::kMap: return AppendJsonMap(column, row, out);
    case TypeKind::kStruct: return AppendJsonStruct(column, row, out);
    case TypeKind::kString: return AppendJsonString(column.GetString(row), out);
    default: break;
  }
  if (IsBareInJson(column, row)) return AppendScalar(column, row, out);
  out += '"';
  AppendScalar(column, row, out);
  out += '"';
}

void AppendCastText(const Column& column, int32_t row, std::string& out) {
  if (column.IsNull(row)) {
    out += "null";
    return;
  }
  switch (column.type().kind()) {
    case TypeKind::kArray:
    case TypeKind::kMap: {
      const bool is_map = column.type().is(TypeKind::kMap);
      out += is_map ? '{' : '[';
      const int32_t begin = column.offsets()[row];
      for (int32_t i = begin; i < column.offsets()[row + 1]; ++i) {
        if (i != begin) out += ", ";
        AppendCastText(*column.child(0), i, out);
        if (!is_map) continue;
        out += '=';
        AppendCastText(*column.child(1), i, out);
      }
      out += is_map ? '}' : ']';
      return;
    }
    case TypeKind::kStruct: {
      // As Kafka Connect writes a struct: fields without a value are left out.
      out += "Struct{";
      bool first = true;
      int index = -1;
      for (const DataType::Field& field : column.type().fields()) {
        const Column& child = *column.child(++index);
        if (child.IsNull(row)) continue;
        if (!first) out += ',';
        first = false;
        out += field.name;
        out += '=';
        AppendCastText(child, row, out);
      }
      out += '}';
      return;
    }
    default: return AppendScalar(column, row, out);
  }
}

}  // namespace weir

#include "exec/connect/header_codec.h"

#include <cstring>

namespace weir {
namespace {

bool TakeLength(std::string_view& bytes, int32_t& length) {
  if (bytes.size() < sizeof length) return false;
  std::memcpy(&length, bytes.data(), sizeof length);
  bytes.remove_prefix(sizeof length);
  return length < 0 || static_cast<size_t>(length) <= bytes.size();
}

std::string_view Take(std::string_view& bytes, int32_t length) {
  const std::string_view taken = bytes.substr(0, static_cast<size_t>(length));
  bytes.remove_prefix(taken.size());
  return taken;
}

}  // namespace

void AppendHeader(std::string_view name, const std::optional<std::string_view>& value,
                  BufferBuilder& out) {
  out.AppendValue(static_cast<int32_t>(name.size()));
  out.Append(name.data(), name.size());
  out.AppendValue(value ? static_cast<int32_t>(value->size()) : -1);
  if (value) out.Append(value->data(), value->size());
}

bool DecodeHeaders(std::string_view encoded, std::vector<HeaderView>& out) {
  out.clear();
  while (!encoded.empty()) {
    HeaderView header;
    int32_t length = 0;
    if (!TakeLength(encoded, length) || length < 0) return false;
    header.name = Take(encoded, length);
    if (!TakeLength(encoded, length)) return false;
    if (length >= 0) header.value = Take(encoded, length);
    out.push_back(header);
  }
  return true;
}

}  // namespace weir

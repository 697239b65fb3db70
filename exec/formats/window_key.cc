// The window in the bytes of a key, as Kafka Streams' serializers write it.

#include "exec/formats/format.h"

namespace weir {
namespace {

void AppendTime(int64_t time_ms, BufferBuilder& bytes) {
  char text[8];
  auto value = static_cast<uint64_t>(time_ms);
  for (int i = 7; i >= 0; --i, value >>= 8) text[i] = static_cast<char>(value);
  bytes.Append(text, sizeof text);
}

int64_t TakeTime(std::string_view& key) {
  uint64_t value = 0;
  for (char c : key.substr(key.size() - 8)) value = value << 8 | static_cast<uint8_t>(c);
  key.remove_suffix(8);
  return static_cast<int64_t>(value);
}

}  // namespace

void AppendWindowToKey(WindowKeyKind kind, int64_t start_ms, int64_t end_ms, BufferBuilder& bytes) {
  if (kind == WindowKeyKind::kNone) return;
  if (kind == WindowKeyKind::kSession) AppendTime(end_ms, bytes);
  AppendTime(start_ms, bytes);
}

bool SplitWindowedKey(WindowKeyKind kind, int64_t size_ms, std::string_view& key, int64_t& start_ms,
                      int64_t& end_ms) {
  if (kind == WindowKeyKind::kNone) return true;
  if (key.size() < (kind == WindowKeyKind::kSession ? 16u : 8u)) return false;
  start_ms = TakeTime(key);
  end_ms = kind == WindowKeyKind::kSession ? TakeTime(key) : start_ms + size_ms;
  return true;
}

}  // namespace weir

#include "exec/operators/source_clocks.h"

#include <algorithm>
#include <string>

#include "exec/state/row_codec.h"

namespace weir {

Status SourceClocks::Load(const StateStore& store) {
  return store.Scan("", "", [&](std::string_view key, std::string_view value) {
    Clock clock;
    int64_t source = 0, partition = 0;
    if (ReadOrdered64(key, source) && ReadOrdered64(key, partition) &&
        ReadOrdered64(value, clock.highest)) {
      clock.source = static_cast<int32_t>(source);
      clock.partition = static_cast<int32_t>(partition);
      clocks_.push_back(clock);
    }
    return true;
  });
}

void SourceClocks::Save(StateStore& store) {
  std::string key, value;
  for (Clock& clock : clocks_) {
    if (!clock.dirty) continue;
    clock.dirty = false;
    key.clear();
    value.clear();
    AppendOrdered64(clock.source, key);
    AppendOrdered64(clock.partition, key);
    AppendOrdered64(clock.highest, value);
    store.Put(key, value);
  }
}

SourceClocks::Clock& SourceClocks::Of(const Chunk& chunk) {
  for (Clock& clock : clocks_) {
    if (clock.source == chunk.source && clock.partition == chunk.source_partition) return clock;
  }
  clocks_.push_back({chunk.source, chunk.source_partition});
  return clocks_.back();
}

int64_t SourceClocks::Highest() const {
  int64_t highest = INT64_MIN;
  for (const Clock& clock : clocks_) highest = std::max(highest, clock.highest);
  return highest;
}

}  // namespace weir

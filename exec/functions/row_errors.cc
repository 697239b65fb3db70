#include "exec/functions/row_errors.h"

namespace weir {

void RowErrors::Add(int32_t row, std::string_view message) {
  ++count_;
  if (entries_.size() < kEntriesMax) entries_.push_back({row, std::string(message)});
}

void RowErrors::Clear() {
  count_ = 0;
  entries_.clear();
}

void RowErrors::ForgetFrom(int64_t count) {
  if (count >= count_) return;
  count_ = count;
  if (static_cast<size_t>(count) < entries_.size()) {
    entries_.resize(static_cast<size_t>(count));
  }
}

void RowErrors::ForwardTo(RowErrors& target, std::span<const int32_t> rows) const {
  for (const Entry& entry : entries_) {
    target.Add(rows[static_cast<size_t>(entry.row)], entry.message);
  }
  target.count_ += count_ - static_cast<int64_t>(entries_.size());
}

}  // namespace weir

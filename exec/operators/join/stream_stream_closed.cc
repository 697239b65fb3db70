// Rows of a join of two streams that have matched nothing until their windows closed.

#include <algorithm>
#include <numeric>

#include "base/status_macros.h"
#include "exec/operators/join/stream_stream_join.h"
#include "exec/operators/key_order.h"

namespace weir {
namespace {

/// Rows that come out alone at once, but for more of one time.
constexpr size_t kClosedRowsMax = 16384;

}  // namespace

// Rows whose windows have closed come out alone.
Status StreamStreamJoin::EmitClosed() {
  for (bool more = true; more;) {
    closed_.clear();
    WEIR_RETURN_IF_ERROR(TakeClosed(&more));
    WEIR_RETURN_IF_ERROR(PushClosed());
  }
  return OkStatus();
}

// Some of them, earliest first; all of one time together.
Status StreamStreamJoin::TakeClosed(bool* more) {
  *more = false;
  std::pair<int64_t, int64_t> rows[2];
  bool waits[2] = {false, false};
  auto look = [&](int input) {
    JoinSide& side = sides_[input];
    if (!side.is_outer) return OkStatus();
    return Named(side, side.buffer.EarliestWaiting(ClosedBefore(side), rows[input], &waits[input]));
  };
  for (int input : {0, 1}) WEIR_RETURN_IF_ERROR(look(input));
  while (waits[0] || waits[1]) {
    const int input = !waits[1] || (waits[0] && rows[0].first <= rows[1].first) ? 0 : 1;
    const auto [time, ordinal] = rows[input];
    if (closed_.size() >= kClosedRowsMax && closed_.back().time < time) {
      *more = true;
      return OkStatus();
    }
    closed_.push_back({time, input, ordinal, {}});
    sides_[input].buffer.ClearWaiting(ordinal, time);
    WEIR_RETURN_IF_ERROR(look(input));
  }
  return OkStatus();
}

// Kafka Streams looks when the earliest row that it knows to wait may have closed, by the window of
// the side that a row came from; and remembers the last row that it looked at for the earliest.
Status StreamStreamJoin::EmitClosedAsKafka(int input) {
  if (look_from_ + sides_[input].look_ahead + node_.grace_ms >= shared_time_) return OkStatus();
  look_from_ = INT64_MAX;
  closed_.clear();
  for (int side : {0, 1}) {
    if (!sides_[side].is_outer) continue;
    WEIR_RETURN_IF_ERROR(Named(sides_[side], sides_[side].buffer.Waiting(waiting_)));
    for (const auto& [time, ordinal] : waiting_) closed_.push_back({time, side, ordinal, {}});
  }
  std::sort(closed_.begin(), closed_.end(), [this](const Closed& a, const Closed& b) {
    return a.time != b.time ? a.time < b.time : ClosedSideOrder(a) < ClosedSideOrder(b);
  });
  bool open[2] = {false, false};
  size_t kept = 0;
  for (const Closed& row : closed_) {
    look_from_ = row.time;
    if (open[0] && open[1]) break;
    if (row.time >= ClosedBefore(sides_[row.input])) {
      open[row.input] = true;
      continue;
    }
    sides_[row.input].buffer.ClearWaiting(row.ordinal, row.time);
    closed_[kept++] = row;
  }
  closed_.resize(kept);
  return PushClosed();
}

// Of rows of one time those of the side first that is not the one whose rows all come out.
int StreamStreamJoin::ClosedSideOrder(const Closed& row) const {
  return row.input == (node_.join == physical::JoinKind::kRight ? 1 : 0) ? 1 : 0;
}

// By time; then by side; then by the key's bytes, so that it does not matter who read faster; rows
// of one key as they came.
void StreamStreamJoin::SortClosed() {
  if (closed_.size() < 2) return;
  std::vector<KeyOrder> orders;
  std::vector<int32_t> places(closed_.size());
  for (int input : {0, 1}) {
    std::vector<RowRef> refs;
    for (size_t i = 0; i < closed_.size(); ++i) {
      if (closed_[i].input != input) continue;
      places[i] = static_cast<int32_t>(refs.size());
      refs.push_back(closed_[i].ref);
    }
    std::vector<ColumnPtr> keys;
    for (int column = 0; column < key_columns(); ++column) {
      keys.push_back(sides_[input].buffer.Gather(column, refs, nullptr));
    }
    orders.emplace_back(std::move(keys));
  }
  std::vector<size_t> order(closed_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t i, size_t j) {
    const Closed& a = closed_[i];
    const Closed& b = closed_[j];
    if (a.time != b.time) return a.time < b.time;
    if (a.input != b.input) return ClosedSideOrder(a) < ClosedSideOrder(b);
    const int keys = orders[a.input].Compare(places[i], places[j]);
    return keys != 0 ? keys < 0 : a.ordinal < b.ordinal;
  });
  std::vector<Closed> sorted;
  for (size_t i : order) sorted.push_back(closed_[i]);
  closed_ = std::move(sorted);
}

Status StreamStreamJoin::PushClosed() {
  if (closed_.empty()) return OkStatus();
  bool any_cold = false;
  for (Closed& row : closed_) {
    const JoinBuffer& buffer = sides_[row.input].buffer;
    if (buffer.IsCold(row.ordinal)) {
      any_cold = true;
    } else {
      row.ref = buffer.Locate(row.ordinal);
    }
  }
  if (any_cold) return PushClosedCold();
  SortClosed();
  for (const Closed& row : closed_) Push(row.input, row.ref, RowRef(), row.time);
  return OkStatus();
}

// Some of the rows are read back first.
Status StreamStreamJoin::PushClosedCold() {
  for (int input : {0, 1}) {
    JoinSide& side = sides_[input];
    std::vector<int64_t> ordinals;
    for (const Closed& row : closed_) {
      if (row.input == input && side.buffer.IsCold(row.ordinal)) ordinals.push_back(row.ordinal);
    }
    std::sort(ordinals.begin(), ordinals.end());
    WEIR_RETURN_IF_ERROR(Named(side, side.buffer.Fetch(std::move(ordinals), side.fetched_closed)));
    const std::vector<int64_t>& fetched = side.fetched_closed.ordinals;
    for (Closed& row : closed_) {
      if (row.input != input || !side.buffer.IsCold(row.ordinal)) continue;
      const auto at = std::lower_bound(fetched.begin(), fetched.end(), row.ordinal);
      row.ref = {side.fetched_closed.piece, static_cast<int32_t>(at - fetched.begin())};
    }
  }
  SortClosed();
  for (const Closed& row : closed_) Push(row.input, row.ref, RowRef(), row.time);
  WEIR_RETURN_IF_ERROR(Flush());
  for (JoinSide& side : sides_) side.buffer.Release(side.fetched_closed);
  return OkStatus();
}

}  // namespace weir

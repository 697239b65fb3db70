#pragma once

// What the brokers' commit units have in common: they collect appends and state changes, and hand
// them over at Commit.

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "exec/connect/topic.h"

namespace weir {

/// Records for one partition, in the order they were appended.
struct PendingAppend {
  std::string topic;
  int32_t partition = 0;
  RecordBatch records;  ///< Without offsets.
};

struct StateChange {
  enum class Kind : uint8_t { kPut, kDelete, kDeleteRange } kind;
  std::string_view key;
  std::string_view value;  ///< Of kPut; the range's end of kDeleteRange.
};

/// Texts side by side in large pieces, which are kept for the texts of the next commit.
class TextPieces {
 public:
  /// A copy that lives until Clear.
  std::string_view Add(std::string_view text);
  void Clear();

 private:
  struct Piece {
    std::unique_ptr<char[]> bytes;
    size_t size;
  };
  std::vector<Piece> pieces_;
  size_t current_ = 0;  // Piece that is being filled…
  size_t used_ = 0;     // …and how far.
};

/// Changes of state in the order in which they were made.
struct StateChanges {
  std::vector<StateChange> list;  ///< Views of `texts`.
  TextPieces texts;

  void Add(StateChange::Kind kind, std::string_view key, std::string_view value);
};

/// One atomic step as collected.
struct CommitBuffer {
  std::vector<PendingAppend> appends;
  /// Readers of what is not committed yet share them, and see no later ones.
  std::shared_ptr<StateChanges> changes = std::make_shared<StateChanges>();
  /// Known only when all else is written; behind the others.
  StateChanges last_changes;
  size_t bytes = 0;
};

/// Collects; `apply` carries a buffer out. After an error the buffer is kept, so that Commit can be
/// tried again. Safe from any thread.
class BufferedCommitUnit final : public CommitUnit {
 public:
  using Apply = std::function<Status(CommitBuffer&)>;
  explicit BufferedCommitUnit(Apply apply) : apply_(std::move(apply)) {}

  Status Append(std::string_view topic, int32_t partition, RecordBatchBuilder& records) override;
  void Put(std::string_view key, std::string_view value) override;
  void Delete(std::string_view key) override;
  void DeleteRange(std::string_view from, std::string_view to) override;
  void PutLast(std::string_view key, std::string_view value) override;
  size_t byte_size() const override;
  std::shared_ptr<const StateReader> Over(const StateReader& below) const override;
  Status Commit() override;

 private:
  void AddChange(StateChange::Kind kind, std::string_view key, std::string_view value);

  mutable std::mutex mutex_;
  CommitBuffer buffer_;
  Apply apply_;
};

/// Takes the builder's records, which must each fit limits::kRecordBytesMax (kRecordTooLarge).
Status TakeRecords(std::string_view topic, int32_t partition, RecordBatchBuilder& records,
                   PendingAppend& out);

/// kUnknownTopic; one wording for all brokers.
Status UnknownTopic(std::string_view topic);
Status UnknownPartition(std::string_view topic, int32_t partition, int32_t partitions);
/// Checks Kafka's rule for names and 1 <= partitions.
Status CheckTopicInfo(const TopicInfo& info);
/// The timestamp from which on a topic's partition keeps its records, whose highest one is
/// `timestamp_max`: INT64_MIN if it keeps all.
int64_t KeptFrom(const TopicInfo& info, int64_t timestamp_max);

/// Listeners of read sessions, called when records may have come. Safe from any thread.
class WakeList {
 public:
  /// A session's place in the list; it is forgotten when the session lets go of it.
  struct Entry {
    std::mutex mutex;
    std::function<void()> listener;
  };
  std::shared_ptr<Entry> Add();
  void Wake();

 private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<Entry>> entries_;
};

}  // namespace weir

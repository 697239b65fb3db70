#pragma once

// The receiving end of an exchange that is a topic: reads one partition of it and leaves the rows
// where the exchange input looks for them. What the upstream tasks have said of their stream times
// is part of the commit, as what they said before is not read again.

#include <memory>
#include <string>

#include "exec/runtime/query/query_environment.h"
#include "exec/runtime/task/task_journal.h"

namespace weir {

/// One thread at a time.
class RepartitionInput {
 public:
  RepartitionInput(QueryEnvironment& environment, int exchange, int32_t partition);

  /// Loads what upstream tasks said before, and opens the topic where the last commit left it.
  Status Open(TaskContext& context, TaskJournal& journal);
  /// Takes in what has come, a bounded amount; sets `*any` if there was something.
  Status Poll(bool* any);
  /// Before a commit: notes the position, and what is known of upstream tasks.
  void NotePosition(TaskJournal& journal);
  /// As the exchange input sees it: upstream tasks and their rows for this partition.
  ExchangeBuffer& inbox() { return inbox_; }
  const PartitionReader& reader() const { return *reader_; }
  const std::string& topic() const { return topic_; }

 private:
  Status LoadUpstreams();
  Status UnknownUpstream(int32_t upstream) const;
  Status TakeBlock(std::string_view bytes, int64_t offset);

  QueryEnvironment& env_;
  const int32_t partition_;
  const std::string topic_;
  ExchangeBuffer inbox_;
  std::unique_ptr<PartitionReader> reader_;
  StateStore* store_ = nullptr;
  std::string saved_;  // What the store holds.
  RecordBatch batch_;
};

}  // namespace weir

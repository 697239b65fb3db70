#pragma once

// CONNECTOR='file' as a sink: the records that a query writes become lines at the end of a file, in
// step with its commits. Properties: PATH, VALUE_FORMAT (default by extension, as for sources),
// HEADER (DELIMITED: the first line names the columns, default true), VALUE_DELIMITER.
//
// How many bytes of the file are the query's is kept with its state, and with it which file that is
// (device, inode, time of birth) and a checksum of the last of these bytes: a file that is another
// one is neither cut nor written to. No symbolic link is followed. A commit writes and syncs the
// lines behind them before it makes state and positions durable; what a crash leaves behind them is
// cut off when the query opens again, with a warning. So each row is in the file once. A record
// without a value has no line.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "exec/connect/topic.h"

namespace weir {

struct FileSinkOptions {
  /// `source_name` is the topic by which records are appended; all columns are written.
  std::vector<ConnectorSpec> sinks;
  std::string state_prefix;  ///< Of the query.
  std::function<void(std::string_view)> warn;
};

/// The files that a query writes, open and locked as long as this or a unit of it is there.
class FileSinks {
 public:
  FileSinks();
  FileSinks(FileSinks&&) noexcept;
  FileSinks& operator=(FileSinks&&) noexcept;
  ~FileSinks();

  /// What is to be noted of them goes into `first`, the next unit to be committed. Errors:
  /// kAlreadyExists if a file has bytes that this query did not write, or a link is in its place;
  /// kIoError if it cannot be written, has lost bytes, or another query writes it.
  static Result<FileSinks> Open(const FileSinkOptions& options, const StateBackend& state,
                                CommitUnit& first);
  /// `unit`, with what is appended to the topics of the sinks going to their files; `unit` itself
  /// where there are none. Its Commit gives kIoError if a file was replaced, or written by somebody
  /// else, since.
  std::unique_ptr<CommitUnit> Add(std::unique_ptr<CommitUnit> unit) const;

 private:
  struct Files;
  explicit FileSinks(std::unique_ptr<Files> files);
  std::unique_ptr<Files> files_;
};

}  // namespace weir

#pragma once

// How far a store's database has been written, kept beside it: a log that was lost or cut short
// leaves a database that opens, only an older one, and RocksDB takes that for a crash before the
// write.

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "weir/status.h"

namespace weir {

/// What the mark says.
struct WrittenTo {
  uint64_t sequence = 0;         ///< RocksDB's number of the last write that was acknowledged.
  uint64_t synced_sequence = 0;  ///< Of the last one that waited for the disk.
  uint64_t log_number = 0;       ///< The log that it went to, and that log's bytes then.
  uint64_t log_bytes = 0;
};

/// The file of one store. The mark is written behind the writes and is not synced: it outlives the
/// process, and after a loss of power it may say less than there is, never more. Safe from any
/// thread.
class WriteMark {
 public:
  /// The file may be missing: earlier versions wrote none. kStoreIo.
  static Result<std::unique_ptr<WriteMark>> Open(const std::string& path);
  ~WriteMark();
  WriteMark(const WriteMark&) = delete;
  WriteMark& operator=(const WriteMark&) = delete;

  const std::string& path() const { return path_; }
  /// What was there when the file was opened; nothing if it is missing or damaged.
  const std::optional<WrittenTo>& found() const { return found_; }
  /// The sequence that the database must reach: of what was not synced only while the machine has
  /// not started anew since.
  uint64_t required_sequence() const;
  /// Moves the mark on; it never goes back.
  void Note(const WrittenTo& to);

 private:
  WriteMark(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  void Read();
  const std::string path_;
  const int fd_;
  std::optional<WrittenTo> found_;
  bool same_boot_ = false;
  std::mutex mutex_;
  WrittenTo now_;  ///< Under mutex_.
};

}  // namespace weir

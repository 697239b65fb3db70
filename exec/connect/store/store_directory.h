#pragma once

// A directory that one process owns: a marker file with the format's version, a lock file with the
// owner's process id, and a folder with the database.

#include <memory>
#include <string>

#include "weir/status.h"

namespace weir {

/// Holds the lock of a directory as long as it lives. Movable by pointer only.
class StoreDirectory {
 public:
  static constexpr const char* kWriteMarkName = "weir.written";

  /// Makes `path` a store if it is missing or empty, checks it otherwise, and locks it.
  /// kStoreLocked names the owner's pid; kNotAStore, kStoreVersion, kStoreCorrupt, kStoreIo.
  static Result<std::unique_ptr<StoreDirectory>> Open(const std::string& path);
  ~StoreDirectory();
  StoreDirectory(const StoreDirectory&) = delete;
  StoreDirectory& operator=(const StoreDirectory&) = delete;

  const std::string& path() const { return path_; }
  /// Where the database lies.
  std::string database_path() const { return path_ + "/db"; }
  /// Where it says how far the database has been written.
  std::string write_mark_path() const { return path_ + "/" + kWriteMarkName; }
  /// True if nothing was stored before: the database is to be made, then Finish() called.
  bool is_new() const { return is_new_; }
  /// Gives a new store its marker; until then a crash leaves nothing that counts.
  Status Finish();

 private:
  StoreDirectory(std::string path, int lock_fd) : path_(std::move(path)), lock_fd_(lock_fd) {}
  Status CheckMarker();
  Status BeginMarker();
  std::string path_;
  int lock_fd_;
  bool is_new_ = false;
};

}  // namespace weir

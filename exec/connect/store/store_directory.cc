#include "exec/connect/store/store_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace weir {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMarkerStart = "weir store, format ";
constexpr int kFormatVersion = 2;
constexpr const char* kMarkerName = "weir.store";
constexpr const char* kLockName = "weir.lock";
constexpr const char* kDatabaseName = "db";

Status IoError(const std::string& what, int error) {
  return Status(ErrorCode::kStoreIo, what + ": " + std::strerror(error));
}

/// Creates the directory and looks at what it holds. Without the marker it may hold what a creation
/// that was broken off left behind, and nothing else.
Status PrepareDirectory(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return IoError("the store's directory cannot be made, " + path, error.value());
  if (!fs::is_directory(path, error)) {
    return Status(ErrorCode::kNotAStore, "not a directory: " + path);
  }
  if (fs::exists(fs::path(path) / kMarkerName, error)) return OkStatus();
  const bool broken_off = fs::exists(fs::path(path) / (std::string(kMarkerName) + ".new"), error);
  const bool locked_before = fs::exists(fs::path(path) / kLockName, error);
  fs::directory_iterator entries(path, error);
  if (error) return IoError("the store's directory cannot be read, " + path, error.value());
  for (const auto& entry : entries) {
    const std::string name = entry.path().filename().string();
    if (name == kLockName || name == std::string(kMarkerName) + ".new") continue;
    if (name == StoreDirectory::kWriteMarkName) continue;
    if (name == kDatabaseName && broken_off) continue;
    if (name == kDatabaseName && locked_before) {
      return Status(ErrorCode::kStoreCorrupt,
                    "the store's marker is missing: " + path + "/" + kMarkerName);
    }
    return Status(ErrorCode::kNotAStore,
                  "the directory holds other things than a Weir store: " + path)
        .WithHint("an empty or a missing directory becomes a store");
  }
  return OkStatus();
}

Status LockedBy(const std::string& path, int fd) {
  char text[32] = {};
  const ssize_t length = pread(fd, text, sizeof text - 1, 0);
  std::string owner(text, length > 0 ? static_cast<size_t>(length) : 0);
  while (!owner.empty() && owner.back() == '\n') owner.pop_back();
  return Status(ErrorCode::kStoreLocked,
                "the store " + path +
                    " is open in another process, pid: " + (owner.empty() ? "unknown" : owner))
      .WithHint("close that process, or use another directory");
}

}  // namespace

Result<std::unique_ptr<StoreDirectory>> StoreDirectory::Open(const std::string& path) {
  if (Status status = PrepareDirectory(path); !status.ok()) return status;
  const std::string lock_path = path + "/" + kLockName;
  const int fd = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return IoError("the store cannot be written, " + lock_path, errno);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    Status status = error == EWOULDBLOCK ? LockedBy(path, fd)
                                         : IoError("the store cannot be locked, " + path, error);
    close(fd);
    return status;
  }
  std::unique_ptr<StoreDirectory> directory(new StoreDirectory(path, fd));
  const std::string pid = std::to_string(getpid()) + "\n";
  if (ftruncate(fd, 0) != 0 || pwrite(fd, pid.data(), pid.size(), 0) < 0) {
    return IoError("the store cannot be written, " + lock_path, errno);
  }
  if (Status status = directory->CheckMarker(); !status.ok()) return status;
  return directory;
}

StoreDirectory::~StoreDirectory() { close(lock_fd_); }

Status StoreDirectory::CheckMarker() {
  const std::string marker_path = path_ + "/" + kMarkerName;
  std::error_code error;
  if (!fs::exists(marker_path, error)) return BeginMarker();
  std::ifstream file(marker_path);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file)
    return Status(ErrorCode::kStoreIo, "the store's marker cannot be read: " + marker_path);
  const std::string marker = text.str();
  int version = 0;
  const char* number = marker.data() + kMarkerStart.size();
  if (!marker.starts_with(kMarkerStart) ||
      std::from_chars(number, marker.data() + marker.size(), version).ec != std::errc()) {
    return Status(ErrorCode::kStoreCorrupt, "the store's marker is not one: " + marker_path);
  }
  if (version != kFormatVersion) {
    return Status(ErrorCode::kStoreVersion,
                  "the store " + path_ + " has format " + std::to_string(version) +
                      ", and this Weir reads format " + std::to_string(kFormatVersion))
        .WithHint("open it with the Weir that wrote it, or a newer one");
  }
  return OkStatus();
}

/// The marker is written beside its place and renamed when the database is made: it is there whole
/// or not at all.
Status StoreDirectory::BeginMarker() {
  const std::string fresh_path = path_ + "/" + kMarkerName + ".new";
  const std::string text = std::string(kMarkerStart) + std::to_string(kFormatVersion) + "\n";
  const int fd = open(fresh_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return IoError("the store cannot be written, " + fresh_path, errno);
  const bool written =
      write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(fd) == 0;
  const int error = errno;
  close(fd);
  if (!written) return IoError("the store cannot be written, " + fresh_path, error);
  std::error_code ignored;
  fs::remove_all(database_path(), ignored);
  fs::remove(write_mark_path(), ignored);
  is_new_ = true;
  return OkStatus();
}

Status StoreDirectory::Finish() {
  const std::string marker_path = path_ + "/" + kMarkerName;
  if (rename((marker_path + ".new").c_str(), marker_path.c_str()) != 0) {
    return IoError("the store cannot be written, " + marker_path, errno);
  }
  const int fd = open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) {
    fsync(fd);
    close(fd);
  }
  is_new_ = false;
  return OkStatus();
}

}  // namespace weir

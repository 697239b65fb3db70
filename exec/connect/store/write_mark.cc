#include "exec/connect/store/write_mark.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>

#include "exec/connect/store/block_checksum.h"

namespace weir {
namespace {

constexpr char kMagic[8] = {'w', 'e', 'i', 'r', 'm', 'k', '1', '\n'};

/// Which start of the machine this is; empty if it does not tell.
std::string BootId() {
  std::string id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> id;
  return id;
}

/// The file's bytes, all of them: a write of one page reaches a file whole.
struct MarkBytes {
  char magic[8];
  char boot_id[40];
  WrittenTo to;
  uint64_t checksum;

  uint64_t Checksum() const {
    return BlockChecksum(reinterpret_cast<const char*>(this), offsetof(MarkBytes, checksum));
  }
};
static_assert(sizeof(MarkBytes) == 88, "the file's layout, without gaps");

}  // namespace

Result<std::unique_ptr<WriteMark>> WriteMark::Open(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) {
    return Status(ErrorCode::kStoreIo,
                  "the store cannot be written, " + path + ": " + std::strerror(errno));
  }
  std::unique_ptr<WriteMark> mark(new WriteMark(path, fd));
  mark->Read();
  return mark;
}

WriteMark::~WriteMark() { close(fd_); }

void WriteMark::Read() {
  MarkBytes bytes;
  if (pread(fd_, &bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes)) return;
  if (std::memcmp(bytes.magic, kMagic, sizeof kMagic) != 0) return;
  if (bytes.checksum != bytes.Checksum()) return;
  found_ = bytes.to;
  const std::string boot_id = BootId();
  const std::string then(bytes.boot_id, strnlen(bytes.boot_id, sizeof bytes.boot_id));
  same_boot_ = !boot_id.empty() && then == boot_id;
  now_.synced_sequence = bytes.to.synced_sequence;
}

uint64_t WriteMark::required_sequence() const {
  if (!found_) return 0;
  return same_boot_ ? found_->sequence : found_->synced_sequence;
}

void WriteMark::Note(const WrittenTo& to) {
  static const std::string boot_id = BootId();
  std::lock_guard lock(mutex_);
  if (to.sequence >= now_.sequence) {
    now_.sequence = to.sequence;
    now_.log_number = to.log_number;
    now_.log_bytes = to.log_bytes;
  }
  now_.synced_sequence = std::max(now_.synced_sequence, to.synced_sequence);
  MarkBytes bytes = {};
  std::memcpy(bytes.magic, kMagic, sizeof kMagic);
  std::memcpy(bytes.boot_id, boot_id.data(), std::min(boot_id.size(), sizeof bytes.boot_id));
  bytes.to = now_;
  bytes.checksum = bytes.Checksum();
  // A mark that cannot be written says less than there is, which does no harm.
  [[maybe_unused]] const ssize_t written = pwrite(fd_, &bytes, sizeof bytes, 0);
}

}  // namespace weir

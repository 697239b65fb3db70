#include "exec/connect/application_state.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/status_macros.h"
#include "exec/connect/store/rocks_store.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

std::string DefaultStateFolder() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state != '\0') return std::string(state) + "/weir";
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home == '\0') home = ".";
  return std::string(home) + "/.local/state/weir";
}

bool IsNumber(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(),
                                      [](unsigned char c) { return c >= '0' && c <= '9'; });
}

int64_t BytesIn(const fs::path& path) {
  int64_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator it(path, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code gone;
    if (it->is_regular_file(gone)) bytes += static_cast<int64_t>(it->file_size(gone));
  }
  return bytes;
}

// Asks for the lock without taking it for longer than the question.
std::string OwnerOf(const fs::path& path) {
  const int fd = open((path / "weir.lock").c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return {};
  std::string owner;
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    char text[32] = {};
    const ssize_t length = pread(fd, text, sizeof text - 1, 0);
    owner.assign(text, length > 0 ? static_cast<size_t>(length) : 0);
    while (!owner.empty() && owner.back() == '\n') owner.pop_back();
    if (owner.empty()) owner = "unknown";
  }
  close(fd);
  return owner;
}

}  // namespace

std::string ApplicationStateFolder(const std::string& state_dir, std::string_view application_id) {
  return (state_dir.empty() ? DefaultStateFolder() : state_dir) + "/" + std::string(application_id);
}

Result<std::vector<ApplicationState>> ListApplicationState(const std::string& folder) {
  std::vector<ApplicationState> found;
  std::error_code error;
  if (!fs::exists(folder, error)) return found;
  fs::directory_iterator entries(folder, error);
  if (error) {
    return Status(ErrorCode::kStoreIo,
                  "the state's directory cannot be read, " + folder + ": " + error.message());
  }
  for (const fs::directory_entry& entry : entries) {
    const fs::path path = entry.path();
    if (!IsNumber(path.filename().string()) || !fs::exists(path / "weir.lock", error)) continue;
    found.push_back({path.string(), BytesIn(path), OwnerOf(path)});
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::make_pair(a.path.size(), a.path) < std::make_pair(b.path.size(), b.path);
  });
  return found;
}

Status DeleteApplicationState(const std::string& path) {
  // Held until all is gone, so that no copy opens what is being deleted.
  WEIR_ASSIGN_OR_RETURN(const std::unique_ptr<StoreDirectory> lock, StoreDirectory::Open(path));
  std::error_code error;
  fs::remove_all(path, error);
  if (!error) return OkStatus();
  return Status(ErrorCode::kStoreIo, "state cannot be deleted, " + path + ": " + error.message());
}

Result<int64_t> CountStateKeys(const std::string& path, std::string_view from,
                               std::string_view to) {
  WEIR_ASSIGN_OR_RETURN(std::shared_ptr<RocksStore> store, RocksStore::Open(path, false));
  int64_t count = 0;
  WEIR_RETURN_IF_ERROR(RocksState(store).Scan(from, to, [&](std::string_view, std::string_view) {
    ++count;
    return true;
  }));
  return count;
}

Status DeleteStateKeys(const std::string& path, std::string_view from, std::string_view to) {
  WEIR_ASSIGN_OR_RETURN(std::shared_ptr<RocksStore> store, RocksStore::Open(path, false));
  rocksdb::WriteBatch batch;
  AddStateChanges({{StateChange::Kind::kDeleteRange, from, to}}, *store, batch);
  return store->Write(batch, true);
}

}  // namespace weir

#include "exec/runtime/task/checkpoint.h"

#include <cstring>

#include "base/status_macros.h"

namespace weir {
namespace {

constexpr uint8_t kVersion = 1;
constexpr uint32_t kEntriesMax = 1u << 20;

template <typename T>
void Append(T value, std::string& out) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void AppendText(std::string_view text, std::string& out) {
  Append(static_cast<uint32_t>(text.size()), out);
  out.append(text);
}

// Takes pieces off the front of `bytes`; ok() stays false once something was missing.
class Input {
 public:
  explicit Input(std::string_view bytes) : bytes_(bytes) {}

  template <typename T>
  T Take() {
    T value{};
    if (bytes_.size() < sizeof(value)) {
      ok_ = false;
      return value;
    }
    std::memcpy(&value, bytes_.data(), sizeof(value));
    bytes_.remove_prefix(sizeof(value));
    return value;
  }
  std::string TakeText() {
    const auto size = Take<uint32_t>();
    if (bytes_.size() < size) ok_ = false;
    if (!ok_) return {};
    std::string text(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
    return text;
  }
  uint32_t TakeCount() {
    const auto count = Take<uint32_t>();
    if (count > kEntriesMax) ok_ = false;
    return ok_ ? count : 0;
  }
  ChangelogOwner TakeOwner() {
    ChangelogOwner owner;
    owner.era = Take<uint32_t>();
    owner.generation = Take<int32_t>();
    owner.id = Take<uint64_t>();
    return owner;
  }
  bool ok() const { return ok_; }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

}  // namespace

std::string EncodeCheckpoint(const Checkpoint& checkpoint) {
  std::string out;
  Append(kVersion, out);
  Append(checkpoint.fingerprint, out);
  Append(checkpoint.partitions, out);
  out += EncodeOwner(checkpoint.owner);
  Append(static_cast<uint32_t>(checkpoint.inputs.size()), out);
  for (const auto& [name, position] : checkpoint.inputs) {
    AppendText(name, out);
    Append(position.next, out);
    Append(position.decoded, out);
    Append(position.table_end, out);
  }
  Append(static_cast<uint32_t>(checkpoint.state.size()), out);
  for (const auto& [key, value] : checkpoint.state) {
    AppendText(key, out);
    AppendText(value, out);
  }
  return out;
}

Result<Checkpoint> DecodeCheckpoint(std::string_view bytes) {
  Input input(bytes);
  const auto version = input.Take<uint8_t>();
  if (input.ok() && version > kVersion) {
    return Status(ErrorCode::kStoreVersion, "a task's checkpoint was written by a newer Weir");
  }
  Checkpoint checkpoint;
  checkpoint.fingerprint = input.Take<uint64_t>();
  checkpoint.partitions = input.Take<int32_t>();
  checkpoint.owner = input.TakeOwner();
  for (uint32_t left = input.TakeCount(); left > 0 && input.ok(); --left) {
    std::string name = input.TakeText();
    InputPosition position;
    position.next = input.Take<int64_t>();
    position.decoded = input.Take<int64_t>();
    position.table_end = input.Take<int64_t>();
    checkpoint.inputs.emplace(std::move(name), position);
  }
  for (uint32_t left = input.TakeCount(); left > 0 && input.ok(); --left) {
    std::string key = input.TakeText();
    std::string value = input.TakeText();
    checkpoint.state.emplace(std::move(key), std::move(value));
  }
  if (version == 0 || !input.ok()) {
    return Status(ErrorCode::kStoreCorrupt, "a task's checkpoint is malformed");
  }
  return checkpoint;
}

std::string EncodeOwner(const ChangelogOwner& owner) {
  std::string out;
  Append(owner.era, out);
  Append(owner.generation, out);
  Append(owner.id, out);
  return out;
}

bool DecodeOwner(std::string_view bytes, ChangelogOwner& owner) {
  Input input(bytes);
  owner = input.TakeOwner();
  return input.ok();
}

}  // namespace weir

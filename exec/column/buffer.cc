// Memory of columns: growable buffers that become immutable ones without a copy.

#include <algorithm>
#include <utility>

#include "exec/column/bits.h"
#include "exec/column/block_pool.h"
#include "exec/column/builder.h"
#include "exec/column/column_limit.h"

namespace weir {
namespace {

constexpr size_t kPadding = 64;

uint8_t* TakeBytes(size_t capacity) {
  return static_cast<uint8_t*>(TakeBlock(capacity + kPadding));
}

void GiveBytes(uint8_t* data, size_t capacity) { GiveBlock(data, capacity + kPadding); }

/// A buffer that frees its bytes itself: one allocation less than with an owner beside it.
class OwnedBuffer final : public Buffer {
 public:
  OwnedBuffer(uint8_t* data, size_t size, size_t capacity)
      : Buffer(data, size, nullptr), owned_(data), capacity_(capacity) {}
  ~OwnedBuffer() { GiveBytes(owned_, capacity_); }
  OwnedBuffer(const OwnedBuffer&) = delete;
  OwnedBuffer& operator=(const OwnedBuffer&) = delete;

 private:
  uint8_t* owned_;
  size_t capacity_;
};

}  // namespace

BufferBuilder::BufferBuilder(BufferBuilder&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)),
      last_size_(other.last_size_) {}

BufferBuilder& BufferBuilder::operator=(BufferBuilder&& other) noexcept {
  if (this != &other) {
    GiveBytes(data_, capacity_);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
    last_size_ = other.last_size_;
  }
  return *this;
}

BufferBuilder::~BufferBuilder() { GiveBytes(data_, capacity_); }

void BufferBuilder::Grow(size_t needed) {
  CheckColumnBytes(needed);
  size_t capacity = std::max({needed, capacity_ * 2, size_t{192}});
  // A little more than last time: growing in the end would copy it all.
  if (data_ == nullptr) capacity = std::max(capacity, last_size_ + last_size_ / 16);
  // Nor much beyond what it may ever have.
  capacity = std::max(needed, std::min(capacity, limits::kColumnBytesMax));
  capacity = BlockBytes(capacity + kPadding) - kPadding;
  uint8_t* grown = TakeBytes(capacity);
  if (size_ != 0) std::memcpy(grown, data_, size_);
  GiveBytes(data_, capacity_);
  data_ = grown;
  capacity_ = capacity;
}

BufferPtr BufferBuilder::Finish() {
  if (data_ == nullptr) Grow(0);
  std::memset(data_ + size_, 0, std::min<size_t>(kPadding, capacity_ + kPadding - size_));
  last_size_ = size_;
  BufferPtr buffer = MakeShared<const OwnedBuffer>(data_, size_, capacity_);
  data_ = nullptr;
  size_ = capacity_ = 0;
  return buffer;
}

BufferPtr MakeBuffer(size_t size, uint8_t** data) {
  CheckColumnBytes(size);
  *data = TakeBytes(size);
  std::memset(*data + size, 0, kPadding);
  return MakeShared<const OwnedBuffer>(*data, size, size);
}

void ValidityBuilder::Materialize() {
  bits_.Resize((static_cast<size_t>(length_) + 7) / 8);
  if (bits_.size() != 0) std::memset(bits_.data(), 0xFF, bits_.size());
  if ((length_ & 7) != 0) {
    bits_.data()[bits_.size() - 1] = static_cast<uint8_t>((1u << (length_ & 7)) - 1);
  }
  has_nulls_ = true;
}

void ValidityBuilder::AppendValid(int32_t count) {
  if (!has_nulls_) {
    length_ += count;
    return;
  }
  for (int32_t i = 0; i < count; ++i) Set(length_++, true);
}

void ValidityBuilder::AppendNulls(int32_t count) {
  if (count == 0) return;
  if (!has_nulls_) Materialize();
  for (int32_t i = 0; i < count; ++i) Set(length_++, false);
}

void ValidityBuilder::AppendBits(const uint8_t* bits, int32_t count) {
  if (bits == nullptr || AllBitsSet(bits, count)) return AppendValid(count);
  if (!has_nulls_) Materialize();
  if ((length_ & 7) != 0) {
    for (int32_t i = 0; i < count; ++i) Set(length_++, GetBit(bits, i));
    return;
  }
  bits_.Append(bits, (static_cast<size_t>(count) + 7) / 8);
  length_ += count;
  // Bits behind the end must be 0, as Set() only adds.
  if ((length_ & 7) != 0) bits_.data()[bits_.size() - 1] &= (1u << (length_ & 7)) - 1;
}

void ValidityBuilder::Truncate(int32_t length) {
  length_ = length;
  if (!has_nulls_) return;
  bits_.Resize((static_cast<size_t>(length) + 7) / 8);
  if ((length & 7) != 0) bits_.data()[bits_.size() - 1] &= (1u << (length & 7)) - 1;
}

BufferPtr ValidityBuilder::Finish() {
  BufferPtr bits = has_nulls_ ? bits_.Finish() : nullptr;
  Clear();
  return bits;
}

void ValidityBuilder::Clear() {
  bits_.Clear();
  length_ = 0;
  has_nulls_ = false;
}

}  // namespace weir

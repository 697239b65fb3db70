#include "exec/connect/files/decompress.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace weir {
namespace {

constexpr size_t kCompressedBytes = 128 * 1024;
/// zlib's own: 15 bits of window, and a gzip header.
constexpr int kGzipWindowBits = 15 + 16;

/// One step of a decompressor: from the input to the output, as far as either goes.
struct InflateStep {
  const uint8_t* in;
  size_t in_size;
  uint8_t* out;
  size_t out_size;
  size_t taken = 0;
  size_t made = 0;
  bool member_ends = false;  ///< What follows, if anything, is another member or frame.
  const char* error = nullptr;
};

class Inflater {
 public:
  virtual ~Inflater() = default;
  virtual void Run(InflateStep& step) = 0;
};

class GzipInflater final : public Inflater {
 public:
  GzipInflater() { inflateInit2(&stream_, kGzipWindowBits); }
  ~GzipInflater() override { inflateEnd(&stream_); }

  void Run(InflateStep& step) override {
    // Files may be several members, one behind the other, and be padded with zeros.
    if (ended_) {
      while (step.taken < step.in_size && step.in[step.taken] == 0) ++step.taken;
      step.member_ends = true;
      if (step.taken == step.in_size) return;
      if (inflateReset(&stream_) != Z_OK) {
        step.error = "it cannot be read";
        return;
      }
      ended_ = step.member_ends = false;
    }
    stream_.next_in = const_cast<Bytef*>(step.in + step.taken);
    stream_.avail_in = static_cast<uInt>(step.in_size - step.taken);
    stream_.next_out = step.out;
    stream_.avail_out = static_cast<uInt>(step.out_size);
    const int code = inflate(&stream_, Z_NO_FLUSH);
    step.taken = step.in_size - stream_.avail_in;
    step.made = step.out_size - stream_.avail_out;
    ended_ = step.member_ends = code == Z_STREAM_END;
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
      step.error = stream_.msg != nullptr ? stream_.msg : "it cannot be read";
    }
  }

 private:
  z_stream stream_{};
  bool ended_ = false;
};

class ZstdInflater final : public Inflater {
 public:
  ZstdInflater() : stream_(ZSTD_createDStream()) {}
  ~ZstdInflater() override { ZSTD_freeDStream(stream_); }

  void Run(InflateStep& step) override {
    ZSTD_inBuffer in{step.in, step.in_size, 0};
    ZSTD_outBuffer out{step.out, step.out_size, 0};
    const size_t code = ZSTD_decompressStream(stream_, &out, &in);
    step.taken = in.pos;
    step.made = out.pos;
    if (ZSTD_isError(code) != 0) {
      step.error = ZSTD_getErrorName(code);
      return;
    }
    step.member_ends = code == 0;
  }

 private:
  ZSTD_DStream* stream_;
};

class DecompressedBytes final : public ByteSource {
 public:
  DecompressedBytes(std::unique_ptr<ByteSource> raw, std::string name)
      : raw_(std::move(raw)), name_(std::move(name)), input_(kCompressedBytes) {}

  Result<size_t> Read(uint8_t* to, size_t size) override {
    if (!decided_) {
      if (Status status = Decide(); !status.ok()) return status;
      if (!decided_) return size_t{0};
    }
    if (inflater_ == nullptr) return ReadPlain(to, size);
    InflateStep step{.in = nullptr, .in_size = 0, .out = to, .out_size = size};
    // zstd may take the whole of a frame's input and still hold output back.
    while (!ended_) {
      step.in = input_.data() + input_begin_;
      step.in_size = input_end_ - input_begin_;
      step.taken = step.made = 0;
      inflater_->Run(step);
      input_begin_ += step.taken;
      if (step.error != nullptr) return Damaged(step.error);
      if (step.taken != 0 || step.made != 0) between_members_ = step.member_ends;
      if (step.made != 0) {
        position_ += static_cast<int64_t>(step.made);
        return step.made;
      }
      if (input_begin_ < input_end_ && step.taken != 0) continue;
      auto more = FillInput();
      if (!more.ok()) return more.status();
      if (*more > 0) continue;
      if (!raw_ended()) return size_t{0};
      if (!between_members_) return Damaged("it ends in the middle");
      ended_ = true;
    }
    return size_t{0};
  }

  int64_t end() const override {
    if (decided_ && inflater_ == nullptr) return raw_->end();
    if (!decided_ && raw_ended() && input_end_ == 0) return 0;
    return ended_ ? position_ : INT64_MAX;
  }

 private:
  bool raw_ended() const { return raw_taken_ >= raw_->end(); }

  Result<size_t> FillInput() {
    if (input_begin_ > 0) {
      std::memmove(input_.data(), input_.data() + input_begin_, input_end_ - input_begin_);
      input_end_ -= input_begin_;
      input_begin_ = 0;
    }
    if (input_end_ == input_.size()) return size_t{0};
    auto count = raw_->Read(input_.data() + input_end_, input_.size() - input_end_);
    if (!count.ok()) return count;
    input_end_ += *count;
    raw_taken_ += static_cast<int64_t>(*count);
    return count;
  }

  Status Decide() {
    while (input_end_ < kCompressionMagicBytes && !raw_ended()) {
      auto count = FillInput();
      if (!count.ok()) return count.status();
      if (*count == 0 && !raw_ended()) return OkStatus();
    }
    const std::string_view first(reinterpret_cast<const char*>(input_.data()), input_end_);
    switch (CompressionOf(first)) {
      case Compression::kNone: break;
      case Compression::kGzip: inflater_ = std::make_unique<GzipInflater>(); break;
      case Compression::kZstd: inflater_ = std::make_unique<ZstdInflater>(); break;
    }
    decided_ = true;
    return OkStatus();
  }

  Result<size_t> ReadPlain(uint8_t* to, size_t size) {
    if (input_begin_ == input_end_) return raw_->Read(to, size);
    const size_t count = std::min(size, input_end_ - input_begin_);
    std::memcpy(to, input_.data() + input_begin_, count);
    input_begin_ += count;
    return count;
  }

  Status Damaged(const char* what) const {
    return Status(ErrorCode::kIoError, "the compressed file is damaged, " + name_ + ": " + what +
                                           " (after byte " + std::to_string(position_) +
                                           " of its text)");
  }

  std::unique_ptr<ByteSource> raw_;
  const std::string name_;
  std::vector<uint8_t> input_;
  size_t input_begin_ = 0;
  size_t input_end_ = 0;
  int64_t raw_taken_ = 0;
  bool decided_ = false;
  std::unique_ptr<Inflater> inflater_;  ///< Null: not compressed.
  bool between_members_ = false;
  bool ended_ = false;
  int64_t position_ = 0;
};

}  // namespace

Compression CompressionOf(std::string_view first_bytes) {
  if (first_bytes.starts_with("\x1F\x8B")) return Compression::kGzip;
  if (first_bytes.starts_with("\x28\xB5\x2F\xFD")) return Compression::kZstd;
  // A frame to be skipped may come first: 0x184D2A50 to …5F.
  if (first_bytes.size() >= 4 && first_bytes.substr(1, 3) == "\x2A\x4D\x18" &&
      (static_cast<unsigned char>(first_bytes[0]) & 0xF0) == 0x50) {
    return Compression::kZstd;
  }
  return Compression::kNone;
}

std::unique_ptr<ByteSource> Decompress(std::unique_ptr<ByteSource> raw, std::string name) {
  return std::make_unique<DecompressedBytes>(std::move(raw), std::move(name));
}

}  // namespace weir

// Records with schemas: those of a file, encoded a thousand at a time.

#include <fmt/format.h>

#include "base/status_macros.h"
#include "shell/load/load.h"
#include "weir/registry_encoder.h"

namespace weir::shell {
namespace {

class EncodedRecords final : public RecordSource {
 public:
  EncodedRecords(Engine& engine, const LoadOptions& options, std::unique_ptr<RecordSource> source)
      : engine_(engine),
        options_(options),
        source_(std::move(source)),
        records_(RegistryEncoder::kSampleRecords),
        lines_(records_.size()) {}

  Status Open() {
    Read();
    if (count_ == 0) return OkStatus();
    // Whoever stops the reading wants no schema to be there for what was not loaded.
    if (behind_.code() == ErrorCode::kCancelled) return behind_;
    RegistryEncoder::Options wanted{.topic = options_.topic,
                                    .key = {options_.key_schema_format, source_->FieldNames(true)},
                                    .value = {options_.output_format, source_->FieldNames(false)},
                                    .delimited = !source_->FieldNames(false).empty()};
    WEIR_ASSIGN_OR_RETURN(encoder_, RegistryEncoder::Make(engine_, std::move(wanted),
                                                          std::span(records_.data(), count_)));
    return Encode();
  }

  Result<bool> Next(Record* record) override {
    if (next_ == count_) {
      WEIR_RETURN_IF_ERROR(behind_);
      if (ended_) return false;
      Read();
      WEIR_RETURN_IF_ERROR(Encode());
      if (count_ == 0) return behind_.ok() ? Result<bool>(false) : Result<bool>(behind_);
    }
    std::swap(*record, records_[next_++]);
    return true;
  }

  int64_t line() const override { return lines_[next_ - 1]; }
  std::vector<std::string> FieldNames(bool) const override { return {}; }

 private:
  void Read() {
    next_ = count_ = 0;
    while (count_ < records_.size()) {
      const Result<bool> any = source_->Next(&records_[count_]);
      if (!any.ok()) behind_ = any.status();
      ended_ = !any.ok() || !*any;
      if (ended_) return;
      lines_[count_++] = source_->line();
    }
  }

  Status Encode() {
    size_t encoded = 0;
    const Status status = encoder_ == nullptr
                              ? OkStatus()
                              : encoder_->Encode(std::span(records_.data(), count_), &encoded);
    if (status.ok()) return status;
    if (status.code() != ErrorCode::kBadRecord || encoded == count_) return status;
    // What stands before it is given out first.
    behind_ =
        Status(ErrorCode::kBadRecord, fmt::format("a record cannot be encoded, in {} line {}: {}",
                                                  options_.file, lines_[encoded], status.message()))
            .WithHint(status.hint());
    count_ = encoded;
    return count_ == 0 ? behind_ : OkStatus();
  }

  Engine& engine_;
  const LoadOptions& options_;
  const std::unique_ptr<RecordSource> source_;
  std::unique_ptr<RegistryEncoder> encoder_;
  std::vector<Record> records_;
  std::vector<int64_t> lines_;
  size_t count_ = 0;  ///< Of records_, which are there.
  size_t next_ = 0;
  bool ended_ = false;
  Status behind_;  ///< What is wrong behind them.
};

}  // namespace

Result<std::unique_ptr<RecordSource>> EncodeRecords(Engine& engine, const LoadOptions& options,
                                                    std::unique_ptr<RecordSource> source) {
  auto records = std::make_unique<EncodedRecords>(engine, options, std::move(source));
  WEIR_RETURN_IF_ERROR(records->Open());
  return std::unique_ptr<RecordSource>(std::move(records));
}

}  // namespace weir::shell

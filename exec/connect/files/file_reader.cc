#include "exec/connect/files/file_reader.h"

#include <algorithm>
#include <chrono>

#include "base/file_ending.h"
#include "base/status_macros.h"
#include "exec/connect/files/text_check.h"
#include "exec/formats/json/json_structure.h"

namespace weir {
namespace {

int64_t SystemTimeMs() {
  using std::chrono::system_clock;
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             system_clock::now().time_since_epoch())
      .count();
}

/// Number of line ends in [from, to) of a file's text; what can be read of them.
int64_t CountLineEnds(const std::string& path, int64_t from, int64_t to) {
  auto bytes = OpenByteFile(path, from, false);
  if (!bytes.ok()) return 0;
  std::vector<uint8_t> read(256 * 1024);
  int64_t lines = 0;
  while (from < to) {
    const auto wanted =
        static_cast<size_t>(std::min<int64_t>(to - from, static_cast<int64_t>(read.size())));
    auto count = (*bytes)->Read(read.data(), wanted);
    if (!count.ok() || *count == 0) break;
    lines += std::count(read.begin(), read.begin() + static_cast<ptrdiff_t>(*count), '\n');
    from += static_cast<int64_t>(*count);
  }
  return lines;
}

}  // namespace

/// Makes keys from the key columns' values in the lines, where a source has any.
class KeyMaker {
 public:
  static Result<std::unique_ptr<KeyMaker>> Make(const ConnectorSpec& spec,
                                                const FormatSpec& line_format) {
    auto maker = std::make_unique<KeyMaker>();
    maker->columns_ = ConnectorColumns(spec, true);
    FormatSpec key_format = ConnectorFormat(spec, true, "KAFKA");
    if (maker->columns_.empty() || key_format.name == "NONE") return std::unique_ptr<KeyMaker>();
    FormatSpec reader = line_format;
    reader.is_key = false;
    reader.unwrapped = false;
    WEIR_ASSIGN_OR_RETURN(maker->decoder_, MakeDecoder(reader, maker->columns_));
    WEIR_ASSIGN_OR_RETURN(maker->encoder_, MakeEncoder(key_format, maker->columns_));
    return maker;
  }

  /// Reads the keys from `lines`' values and appends their bytes to `bytes`.
  Status Append(const RecordBatch& lines, BufferBuilder& bytes, std::vector<Slice>& keys) {
    WEIR_RETURN_IF_ERROR(decoder_->Decode(lines, decoded_));
    rows_.resize(static_cast<size_t>(lines.size()));
    for (size_t i = 0; i < rows_.size(); ++i) rows_[i] = static_cast<int32_t>(i);
    WEIR_RETURN_IF_ERROR(encoder_->Encode(decoded_.columns, rows_, bytes, keys));
    for (size_t i = 0; i < decoded_.states.size(); ++i) {
      if (decoded_.states[i] != RowState::kOk) keys[i].length = -1;
    }
    return OkStatus();
  }

 private:
  std::vector<FormatColumn> columns_;
  std::unique_ptr<SideDecoder> decoder_;
  std::unique_ptr<SideEncoder> encoder_;
  DecodedSide decoded_;
  std::vector<int32_t> rows_;
};

FileReader::FileReader(ConnectorSpec spec, FileOptions options, std::unique_ptr<LineCutter> cutter,
                       int64_t time_ms)
    : spec_(std::move(spec)),
      options_(std::move(options)),
      cutter_(std::move(cutter)),
      time_ms_(time_ms),
      began_at_(cutter_->position()) {}

FileReader::~FileReader() = default;

void FileReader::ShareOut(std::shared_ptr<FileBlocks> blocks, int32_t partition, int64_t end) {
  blocks_ = std::move(blocks);
  partition_ = partition;
  file_end_ = end;
  const int64_t last = (end + kFileBlockBytes - 1) / kFileBlockBytes - 1;
  const int64_t own =
      last - ((last - partition) % options_.partitions + options_.partitions) % options_.partitions;
  shared_end_ = own < 0 ? 0 : std::min(end, (own + 1) * kFileBlockBytes);
  block_end_ = 0;  // The first Fetch looks where it stands.
  next_ = cutter_->position();
}

Status FileReader::Prepare(std::string_view header) {
  FormatSpec line_format = ConnectorFormat(spec_, false, FileFormatByEnding(options_.path));
  if (!IsUtf8(header.data(), header.size())) return WrongEncoding(options_.name, 1, header);
  if (options_.delimited) {
    WEIR_ASSIGN_OR_RETURN(layout_, CsvLayout::Make(spec_, options_.delimiter, header));
    line_format = layout_->key_reader();
    cutter_->set_keeps_empty(layout_->field_count() == 1);
  }
  WEIR_ASSIGN_OR_RETURN(keys_, KeyMaker::Make(spec_, line_format));
  prepared_ = true;
  return OkStatus();
}

Status FileReader::Fetch(int32_t rows_max, size_t, RecordBatch& out) {
  out.Clear();
  lines_.clear();
  faults_.clear();
  if (!prepared_) {
    WEIR_RETURN_IF_ERROR(cutter_->Next(1, lines_));
    if (lines_.empty()) return OkStatus();
    const std::string header(cutter_->TextOf(lines_[0]));
    lines_.clear();
    WEIR_RETURN_IF_ERROR(Prepare(header));
  }
  WEIR_RETURN_IF_ERROR(TakeRows(rows_max));
  if (lines_.empty()) return OkStatus();
  FillBatch(out);
  const bool rewrites = layout_ && layout_->rewrites();
  return rewrites || keys_ != nullptr ? Rebuild(rewrites, out) : OkStatus();
}

Status FileReader::TakeRows(int32_t rows_max) {
  while (lines_.empty()) {
    if (shared() && next_ >= block_end_) {
      if (caught_up()) return OkStatus();
      WEIR_RETURN_IF_ERROR(NextBlock());
      continue;
    }
    WEIR_RETURN_IF_ERROR(cutter_->Next(rows_max, lines_));
    next_ = cutter_->position();
    if (lines_.empty()) return OkStatus();
    while (!lines_.empty() && lines_.back().position >= block_end_) {
      next_ = lines_.back().position;
      lines_.pop_back();
    }
  }
  return OkStatus();
}

/// Goes to the partition's next block that a row begins in.
Status FileReader::NextBlock() {
  int64_t block = next_ / kFileBlockBytes;
  while (block % options_.partitions != partition_) ++block;
  block_end_ = (block + 1) * kFileBlockBytes;
  WEIR_ASSIGN_OR_RETURN(const int64_t row, blocks_->FirstRow(block));
  next_ = std::max(next_, row);
  if (next_ != cutter_->position()) {
    WEIR_ASSIGN_OR_RETURN(auto bytes, OpenByteFile(options_.path, next_, false));
    cutter_ = std::make_unique<LineCutter>(std::move(bytes), options_.quoting_delimiter(), next_,
                                           options_.name);
    cutter_->set_keeps_empty(layout_ && layout_->field_count() == 1);
    began_at_ = next_;
  }
  cutter_->set_soft_end(block_end_);
  return OkStatus();
}

int64_t FileReader::end_offset() const {
  return shared() ? std::max(position(), shared_end_) : cutter_->end();
}

bool FileReader::caught_up() const {
  return shared() ? position() >= shared_end_ || cutter_->at_end() : cutter_->at_end();
}

void FileReader::FillBatch(RecordBatch& out) {
  const auto count = lines_.size();
  out.bytes = cutter_->buffer();
  out.values.resize(count);
  out.keys.assign(count, Slice{});
  out.offsets.resize(count);
  out.timestamps.assign(count, time_ms_ != kNow ? time_ms_ : SystemTimeMs());
  out.places = this;
  for (size_t i = 0; i < count; ++i) {
    const LineCutter::Line& line = lines_[i];
    out.values[i] = {line.begin, static_cast<int32_t>(line.length)};
    out.offsets[i] = line.position;
  }
}

/// Replaces the batch's bytes by rewritten values and made keys.
Status FileReader::Rebuild(bool rewrites, RecordBatch& out) {
  std::vector<Slice> values(out.values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const std::string_view line = out.View(out.values[i]);
    const auto begin = static_cast<uint32_t>(built_.size());
    if (rewrites) {
      std::string fault = layout_->Rewrite(line, built_);
      if (!fault.empty()) faults_.push_back({static_cast<int32_t>(i), std::move(fault)});
    } else {
      built_.Append(line.data(), line.size());
    }
    values[i] = {begin, static_cast<int32_t>(built_.size() - begin)};
    built_.AppendValue('\n');
  }
  if (keys_ != nullptr) WEIR_RETURN_IF_ERROR(keys_->Append(out, built_, out.keys));
  out.values = std::move(values);
  out.bytes = built_.Finish();
  return OkStatus();
}

int64_t FileReader::FirstLineNumber() const {
  if (options_.stream || began_at_ == 0) return 0;
  if (lines_known_at_ > began_at_) lines_known_at_ = lines_known_ = 0;
  if (lines_known_at_ < began_at_) {
    lines_known_ += CountLineEnds(options_.path, lines_known_at_, began_at_);
    lines_known_at_ = began_at_;
  }
  return lines_known_;
}

std::string FileReader::PlaceOf(int32_t row) const {
  const LineCutter::Line& line = lines_[static_cast<size_t>(row)];
  return "file " + options_.name + " line " + std::to_string(FirstLineNumber() + line.number + 1) +
         " offset " + std::to_string(line.position);
}

std::string_view FileReader::FaultOf(int32_t row) const {
  const auto found =
      std::lower_bound(faults_.begin(), faults_.end(), row,
                       [](const Fault& fault, int32_t wanted) { return fault.row < wanted; });
  return found != faults_.end() && found->row == row ? std::string_view(found->cause)
                                                     : std::string_view();
}

}  // namespace weir

#pragma once

// The reader of one partition of CONNECTOR='file': rows of a file as records.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exec/connect/connector.h"
#include "exec/connect/files/csv_layout.h"
#include "exec/connect/files/file_blocks.h"
#include "exec/connect/files/line_source.h"

namespace weir {

/// What the WITH clause says of the file, and what lies there.
struct FileOptions {
  std::string path;
  std::string name;     ///< For messages.
  bool stream = false;  ///< Not a file but the standard input, a pipe or a terminal.
  bool follow = false;
  bool delimited = false;
  bool header = false;
  char delimiter = ',';
  int32_t partitions = 1;

  /// For LineCutter.
  char quoting_delimiter() const { return delimited ? delimiter : LineCutter::kNoQuotes; }
};

class KeyMaker;

class FileReader final : public PartitionReader, private RecordPlaces {
 public:
  /// Time of records that are read as they are written.
  static constexpr int64_t kNow = -1;
  /// `cutter` stands at the first record, or at a stream's beginning. `time_ms` is that of all
  /// records, or kNow.
  FileReader(ConnectorSpec spec, FileOptions options, std::unique_ptr<LineCutter> cutter,
             int64_t time_ms);
  ~FileReader() override;

  /// Takes the header line ("": there is none) before the first record is given out; a stream's
  /// comes late, and the reader then takes it itself.
  Status Prepare(std::string_view header);
  /// Reads the blocks of a partition only; `end` is the file's. The cutter stands at a row of one,
  /// or behind the last.
  void ShareOut(std::shared_ptr<FileBlocks> blocks, int32_t partition, int64_t end);

  Status Fetch(int32_t rows_max, size_t bytes_max, RecordBatch& out) override;
  int64_t position() const override { return shared() ? next_ : cutter_->position(); }
  int64_t end_offset() const override;
  bool endless() const override { return options_.follow; }
  bool caught_up() const override;

 private:
  std::string PlaceOf(int32_t row) const override;
  std::string_view FaultOf(int32_t row) const override;
  /// Number of the line, from 0, where the cutter began.
  int64_t FirstLineNumber() const;
  Status TakeRows(int32_t rows_max);
  Status NextBlock();
  bool shared() const { return blocks_ != nullptr; }
  void FillBatch(RecordBatch& out);
  Status Rebuild(bool rewrites, RecordBatch& out);

  const ConnectorSpec spec_;
  const FileOptions options_;
  std::unique_ptr<LineCutter> cutter_;
  const int64_t time_ms_;
  bool prepared_ = false;
  std::optional<CsvLayout> layout_;
  std::unique_ptr<KeyMaker> keys_;
  std::vector<LineCutter::Line> lines_;  ///< Of the last Fetch.
  struct Fault {
    int32_t row;
    std::string cause;
  };
  std::vector<Fault> faults_;  ///< Of the last Fetch.
  BufferBuilder built_;

  std::shared_ptr<FileBlocks> blocks_;  ///< Null: one partition has all.
  int32_t partition_ = 0;
  int64_t file_end_ = 0;
  int64_t shared_end_ = 0;         ///< No row of the partition begins there or behind.
  int64_t block_end_ = INT64_MAX;  ///< Rows that begin there are another partition's.
  int64_t next_ = 0;               ///< Behind the rows given out of the blocks.

  int64_t began_at_ = 0;                ///< Where the cutter began.
  mutable int64_t lines_known_at_ = 0;  ///< So many lines end before this position.
  mutable int64_t lines_known_ = 0;
};

}  // namespace weir

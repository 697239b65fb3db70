// Files as they come: quotes that mean nothing, other encodings, compressed, cut off, endless.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "exec/connect/files/file_blocks.h"
#include "exec/connect/topic.h"
#include "exec/formats/infer_columns.h"
#include "weir/file_rows.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using Texts = std::vector<std::string>;
using Properties = std::map<std::string, std::string>;

const ColumnSchema kA{.name = "A", .type = DataType::String()};
const ColumnSchema kB{.name = "B", .type = DataType::String()};
constexpr char kMark[] = "\xEF\xBB\xBF";

std::string Gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string Zstd(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

class FileSourceTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ =
        fs::temp_directory_path() / ("weir_file_source_" + std::to_string(getpid()) + "_" +
                                     testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(directory_);
    fs::create_directories(directory_);
  }
  void TearDown() override { fs::remove_all(directory_); }

  std::string Path(const std::string& name) const { return (directory_ / name).string(); }
  void Write(const std::string& name, const std::string& text, bool append = false) {
    std::ofstream(Path(name), append ? std::ios::binary | std::ios::app : std::ios::binary) << text;
  }
  ConnectorSpec Spec(const std::string& name, std::vector<ColumnSchema> columns = {},
                     Properties more = {}) const {
    more["CONNECTOR"] = "file";
    more["PATH"] = Path(name);
    return {.source_name = "S", .properties = std::move(more), .columns = std::move(columns)};
  }

  static std::unique_ptr<PartitionReader> Open(ConnectorSource& source, int32_t partition = 0,
                                               StartPosition start = {}) {
    auto reader = source.session->Open("S", partition, start);
    EXPECT_TRUE(reader.ok()) << reader.status().ToString();
    return reader.ok() ? std::move(*reader) : nullptr;
  }

  /// The rows that are there now, and the error that ended the reading.
  static Texts Read(PartitionReader& reader, Status* error = nullptr) {
    Texts rows;
    RecordBatch batch;
    while (true) {
      const Status status = reader.Fetch(500, 1 << 20, batch);
      if (error != nullptr) *error = status;
      EXPECT_TRUE(error != nullptr || status.ok()) << status.ToString();
      if (!status.ok() || batch.size() == 0) return rows;
      for (const Slice& value : batch.values) rows.emplace_back(batch.View(value));
    }
  }

  /// All rows of all partitions, or the error.
  static Result<Texts> Rows(const ConnectorSpec& spec) {
    auto source = OpenConnectorSource(spec);
    if (!source.ok()) return source.status();
    Texts all;
    for (int32_t partition = 0; partition < source->partitions; ++partition) {
      auto reader = source->session->Open("S", partition, {});
      if (!reader.ok()) return reader.status();
      Status error;
      const Texts rows = Read(**reader, &error);
      if (!error.ok()) return error;
      EXPECT_TRUE((*reader)->caught_up());
      EXPECT_GE((*reader)->position(), (*reader)->end_offset());
      all.insert(all.end(), rows.begin(), rows.end());
    }
    return all;
  }

  static std::string Columns(ConnectorSpec spec) {
    auto columns = InferConnectorColumns(spec);
    return columns.ok() ? Schema{*columns}.ToString() : columns.status().ToString();
  }

  /// What `load` makes of the file: each row's fields with '|' between them, or the error.
  Texts Loaded(const std::string& name) const {
    auto rows = FileRows::Open({.path = Path(name)});
    if (!rows.ok()) return {rows.status().ToString()};
    Texts loaded;
    while (true) {
      const Result<bool> more = (*rows)->Next();
      if (more.ok() && !*more) return loaded;
      std::string row;
      if (!more.ok()) {
        row = "bad: line " + std::to_string((*rows)->line());
      } else if ((*rows)->format() == FileRows::Format::kJson) {
        row = (*rows)->text();
      } else {
        for (std::string_view field : (*rows)->fields()) row += "|" + std::string(field);
      }
      loaded.push_back(row);
    }
  }

  fs::path directory_;
};

TEST_F(FileSourceTest, QuotesMeanSomethingAtAFieldsStartOnly) {
  Write("q.csv", "a,b\n5\",1\n6\"\"x,\"say \"\"no\"\"\"\n7,\"two\nlines\"\n8,x\"y\n");
  EXPECT_EQ(*Rows(Spec("q.csv", {kA, kB})),
            (Texts{"5\",1", "6\"\"x,\"say \"\"no\"\"\"", "7,\"two\nlines\"", "8,x\"y"}));
  EXPECT_EQ(Loaded("q.csv"), (Texts{"|5\"|1", "|6\"\"x|say \"no\"", "|7|two\nlines", "|8|x\"y"}));
  auto followed = OpenConnectorSource(Spec("q.csv", {kA, kB}, {{"FOLLOW", "true"}}));
  ASSERT_TRUE(followed.ok());
  EXPECT_EQ(Read(*Open(*followed)).size(), 4u);
  // A comma makes quotes necessary for the decoder, and those inside are then doubled.
  Write("t.tsv", "a\tb\n5\", x\t1\n\"q\"\"\"\t2\n");
  EXPECT_EQ(*Rows(Spec("t.tsv", {kA, kB})), (Texts{"\"5\"\", x\",1", "\"q\"\"\",2"}));
  EXPECT_EQ(Loaded("t.tsv"), (Texts{"|5\", x|1", "|q\"|2"}));
}

TEST_F(FileSourceTest, AQuoteThatDoesNotCloseSpoilsItsLineOnly) {
  const Texts rows = {"\"5,1", "2,3", "4,\"x\"y", "6,7", "8,\"", "9,10"};
  std::string text = "a,b\n";
  for (const std::string& row : rows) text += row + "\n";
  Write("q.csv", text);
  EXPECT_EQ(*Rows(Spec("q.csv", {kA, kB})), rows);
  EXPECT_EQ(Loaded("q.csv"),
            (Texts{"bad: line 2", "|2|3", "bad: line 4", "|6|7", "bad: line 6", "|9|10"}));
}

TEST_F(FileSourceTest, PartsHaveTheRowsOfOnePart) {
  // Fields with line breaks and quotes, longer than a block at times, and no line that is a row for
  // sure.
  Texts rows;
  std::string text = "a,b\n";
  for (int i = 0; static_cast<int64_t>(text.size()) < 5 * kFileBlockBytes + 1000; ++i) {
    const size_t length = i % 5000 == 4321 ? kFileBlockBytes + 77777 : i * 7919 % 311;
    std::string field(length, 'x');
    for (size_t at = 3; at + 2 < length; at += 9) field.replace(at, 2, i % 2 == 0 ? "\n1" : ",2");
    const bool stray = i % 7 == 0;
    rows.push_back(std::to_string(i) + (stray ? "\",y" : ",\"" + field + "\"\"\""));
    text += rows.back() + "\n";
  }
  Write("p.csv", text);
  std::sort(rows.begin(), rows.end());
  for (const char* partitions : {"1", "2", "3", "16"}) {
    auto read = Rows(Spec("p.csv", {kA, kB}, {{"PARTITIONS", partitions}}));
    ASSERT_TRUE(read.ok()) << read.status().ToString();
    std::sort(read->begin(), read->end());
    EXPECT_EQ(read->size(), rows.size()) << partitions;
    EXPECT_TRUE(*read == rows) << partitions;
  }
}

TEST_F(FileSourceTest, PartsGoOnInAFileThatHasGrown) {
  const auto line = [](int i) {
    return "{\"A\":" + std::to_string(i) + std::string(97, ' ') + "}";
  };
  std::string text;
  const int count = static_cast<int>(3 * kFileBlockBytes / 100);
  for (int i = 0; i < count; ++i) text += line(i) + "\n";
  Write("g.json", text);
  const ConnectorSpec spec = Spec("g.json", {}, {{"PARTITIONS", "2"}});
  Texts all;
  std::vector<int64_t> positions;
  {
    auto source = OpenConnectorSource(spec);
    for (int32_t partition : {0, 1}) {
      auto reader = Open(*source, partition);
      const Texts rows = Read(*reader);
      all.insert(all.end(), rows.begin(), rows.end());
      positions.push_back(reader->position());
    }
  }
  text.clear();
  for (int i = count; i < 2 * count; ++i) text += line(i) + "\n";
  Write("g.json", text, true);
  auto source = OpenConnectorSource(spec);
  for (int32_t partition : {0, 1}) {
    auto reader = Open(*source, partition, {StartPosition::Kind::kOffset, positions[partition]});
    const Texts rows = Read(*reader);
    all.insert(all.end(), rows.begin(), rows.end());
  }
  EXPECT_EQ(all.size(), static_cast<size_t>(2 * count));
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::unique(all.begin(), all.end()), all.end());
}

TEST_F(FileSourceTest, AFollowedFileThatIsCutIsAnError) {
  const auto follow = [&](const std::string& name) {
    Write(name, "{\"A\":1}\n{\"A\":2}\n");
    auto source = OpenConnectorSource(Spec(name, {}, {{"FOLLOW", "true"}}));
    auto reader = Open(*source);
    EXPECT_EQ(Read(*reader).size(), 2u);
    return std::make_pair(std::move(*source), std::move(reader));
  };
  Status error;
  auto cut = follow("cut.json");
  Write("cut.json", "{\"A\":3}\n");
  EXPECT_TRUE(Read(*cut.second, &error).empty());
  EXPECT_EQ(error.code(), ErrorCode::kOffsetOutOfRange);
  EXPECT_NE(error.message().find("was cut to 8 bytes"), std::string::npos) << error.ToString();

  auto anew = follow("anew.json");
  Write("anew.json", "{\"A\":3}\n{\"A\":4}\n{\"A\":5}\n");
  EXPECT_TRUE(Read(*anew.second, &error).empty());
  EXPECT_EQ(error.code(), ErrorCode::kOffsetOutOfRange);

  auto replaced = follow("replaced.json");
  Write("other.json", "{\"A\":1}\n{\"A\":2}\n{\"A\":3}\n");
  fs::rename(Path("other.json"), Path("replaced.json"));
  EXPECT_TRUE(Read(*replaced.second, &error).empty());
  EXPECT_EQ(error.code(), ErrorCode::kOffsetOutOfRange);
  EXPECT_NE(error.message().find("replaced"), std::string::npos) << error.ToString();

  auto moved = follow("moved.json");
  fs::rename(Path("moved.json"), Path("moved.json.1"));
  Write("moved.json.1", "{\"A\":3}\n", true);
  EXPECT_EQ(Read(*moved.second), (Texts{"{\"A\":3}"}));
}

TEST_F(FileSourceTest, GoesOnWhereALineBeginsOnly) {
  Write("a.json", "{\"A\":1}\n{\"A\":2}\n{\"A\":3}\n");
  auto source = OpenConnectorSource(Spec("a.json"));
  EXPECT_EQ(Read(*Open(*source, 0, {StartPosition::Kind::kOffset, 8})).size(), 2u);
  Write("a.json", "{\"A\":1000}\n{\"A\":2}\n{\"A\":3}\n");
  EXPECT_EQ(source->session->Open("S", 0, {StartPosition::Kind::kOffset, 8}).status().code(),
            ErrorCode::kOffsetOutOfRange);
  // The end of a last line may come later.
  Write("b.json", "{\"A\":1}");
  source = OpenConnectorSource(Spec("b.json"));
  EXPECT_EQ(Read(*Open(*source)).size(), 1u);
  Write("b.json", "\n{\"A\":2}", true);
  EXPECT_EQ(Read(*Open(*source, 0, {StartPosition::Kind::kOffset, 7})), (Texts{"{\"A\":2}"}));
}

TEST_F(FileSourceTest, WhatIsFoundCanBeRead) {
  const struct {
    const char* header;
    const char* columns;
  } kHeaders[] = {
      {"a,b,", "`A` BIGINT, `B` BIGINT, `C3` BIGINT"},
      {"id,id,id_2", "`ID` BIGINT, `ID_2` BIGINT, `ID_2_3` BIGINT"},
      {"id,Id,x", "`ID` BIGINT, `ID_2` BIGINT, `X` BIGINT"},
      {"a b,a-b,\"a,b\"", "`A_B` BIGINT, `A_B_2` BIGINT, `A_B_3` BIGINT"},
      {"été,ÉTÉ,c3", "`ÉTÉ` BIGINT, `ÉTÉ_2` BIGINT, `C3` BIGINT"},
  };
  for (const auto& [header, columns] : kHeaders) {
    // A row with a field too many, one with too few: bad rows, which say nothing about columns.
    Write("h.csv", std::string(header) + "\n1,2,3\n4,5,6,x\n7,8\n");
    ConnectorSpec spec = Spec("h.csv");
    EXPECT_EQ(Columns(spec), columns);
    spec.columns = *InferConnectorColumns(spec);
    EXPECT_EQ(*Rows(spec), (Texts{"1,2,3", "4,5,6,x", "7,8"})) << header;
    // Each column is found by its own name.
    std::reverse(spec.columns.begin(), spec.columns.end());
    EXPECT_EQ((*Rows(spec))[0], "3,2,1") << header;
  }
  Write("h.csv", "1,2\n1,2,3\n4,5\n");
  EXPECT_EQ(Columns(Spec("h.csv", {}, {{"HEADER", "false"}})), "`C1` BIGINT, `C2` BIGINT");
  Write("h.csv", "id,,Id\n1,2,3\n");
  auto rows = FileRows::Open({.path = Path("h.csv")});
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ((*rows)->names(), (Texts{"id", "C2", "Id_3"}));
}

TEST_F(FileSourceTest, EmptyLinesAreRowsOfOneColumn) {
  Write("o.csv", "a\n1\n\n2\r\n\r\n");
  EXPECT_EQ(*Rows(Spec("o.csv", {kA})), (Texts{"1", "", "2", ""}));
  EXPECT_EQ(Loaded("o.csv"), (Texts{"|1", "|", "|2", "|"}));
  EXPECT_EQ(*Rows(Spec("o.csv", {kA}, {{"HEADER", "false"}, {"PARTITIONS", "2"}})),
            (Texts{"a", "1", "", "2", ""}));
  Write("t.csv", "a,b\n1,2\n\n3,4\n\n");
  EXPECT_EQ(*Rows(Spec("t.csv", {kA, kB})), (Texts{"1,2", "3,4"}));
  EXPECT_EQ(Loaded("t.csv"), (Texts{"|1|2", "|3|4"}));
}

TEST_F(FileSourceTest, RaggedRowsTellWhatIsWrongAndWhere) {
  Write("r.csv", "a,b,c\n1,2,3\n\n4,\"5\n6\",7\n8\n9,10,11,12\n");
  auto source = OpenConnectorSource(Spec("r.csv", {kA, kB}));
  auto reader = Open(*source);
  RecordBatch batch;
  ASSERT_TRUE(reader->Fetch(100, 1 << 20, batch).ok());
  ASSERT_EQ(batch.size(), 4);
  ASSERT_NE(batch.places, nullptr);
  EXPECT_EQ(batch.places->PlaceOf(1), "file " + Path("r.csv") + " line 4 offset 13");
  EXPECT_EQ(batch.places->FaultOf(1), "");
  EXPECT_EQ(batch.places->PlaceOf(2), "file " + Path("r.csv") + " line 6 offset 23");
  EXPECT_EQ(batch.places->FaultOf(2), "the line has 1 fields where there should be 3");
  EXPECT_EQ(batch.places->FaultOf(3), "the line has 4 fields where there should be 3");
  // The same where the reading goes on.
  reader = Open(*source, 0, {StartPosition::Kind::kOffset, 23});
  ASSERT_TRUE(reader->Fetch(100, 1 << 20, batch).ok());
  EXPECT_EQ(batch.places->PlaceOf(1), "file " + Path("r.csv") + " line 7 offset 25");
}

TEST_F(FileSourceTest, ReadsCompressedFiles) {
  std::string text = "a,b\n";
  Texts rows;
  for (int i = 0; i < 30'000; ++i) {
    rows.push_back(std::to_string(i) + ",\"v\n" + std::to_string(i * 37) + "\"");
    text += rows.back() + "\n";
  }
  const std::string first = text.substr(0, 100'001);
  const std::string second = text.substr(100'001);
  Write("a.csv.gz", Gzip(text));
  Write("several.csv.gz", Gzip(first) + Gzip(second) + std::string(20, '\0'));
  Write("A.CSV.ZST", Zstd(text));
  Write("several.csv.zst", Zstd(first) + Zstd(second));
  Write("no_ending.csv", Gzip(text));
  Write("not_compressed.csv.gz", text);
  for (const char* name : {"a.csv.gz", "several.csv.gz", "A.CSV.ZST", "several.csv.zst",
                           "no_ending.csv", "not_compressed.csv.gz"}) {
    const ConnectorSpec spec = Spec(name, {kA, kB});
    auto read = Rows(spec);
    ASSERT_TRUE(read.ok()) << name << ": " << read.status().ToString();
    EXPECT_TRUE(*read == rows) << name;
    EXPECT_EQ(Columns(spec), "`A` BIGINT, `B` STRING") << name;
    EXPECT_EQ(Loaded(name).size(), rows.size()) << name;
  }
  // Positions are those of the text.
  const auto at = static_cast<int64_t>(text.find("20000,"));
  auto source = OpenConnectorSource(Spec("several.csv.gz", {kA, kB}));
  auto reader = Open(*source, 0, {StartPosition::Kind::kOffset, at});
  EXPECT_EQ(Read(*reader), Texts(rows.begin() + 20'000, rows.end()));
  EXPECT_EQ(reader->position(), static_cast<int64_t>(text.size()));
  EXPECT_TRUE(reader->caught_up());
  reader = Open(*source, 0, {StartPosition::Kind::kLatest, 0});
  EXPECT_TRUE(Read(*reader).empty());
  EXPECT_TRUE(reader->caught_up());
  EXPECT_EQ(source->session->Open("S", 0, {StartPosition::Kind::kOffset, at * 2}).status().code(),
            ErrorCode::kOffsetOutOfRange);
  Write("a.ndjson.zst", Zstd(std::string(kMark) + "{\"A\":1}\n{\"A\":2}"));
  EXPECT_EQ(*Rows(Spec("a.ndjson.zst")), (Texts{"{\"A\":1}", "{\"A\":2}"}));
  EXPECT_EQ(Loaded("a.ndjson.zst"), (Texts{"{\"A\":1}", "{\"A\":2}"}));
  Write("empty.csv.gz", Gzip(""));
  EXPECT_EQ(Rows(Spec("empty.csv.gz", {kA}, {{"HEADER", "false"}}))->size(), 0u);
}

TEST_F(FileSourceTest, RefusesWhatCompressedFilesCannot) {
  std::string text = "a,b\n";
  for (int i = 0; i < 50'000; ++i) text += std::to_string(i * 7919 % 50'021) + ",x\n";
  for (const std::string& packed : {Gzip(text), Zstd(text)}) {
    Write("cut.csv.gz", packed.substr(0, packed.size() / 2));
    const Status cut = Rows(Spec("cut.csv.gz", {kA, kB})).status();
    EXPECT_EQ(cut.code(), ErrorCode::kIoError) << cut.ToString();
    EXPECT_NE(cut.message().find("ends in the middle"), std::string::npos) << cut.ToString();
    std::string damaged = packed;
    for (size_t i = packed.size() / 2; i < packed.size() / 2 + 64; ++i) damaged[i] ^= 0x55;
    Write("damaged.csv.gz", damaged);
    EXPECT_EQ(Rows(Spec("damaged.csv.gz", {kA, kB})).status().code(), ErrorCode::kIoError);
    Write("whole.csv.gz", packed);
    for (const Properties& more : {Properties{{"PARTITIONS", "2"}}, {{"FOLLOW", "true"}}}) {
      const Status refused = Rows(Spec("whole.csv.gz", {kA, kB}, more)).status();
      EXPECT_EQ(refused.code(), ErrorCode::kInvalidProperty);
      EXPECT_NE(refused.message().find("a compressed file cannot be"), std::string::npos);
    }
  }
}

TEST_F(FileSourceTest, IdsBeyond64BitsKeepTheirDigits) {
  Write("i.csv",
        "id,longer,number,mixed\n12345678901234567891,1,12345678901234567891,1\n"
        "7,1234567890123456789012345678901234567890,0.5,12345678901234567891\n");
  EXPECT_EQ(Columns(Spec("i.csv")),
            "`ID` DECIMAL(38, 0), `LONGER` STRING, `NUMBER` DOUBLE, `MIXED` DECIMAL(38, 0)");
  Write("i.json", "{\"id\":12345678901234567891}\n{\"id\":-12345678901234567892}\n");
  EXPECT_EQ(Columns(Spec("i.json")), "`ID` DECIMAL(38, 0)");
}

TEST_F(FileSourceTest, AByteOrderMarkBelongsToNoRow) {
  Write("m.csv", std::string(kMark) + "\"a\",b\n1,2\n");
  EXPECT_EQ(*Rows(Spec("m.csv", {kA, kB})), (Texts{"1,2"}));
  EXPECT_EQ(Columns(Spec("m.csv")), "`A` BIGINT, `B` BIGINT");
  EXPECT_EQ(Loaded("m.csv"), (Texts{"|1|2"}));
  Write("m.json", std::string(kMark) + "{\"a\":1}\n");
  EXPECT_EQ(*Rows(Spec("m.json")), (Texts{"{\"a\":1}"}));
  EXPECT_EQ(Loaded("m.json"), (Texts{"{\"a\":1}"}));
  Write("m", std::string(kMark) + "{\"a\":1}\n");
  EXPECT_EQ(Loaded("m"), (Texts{"{\"a\":1}"}));
}

TEST_F(FileSourceTest, NamesOtherEncodings) {
  const auto utf16 = [](const std::string& text, bool mark) {
    std::string out = mark ? "\xFF\xFE" : "";
    for (char c : text) out += {c, '\0'};
    return out;
  };
  const struct {
    std::string text;
    const char* what;
  } kFiles[] = {
      {utf16("a,b\n1,2\n", true), "UTF-16"},
      {utf16("a,b\n1,2\n", false), "UTF-16"},
      {"caf\xE9,b\n1,2\n", "Latin-1"},
      {"\xFD\x37zXZ" + std::string(8, '\0'), "xz"},
      {"PK\x03\x04xxxx", "zip"},
      {"a,b\r1,2\r3,4\r", "carriage return"},
  };
  for (const auto& [text, what] : kFiles) {
    Write("e.csv", text);
    const ConnectorSpec spec = Spec("e.csv", {kA});
    for (const Status& status : {Rows(spec).status(), [&] {
                                   ConnectorSpec found = Spec("e.csv");
                                   return InferConnectorColumns(found).status();
                                 }()}) {
      EXPECT_EQ(status.code(), ErrorCode::kUnsupported) << what << ": " << status.ToString();
      EXPECT_NE(status.message().find(what), std::string::npos) << status.ToString();
    }
    EXPECT_NE(Loaded("e.csv")[0].find(what), std::string::npos) << Loaded("e.csv")[0];
  }
  // Latin-1 behind an ASCII header: told when columns are found, bad rows if they are listed.
  Write("l.csv", "a,b\n1,Jos\xE9\n2,x\n");
  EXPECT_NE(Columns(Spec("l.csv")).find("line 2: it is not UTF-8 but perhaps Latin-1"),
            std::string::npos)
      << Columns(Spec("l.csv"));
  EXPECT_EQ(Rows(Spec("l.csv", {kA, kB}))->size(), 2u);
  EXPECT_EQ(Loaded("l.csv"), (Texts{"bad: line 2", "|2|x"}));
  // One wrong line among right ones is just a bad record.
  Write("u.csv", "a,b\n1,José\n2,Zoë\n3,Jos\xE9\n");
  EXPECT_EQ(Columns(Spec("u.csv")), "`A` BIGINT, `B` STRING");
}

TEST_F(FileSourceTest, APipeWithoutAWriterHoldsNobodyUp) {
  ASSERT_EQ(mkfifo(Path("p.csv").c_str(), 0600), 0);
  {
    auto source = OpenConnectorSource(Spec("p.csv", {kA, kB}));
    auto reader = Open(*source);
    EXPECT_TRUE(Read(*reader).empty());
    EXPECT_FALSE(reader->caught_up());
    EXPECT_EQ(reader->end_offset(), INT64_MAX);
  }
  EXPECT_NE(Columns(Spec("p.csv")).find("columns must be listed"), std::string::npos);
  int asked = 0;
  auto rows = FileRows::Open({.path = Path("p.csv"), .stopped = [&] { return ++asked > 1; }});
  EXPECT_EQ(rows.status().code(), ErrorCode::kCancelled);

  auto source = OpenConnectorSource(Spec("p.csv", {kA, kB}));
  auto reader = Open(*source);
  Write("p.csv", "a,b\n1,2\n3,4");
  Texts read;
  while (!reader->caught_up()) {
    const Texts rows = Read(*reader);
    read.insert(read.end(), rows.begin(), rows.end());
  }
  EXPECT_EQ(read, (Texts{"1,2", "3,4"}));
}

TEST_F(FileSourceTest, APipeWhoseWriterWaitsIsReadWhole) {
  ASSERT_EQ(mkfifo(Path("p.csv").c_str(), 0600), 0);
  std::thread writer([&] { Write("p.csv", "a,b\n1,2\n3,4\n"); });
  EXPECT_EQ(Loaded("p.csv"), (Texts{"|1|2", "|3|4"}));
  writer.join();
  writer = std::thread([&] { Write("p.csv", "a,b\n1,2\n3,4\n"); });
  auto source = OpenConnectorSource(Spec("p.csv", {kA, kB}));
  auto reader = Open(*source);
  Texts read;
  while (!reader->caught_up()) {
    const Texts rows = Read(*reader);
    read.insert(read.end(), rows.begin(), rows.end());
  }
  writer.join();
  EXPECT_EQ(read, (Texts{"1,2", "3,4"}));
}

TEST_F(FileSourceTest, ADirectoryIsAnError) {
  fs::create_directories(Path("d.csv"));
  EXPECT_EQ(Rows(Spec("d.csv", {kA})).status().code(), ErrorCode::kIoError);
  EXPECT_NE(Columns(Spec("d.csv")).find("directory"), std::string::npos);
  EXPECT_NE(Loaded("d.csv")[0].find("directory"), std::string::npos);
}

TEST_F(FileSourceTest, ColumnsThatCanBeFoundAreBounded) {
  std::string header;
  std::string object;
  for (int i = 0; i < 200'000; ++i) {
    if (i < 30'000) header += (i == 0 ? "f" : ",f") + std::to_string(i);
    object += (i == 0 ? "{\"k" : ",\"k") + std::to_string(i) + "\":1";
  }
  Write("wide.csv", header + "\n" + header + "\n");
  Write("wide.json", object + "}\n");
  Write("deep.json", "{\"m\":" + object + "}}\n");
  for (const char* name : {"wide.csv", "wide.json", "deep.json"}) {
    ConnectorSpec spec = Spec(name);
    const Status status = InferConnectorColumns(spec).status();
    EXPECT_EQ(status.code(), ErrorCode::kUnsupported) << status.ToString();
    EXPECT_NE(status.message().find("at most 4096"), std::string::npos) << status.ToString();
  }
  // Listed columns are read.
  const ColumnSchema last{.name = "F29999", .type = DataType::String()};
  EXPECT_EQ(*Rows(Spec("wide.csv", {last})), (Texts{"f29999"}));
  std::string names;
  for (int i = 0; i < kFoundColumnsMax; ++i) names += (i == 0 ? "x" : ",x");
  Write("many.csv", names + "\n");
  ConnectorSpec many = Spec("many.csv");
  EXPECT_EQ(InferConnectorColumns(many)->size(), static_cast<size_t>(kFoundColumnsMax));
}

TEST_F(FileSourceTest, FieldsOfJsonAreFoundUnderOneFoldOfNames) {
  Write("n.json",
        "{\"id\":1,\"ID\":2.5,\"\":3,\"\\u00e9t\\u00e9\":1,\"o\":{\"p\":1}}\n"
        "{\"o\":{\"P\":\"x\",\"q\":[{\"r\":null}]},\"été\":2,\"a\":[],\"m\":1}\n"
        "{\"m\":{\"n\":1}}\n");
  EXPECT_EQ(Columns(Spec("n.json")),
            "`ID` DOUBLE, `ÉTÉ` BIGINT, `O` STRUCT<`P` STRING, `Q` ARRAY<STRUCT<`R` STRING>>>, "
            "`A` ARRAY<STRING>, `M` STRING");
}

}  // namespace
}  // namespace weir

// CONNECTOR='datagen': made-up records, each a function of seed and offset alone.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>

#include "base/decimal.h"
#include "base/letter_case.h"
#include "base/number_text.h"
#include "exec/connect/connector.h"

namespace weir {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kDefaultStartMs = 1577836800000;  // 2020-01-01
constexpr std::string_view kRowTimeName = "ROWTIME";

/// Bits that look random, for one row and one column.
uint64_t Mix(uint64_t value) {
  value += 0x9E3779B97F4A7C15u;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
  return value ^ (value >> 31);
}

double Fraction(uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

struct Generator {
  enum class Kind : uint8_t { kSequence, kUniform, kNormal, kChoice, kText } kind = Kind::kSequence;
  double first = 0;
  double second = 1;
  /// Whole numbers of sequences are kept exactly.
  int64_t start = 0;
  int64_t step = 1;
  double null_percent = 0;
  std::vector<std::string> choices;
};

Status BadGenerator(std::string_view text) {
  return Status(ErrorCode::kInvalidProperty, "not a generator: " + std::string(text))
      .WithHint(
          "sequence(start, step), uniform(low, high), normal(mean, deviation), choice(a, b, …), "
          "timestamp(start_ms, step_ms), text(length) or null(percent, generator)");
}

/// Arguments between the outermost brackets; commas inside inner brackets do not count.
std::vector<std::string> SplitArguments(std::string_view text) {
  std::vector<std::string> arguments;
  int depth = 0;
  size_t begin = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || (text[i] == ',' && depth == 0)) {
      arguments.emplace_back(TrimBlanks(text.substr(begin, i - begin)));
      begin = i + 1;
    } else {
      depth += (text[i] == '(') - (text[i] == ')');
    }
  }
  return arguments;
}

Status ReadNumbers(const std::vector<std::string>& arguments, std::string_view text,
                   Generator& out) {
  if (arguments.size() != 2 || !ParseDouble(arguments[0], out.first) ||
      !ParseDouble(arguments[1], out.second)) {
    return BadGenerator(text);
  }
  if (!ParseInt64(arguments[0], out.start)) out.start = static_cast<int64_t>(out.first);
  if (!ParseInt64(arguments[1], out.step)) out.step = static_cast<int64_t>(out.second);
  return OkStatus();
}

Result<Generator> ReadGenerator(std::string_view text) {
  text = TrimBlanks(text);
  const size_t open = text.find('(');
  if (open == std::string_view::npos || !text.ends_with(')')) return BadGenerator(text);
  const std::string name = ToLower(TrimBlanks(text.substr(0, open)));
  const std::string_view inside = text.substr(open + 1, text.size() - open - 2);
  const std::vector<std::string> arguments = SplitArguments(inside);
  Generator generator;
  Status status;
  if (name == "sequence" || name == "timestamp") {
    status = ReadNumbers(arguments, text, generator);
  } else if (name == "uniform") {
    generator.kind = Generator::Kind::kUniform;
    status = ReadNumbers(arguments, text, generator);
    if (status.ok() && generator.second < generator.first) status = BadGenerator(text);
  } else if (name == "normal") {
    generator.kind = Generator::Kind::kNormal;
    status = ReadNumbers(arguments, text, generator);
  } else if (name == "choice") {
    generator.kind = Generator::Kind::kChoice;
    generator.choices = arguments;
  } else if (name == "text") {
    generator.kind = Generator::Kind::kText;
    if (!ParseInt64(inside, generator.start) || generator.start < 0 || generator.start > 1 << 20) {
      status = BadGenerator(text);
    }
  } else if (name == "null" && arguments.size() == 2) {
    double percent = 0;
    if (!ParseDouble(arguments[0], percent)) return BadGenerator(text);
    auto inner = ReadGenerator(arguments[1]);
    if (!inner.ok()) return inner.status();
    inner->null_percent = percent;
    return inner;
  } else {
    status = BadGenerator(text);
  }
  if (!status.ok()) return status;
  return generator;
}

/// What a column gets that has no generator named.
Generator DefaultGenerator(const DataType& type) {
  Generator generator;
  switch (type.kind()) {
    case TypeKind::kBoolean:
      generator.kind = Generator::Kind::kChoice;
      generator.choices = {"true", "false"};
      break;
    case TypeKind::kInt:
    case TypeKind::kBigint:
    case TypeKind::kDouble:
    case TypeKind::kDecimal:
      generator.kind = Generator::Kind::kUniform;
      generator.second = 100;
      generator.step = 100;
      break;
    case TypeKind::kTimestamp: generator.start = kDefaultStartMs; break;
    case TypeKind::kString:
    case TypeKind::kBytes:
      generator.kind = Generator::Kind::kText;
      generator.start = 8;
      break;
    default: break;
  }
  return generator;
}

/// A column and how its values are made.
struct MadeColumn {
  ColumnSchema schema;
  Generator generator;
  uint64_t seed = 0;
};

/// The number that a generator gives for row `row`, before it takes the column's type.
double NumberAt(const Generator& generator, int64_t row, uint64_t bits) {
  switch (generator.kind) {
    case Generator::Kind::kSequence:
      return generator.first + generator.second * static_cast<double>(row);
    case Generator::Kind::kNormal: {
      const double radius = std::sqrt(-2 * std::log(1 - Fraction(bits)));
      return generator.first + generator.second * radius * std::cos(2 * M_PI * Fraction(Mix(bits)));
    }
    default: return generator.first + (generator.second - generator.first) * Fraction(bits);
  }
}

int64_t IntegerAt(const Generator& generator, int64_t row, uint64_t bits) {
  if (generator.kind == Generator::Kind::kSequence) return generator.start + generator.step * row;
  if (generator.kind == Generator::Kind::kUniform) {
    const auto span = static_cast<uint64_t>(generator.step - generator.start) + 1;
    return generator.start + static_cast<int64_t>(span == 0 ? bits : bits % span);
  }
  return std::llround(NumberAt(generator, row, bits));
}

std::string TextAt(const Generator& generator, int64_t row, uint64_t bits) {
  if (generator.kind == Generator::Kind::kChoice) {
    return generator.choices[bits % generator.choices.size()];
  }
  if (generator.kind != Generator::Kind::kText) {
    return std::to_string(IntegerAt(generator, row, bits));
  }
  static constexpr char kLetters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::string text(static_cast<size_t>(generator.start), ' ');
  for (char& c : text) {
    c = kLetters[bits % 36];
    bits = Mix(bits);
  }
  return text;
}

/// Appends a value of the column's type that stands as text in a choice.
bool AppendChoice(const std::string& text, const DataType& type, ColumnBuilder& out) {
  int64_t integer = 0;
  double number = 0;
  Int128 decimal = 0;
  switch (type.kind()) {
    case TypeKind::kBoolean: out.AppendBool(text == "true"); return true;
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kTime:
      if (!ParseInt64(text, integer)) return false;
      out.AppendInt32(static_cast<int32_t>(integer));
      return true;
    case TypeKind::kBigint:
    case TypeKind::kTimestamp:
      if (!ParseInt64(text, integer)) return false;
      out.AppendInt64(integer);
      return true;
    case TypeKind::kDouble:
      if (!ParseDouble(text, number)) return false;
      out.AppendDouble(number);
      return true;
    case TypeKind::kDecimal:
      if (ParseDecimal(text, type.precision(), type.scale(), decimal) != DecimalParse::kOk) {
        return false;
      }
      out.AppendDecimal(decimal);
      return true;
    default: out.AppendBytes(text); return true;
  }
}

void AppendMade(const MadeColumn& column, int64_t row, ColumnBuilder& out) {
  const Generator& generator = column.generator;
  const uint64_t bits = Mix(column.seed ^ Mix(static_cast<uint64_t>(row)));
  if (generator.null_percent > 0 && Fraction(Mix(~bits)) * 100 < generator.null_percent) {
    return out.AppendNull();
  }
  const DataType& type = column.schema.type;
  if (generator.kind == Generator::Kind::kChoice) {
    AppendChoice(TextAt(generator, row, bits), type, out);
    return;
  }
  switch (type.kind()) {
    case TypeKind::kBoolean: return out.AppendBool((bits & 1) != 0);
    case TypeKind::kInt:
    case TypeKind::kDate:
      return out.AppendInt32(static_cast<int32_t>(IntegerAt(generator, row, bits)));
    case TypeKind::kTime: {
      const int64_t ms = IntegerAt(generator, row, bits) % 86400000;
      return out.AppendInt32(static_cast<int32_t>(ms < 0 ? ms + 86400000 : ms));
    }
    case TypeKind::kBigint:
    case TypeKind::kTimestamp: return out.AppendInt64(IntegerAt(generator, row, bits));
    case TypeKind::kDouble:
      // Hundredths, as amounts are; a sequence is what it says.
      return out.AppendDouble(generator.kind == Generator::Kind::kSequence
                                  ? NumberAt(generator, row, bits)
                                  : std::floor(NumberAt(generator, row, bits) * 100) / 100);
    case TypeKind::kDecimal: {
      Int128 decimal = 0;
      if (!DoubleToDecimal(NumberAt(generator, row, bits), type.precision(), type.scale(),
                           decimal)) {
        return out.AppendNull();
      }
      return out.AppendDecimal(decimal);
    }
    default: return out.AppendBytes(TextAt(generator, row, bits));
  }
}

/// The source as declared; shared by its partitions.
struct DatagenPlan {
  std::vector<MadeColumn> keys;
  std::vector<MadeColumn> values;
  MadeColumn row_time;
  FormatSpec key_format;
  FormatSpec value_format;
  std::vector<FormatColumn> key_columns;
  std::vector<FormatColumn> value_columns;
  int64_t rows = -1;  ///< Over all partitions; -1: endless.
  double rate = 0;    ///< Rows a second over all partitions; 0: no limit.
  int32_t partitions = 1;
  Clock::time_point started = Clock::now();
};

class DatagenReader final : public PartitionReader {
 public:
  DatagenReader(std::shared_ptr<const DatagenPlan> plan, int32_t partition, int64_t position)
      : plan_(std::move(plan)), partition_(partition), position_(position), first_(position) {
    if (plan_->rows >= 0) {
      rows_ = (plan_->rows - partition_ + plan_->partitions - 1) / plan_->partitions;
    }
  }

  Status Prepare() {
    auto keys = MakeEncoder(plan_->key_format, plan_->key_columns);
    if (!keys.ok()) return keys.status();
    auto values = MakeEncoder(plan_->value_format, plan_->value_columns);
    if (!values.ok()) return values.status();
    key_encoder_ = std::move(*keys);
    value_encoder_ = std::move(*values);
    for (const MadeColumn& column : plan_->keys) builders_.emplace_back(column.schema.type);
    for (const MadeColumn& column : plan_->values) builders_.emplace_back(column.schema.type);
    return OkStatus();
  }

  Status Fetch(int32_t rows_max, size_t, RecordBatch& out) override {
    out.Clear();
    out.partition = partition_;
    const int64_t count = std::min<int64_t>(rows_max, Released() - position_);
    if (count <= 0) return OkStatus();
    ColumnBuilder times(DataType::Timestamp());
    row_numbers_.resize(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; ++i) {
      const int64_t row = (position_ + i) * plan_->partitions + partition_;
      row_numbers_[static_cast<size_t>(i)] = static_cast<int32_t>(i);
      out.offsets.push_back(position_ + i);
      AppendMade(plan_->row_time, row, times);
      size_t builder = 0;
      for (const MadeColumn& column : plan_->keys) AppendMade(column, row, builders_[builder++]);
      for (const MadeColumn& column : plan_->values) AppendMade(column, row, builders_[builder++]);
    }
    const ColumnPtr time_column = times.Finish();
    const auto made_times = time_column->values<int64_t>();
    out.timestamps.assign(made_times.begin(), made_times.end());
    std::vector<ColumnPtr> keys, values;
    for (size_t i = 0; i < builders_.size(); ++i) {
      (i < plan_->keys.size() ? keys : values).push_back(builders_[i].Finish());
    }
    Status status = key_encoder_->Encode(keys, row_numbers_, bytes_, out.keys);
    if (status.ok()) status = value_encoder_->Encode(values, row_numbers_, bytes_, out.values);
    out.bytes = bytes_.Finish();
    position_ += count;
    return status;
  }

  int64_t position() const override { return position_; }
  int64_t end_offset() const override { return rows_ >= 0 ? rows_ : position_ + 1; }
  bool endless() const override { return rows_ < 0; }

 private:
  /// Rows of this partition that may be out by now.
  int64_t Released() const {
    const int64_t rows = rows_ >= 0 ? rows_ : INT64_MAX;
    if (plan_->rate <= 0) return rows;
    const double seconds = std::chrono::duration<double>(Clock::now() - plan_->started).count();
    return std::min(rows, first_ + static_cast<int64_t>(seconds * plan_->rate / plan_->partitions));
  }

  std::shared_ptr<const DatagenPlan> plan_;
  int32_t partition_;
  int64_t position_;
  int64_t first_;
  int64_t rows_ = -1;
  std::unique_ptr<SideEncoder> key_encoder_;
  std::unique_ptr<SideEncoder> value_encoder_;
  std::vector<ColumnBuilder> builders_;
  std::vector<int32_t> row_numbers_;
  BufferBuilder bytes_;
};

/// With a RATE, wakes its reader as rows fall due.
class DatagenSession final : public ReadSession {
 public:
  explicit DatagenSession(std::shared_ptr<const DatagenPlan> plan) : plan_(std::move(plan)) {}
  ~DatagenSession() override {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    if (ticker_.joinable()) ticker_.join();
  }

  Result<std::unique_ptr<PartitionReader>> Open(std::string_view, int32_t partition,
                                                StartPosition start) override {
    if (start.kind == StartPosition::Kind::kTimestamp) {
      return Status(ErrorCode::kUnsupported, "not built yet: datagen read from a timestamp on");
    }
    const int64_t first = start.kind == StartPosition::Kind::kOffset ? start.value : 0;
    auto reader = std::make_unique<DatagenReader>(plan_, partition, first);
    if (Status status = reader->Prepare(); !status.ok()) return status;
    return std::unique_ptr<PartitionReader>(std::move(reader));
  }

  void SetListener(std::function<void()> listener) override {
    std::lock_guard lock(mutex_);
    listener_ = std::move(listener);
    if (plan_->rate > 0 && !ticker_.joinable()) ticker_ = std::thread([this] { Tick(); });
  }

 private:
  void Tick() {
    const auto pause = std::chrono::duration<double>(std::clamp(1 / plan_->rate, 0.005, 1.0));
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      changed_.wait_for(lock, pause);
      const auto listener = listener_;
      lock.unlock();
      if (listener) listener();
      lock.lock();
    }
  }

  std::shared_ptr<const DatagenPlan> plan_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> listener_;
  bool stopping_ = false;
  std::thread ticker_;
};

Result<MadeColumn> PlanColumn(const ConnectorSpec& spec, const ColumnSchema& column,
                              uint64_t seed) {
  MadeColumn made;
  made.schema = column;
  if (column.type.is_nested()) {
    return Status(ErrorCode::kUnsupported,
                  "not built yet: datagen for columns of type " + column.type.ToString());
  }
  for (char c : column.name) seed = Mix(seed ^ static_cast<uint8_t>(c));
  made.seed = seed;
  made.generator = DefaultGenerator(column.type);
  const auto found = spec.properties.find("COLUMN." + column.name);
  if (found == spec.properties.end()) return made;
  auto generator = ReadGenerator(found->second);
  if (!generator.ok()) return generator.status();
  made.generator = std::move(*generator);
  ColumnBuilder trial(column.type);
  for (const std::string& choice : made.generator.choices) {
    if (!AppendChoice(choice, column.type, trial)) {
      return Status(ErrorCode::kInvalidProperty,
                    "column " + column.name + " cannot hold the choice: " + choice);
    }
  }
  return made;
}

/// Every COLUMN property must name a column.
Status CheckColumnProperties(const ConnectorSpec& spec) {
  for (const auto& [name, text] : spec.properties) {
    if (!name.starts_with("COLUMN.")) continue;
    const std::string column = name.substr(7);
    const bool known = column == kRowTimeName ||
                       std::any_of(spec.columns.begin(), spec.columns.end(),
                                   [&](const ColumnSchema& each) { return each.name == column; });
    if (!known) {
      return Status(ErrorCode::kInvalidProperty, "a generator for an unknown column: " + column);
    }
  }
  return OkStatus();
}

}  // namespace

Result<ConnectorSource> OpenDatagenSource(const ConnectorSpec& spec) {
  auto plan = std::make_shared<DatagenPlan>();
  if (Status status = CheckColumnProperties(spec); !status.ok()) return status;
  auto seed = ConnectorNumber(spec, "SEED", 1, INT64_MIN);
  auto rows = ConnectorNumber(spec, "ROWS", -1, 0);
  auto rate = ConnectorNumber(spec, "RATE", 0, 1);
  auto partitions = ConnectorNumber(spec, "PARTITIONS", 1, 1);
  for (const auto* number : {&seed, &rows, &rate, &partitions}) {
    if (!number->ok()) return number->status();
  }
  plan->rows = *rows;
  plan->rate = static_cast<double>(*rate);
  plan->partitions = static_cast<int32_t>(*partitions);
  plan->key_format = ConnectorFormat(spec, true, "KAFKA");
  plan->value_format = ConnectorFormat(spec, false, "JSON");
  plan->key_columns = ConnectorColumns(spec, true);
  plan->value_columns = ConnectorColumns(spec, false);
  for (const ColumnSchema& column : spec.columns) {
    auto made = PlanColumn(spec, column, static_cast<uint64_t>(*seed));
    if (!made.ok()) return made.status();
    (column.is_key ? plan->keys : plan->values).push_back(std::move(*made));
  }
  auto row_time = PlanColumn(spec, {std::string(kRowTimeName), DataType::Timestamp(), false},
                             static_cast<uint64_t>(*seed));
  if (!row_time.ok()) return row_time.status();
  plan->row_time = std::move(*row_time);
  ConnectorSource source;
  source.partitions = plan->partitions;
  source.session = std::make_unique<DatagenSession>(std::move(plan));
  return source;
}

}  // namespace weir

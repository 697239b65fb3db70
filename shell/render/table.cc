// A table for people. What fits the terminal is chosen when the first rows are known: columns are
// made narrower, and where that does not do, those in the middle are left out. A later, wider value
// widens its column from there on while the terminal has room.

#include <fmt/format.h>

#include <algorithm>

#include "shell/render/display_width.h"
#include "shell/render/renderer.h"

namespace weir::shell {
namespace {

/// A text column is not made narrower than this to fit all columns in.
constexpr int kTextWidthMin = 8;
/// Where columns are left out anyway, those that are shown get so much room for texts and names.
constexpr int kTextWidthEasy = 20;
constexpr int kNameWidthEasy = 10;
/// What a column needs beside its text: a blank on each side and a line, of which the first column
/// has none.
constexpr int kColumnFrame = 3;

/// One column as it is shown.
struct TableColumn {
  int index = 0;  ///< In the schema; or one of those below.
  std::string name;
  int wanted = 1;  ///< So wide would show everything.
  int values = 0;  ///< So wide are the values.
  int width = 1;
  bool is_text = true;     ///< May be cut; half a number would be another number.
  bool is_number = false;  ///< Stands on the right.
};
constexpr int kOpColumn = -1;
constexpr int kLeftOut = -2;

class TableRenderer : public Renderer {
 public:
  TableRenderer(const RenderOptions& options, const Schema& schema, std::ostream& out)
      : width_max_(options.width),
        plain_text_(options.plain_text && schema.size() == 1 && !options.show_ops),
        show_ops_(options.show_ops),
        schema_(schema),
        out_(out) {}

  void WriteRows(const Batch& batch, int32_t rows) override {
    if (plain_text_ && HasLines(batch, rows)) {
      WritePlainText(batch, rows);
      return;
    }
    if (!show_ops_ && !batch.ops().empty()) {
      show_ops_ = true;
      header_written_ = false;
    }
    if (!header_written_) {
      LayOut(batch, rows);
      WriteHeader();
    }
    for (int32_t row = 0; row < rows; ++row) WriteRow(batch, row);
  }

  void End() override {
    if (header_written_ || plain_text_written_) return;
    LayOut(Batch(std::make_shared<Schema>(), {}, 0), 0);
    WriteHeader();
  }

  std::string note() const override {
    if (left_out_ == 0) return {};
    return fmt::format("{} columns, {} shown", schema_.size(), schema_.size() - left_out_);
  }

 private:
  // Plans and SHOW CREATE are one column of several lines: a frame would only be in the way.
  static bool HasLines(const Batch& batch, int32_t rows) {
    for (int32_t row = 0; row < rows; ++row) {
      if (batch.column(0).ToText(row).find('\n') != std::string::npos) return true;
    }
    return false;
  }

  void WritePlainText(const Batch& batch, int32_t rows) {
    plain_text_written_ = true;
    for (int32_t row = 0; row < rows; ++row) {
      out_ << SafeText(batch.column(0).ToText(row), Escape::kLines) << '\n';
    }
  }

  static std::string CellText(const Batch& batch, int32_t row, int index) {
    if (index == kLeftOut) return "…";
    if (index == kOpColumn) return std::string(OpText(OpOf(batch, row)));
    return Printable(batch.column(index).ToText(row));
  }

  TableColumn MeasureColumn(int index, const Batch& batch, int32_t rows) const {
    TableColumn column{.index = index};
    if (index == kOpColumn) {
      column.name = "op";
      column.values = 2;
      column.is_text = false;
    } else {
      const ColumnSchema& schema = schema_.columns[static_cast<size_t>(index)];
      column.name = Printable(schema.name);
      column.is_number = schema.type.is_numeric();
      column.is_text = schema.type.is(TypeKind::kString) || schema.type.is(TypeKind::kBytes) ||
                       schema.type.is(TypeKind::kArray) || schema.type.is(TypeKind::kMap) ||
                       schema.type.is(TypeKind::kStruct);
      for (int32_t row = 0; row < rows; ++row) {
        column.values = std::max(column.values, DisplayWidth(CellText(batch, row, index)));
      }
    }
    column.wanted = std::max({1, column.values, DisplayWidth(column.name)});
    return column;
  }

  void LayOut(const Batch& batch, int32_t rows) {
    columns_.clear();
    left_out_ = 0;
    if (show_ops_) columns_.push_back(MeasureColumn(kOpColumn, batch, rows));
    for (int i = 0; i < schema_.size(); ++i) {
      columns_.push_back(MeasureColumn(i, batch, rows));
    }
    SetWidths(kTextWidthMin, kTextWidthMin);
    if (width_max_ == 0 || TotalWidth() <= width_max_) return;
    LeaveOutTheMiddle();
    SetWidths(kTextWidthEasy, kNameWidthEasy);
    if (TotalWidth() > width_max_) SetWidths(kTextWidthMin, 1);
  }

  /// The least width of a column where texts get `text` and names `name`.
  static int LeastWidth(const TableColumn& column, int text, int name) {
    const int values = column.is_text ? std::min(column.values, text) : column.values;
    return std::max({1, values, std::min(DisplayWidth(column.name), name)});
  }

  /// Takes from the widest column, one by one, until the table fits or none can give any more.
  void SetWidths(int text, int name) {
    for (TableColumn& column : columns_) column.width = column.wanted;
    if (width_max_ == 0) return;
    for (int over = TotalWidth() - width_max_; over > 0; --over) {
      TableColumn* widest = nullptr;
      for (TableColumn& column : columns_) {
        if (column.width <= LeastWidth(column, text, name)) continue;
        if (widest == nullptr || column.width > widest->width) widest = &column;
      }
      if (widest == nullptr) return;
      --widest->width;
    }
  }

  // The first columns say what a row is, the last ones often what was computed: columns are taken
  // from both ends, in turn, as long as there is room.
  void LeaveOutTheMiddle() {
    int room = width_max_ + 1 - (1 + kColumnFrame);
    const auto take = [&](size_t i) {
      const int needed = LeastWidth(columns_[i], kTextWidthEasy, kNameWidthEasy) + kColumnFrame;
      if (needed > room) return false;
      room -= needed;
      return true;
    };
    size_t first = show_ops_ ? 2 : 1;  // One column is shown in any case.
    for (size_t i = 0; i < first; ++i) take(i);
    size_t last = columns_.size();
    for (bool left = true, right = true; first < last && (left || right);) {
      right = right && take(last - 1);
      if (right) --last;
      left = left && first < last && take(first);
      if (left) ++first;
    }
    left_out_ = static_cast<int>(last - first);
    if (left_out_ == 0) return;
    columns_.erase(columns_.begin() + static_cast<std::ptrdiff_t>(first),
                   columns_.begin() + static_cast<std::ptrdiff_t>(last));
    columns_.insert(columns_.begin() + static_cast<std::ptrdiff_t>(first),
                    {.index = kLeftOut, .name = "…", .values = 1, .is_text = false});
  }

  int TotalWidth() const {
    int total = -1;
    for (const TableColumn& column : columns_) total += column.width + kColumnFrame;
    return total;
  }

  void WriteHeader() {
    header_written_ = true;
    std::string line;
    std::string rule;
    for (const TableColumn& column : columns_) {
      if (!line.empty()) {
        line += '|';
        rule += '+';
      }
      AppendCell(CutToWidth(column.name, column.width), column.width, false, &line);
      rule.append(static_cast<size_t>(column.width + 2), '-');
    }
    out_ << line << '\n' << rule << '\n';
  }

  void WriteRow(const Batch& batch, int32_t row) {
    std::string line;
    for (TableColumn& column : columns_) {
      std::string text = CellText(batch, row, column.index);
      const int width = DisplayWidth(text);
      if (width > column.width) {
        const int room = width_max_ > 0 ? std::max(0, width_max_ - TotalWidth()) : width;
        column.width = std::min(width, column.width + room);
        if (column.is_text) text = CutToWidth(text, column.width);
      }
      if (!line.empty()) line += '|';
      AppendCell(text, column.width, column.is_number, &line);
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    out_ << line << '\n';
  }

  static void AppendCell(std::string_view text, int width, bool right, std::string* line) {
    const size_t padding = static_cast<size_t>(std::max(0, width - DisplayWidth(text)));
    line->push_back(' ');
    if (right) line->append(padding, ' ');
    line->append(text);
    if (!right) line->append(padding, ' ');
    line->push_back(' ');
  }

  const int width_max_;
  const bool plain_text_;
  bool show_ops_;
  bool header_written_ = false;
  bool plain_text_written_ = false;
  const Schema& schema_;
  std::ostream& out_;
  std::vector<TableColumn> columns_;
  int left_out_ = 0;
};

}  // namespace

std::unique_ptr<Renderer> MakeTableRenderer(const RenderOptions& options, const Schema& schema,
                                            std::ostream& out) {
  return std::make_unique<TableRenderer>(options, schema, out);
}

}  // namespace weir::shell

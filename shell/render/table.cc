// A table for people. Column widths come from the header and the first batch and are fitted to the
// terminal; a later, wider value widens its column from there on while the terminal has room.

#include <algorithm>
#include <numeric>

#include "shell/render/display_width.h"
#include "shell/render/renderer.h"

namespace weir::shell {
namespace {

/// No column is made narrower than this to fit the terminal.
constexpr int kColumnWidthMin = 6;

class TableRenderer : public Renderer {
 public:
  TableRenderer(const RenderOptions& options, const Schema& schema, std::ostream& out)
      : width_max_(options.width), show_ops_(options.show_ops), schema_(schema), out_(out) {}

  void Write(const Batch& batch) override {
    if (!show_ops_ && !batch.ops().empty()) {
      show_ops_ = true;
      header_written_ = false;
    }
    Rows rows = Texts(batch);
    if (!header_written_) {
      if (IsPlainText(rows)) {
        WritePlainText(batch);
        return;
      }
      ChooseWidths(rows);
      WriteHeader();
    }
    for (const std::vector<std::string>& row : rows) WriteRow(row);
  }

  void End() override {
    if (header_written_ || plain_text_written_) return;
    ChooseWidths({});
    WriteHeader();
  }

 private:
  using Rows = std::vector<std::vector<std::string>>;

  Rows Texts(const Batch& batch) const {
    Rows rows(static_cast<size_t>(batch.row_count()));
    for (int32_t row = 0; row < batch.row_count(); ++row) {
      std::vector<std::string>& texts = rows[static_cast<size_t>(row)];
      if (show_ops_) texts.emplace_back(OpText(OpOf(batch, row)));
      for (int i = 0; i < batch.column_count(); ++i) {
        texts.push_back(Printable(batch.column(i).ToText(row)));
      }
    }
    return rows;
  }

  // Plans and SHOW CREATE are one column of several lines: a frame would only be in the way.
  bool IsPlainText(const Rows& rows) const {
    return schema_.size() == 1 && schema_.columns[0].type.is(TypeKind::kString) && !show_ops_ &&
           std::any_of(rows.begin(), rows.end(), [](const std::vector<std::string>& row) {
             return row[0].find("\\n") != std::string::npos;
           });
  }

  void WritePlainText(const Batch& batch) {
    plain_text_written_ = true;
    for (int32_t row = 0; row < batch.row_count(); ++row) {
      out_ << batch.column(0).ToText(row) << '\n';
    }
  }

  void ChooseWidths(const Rows& rows) {
    names_.clear();
    if (show_ops_) names_.emplace_back("op");
    for (const ColumnSchema& column : schema_.columns) names_.push_back(Printable(column.name));
    widths_.clear();
    for (const std::string& name : names_) widths_.push_back(std::max(1, DisplayWidth(name)));
    for (const std::vector<std::string>& row : rows) {
      for (size_t i = 0; i < row.size(); ++i) {
        widths_[i] = std::max(widths_[i], DisplayWidth(row[i]));
      }
    }
    // Take from the widest column, one by one, until the table fits.
    while (width_max_ > 0 && TotalWidth() > width_max_) {
      const auto widest = std::max_element(widths_.begin(), widths_.end());
      if (*widest <= kColumnWidthMin) break;
      --*widest;
    }
  }

  int TotalWidth() const {
    return std::accumulate(widths_.begin(), widths_.end(), 0) +
           3 * static_cast<int>(widths_.size()) - 1;
  }

  void WriteHeader() {
    header_written_ = true;
    std::string line;
    std::string rule;
    for (size_t i = 0; i < names_.size(); ++i) {
      if (i > 0) {
        line += '|';
        rule += '+';
      }
      AppendCell(CutToWidth(names_[i], widths_[i]), widths_[i], false, &line);
      rule.append(static_cast<size_t>(widths_[i] + 2), '-');
    }
    out_ << line << '\n' << rule << '\n';
  }

  void WriteRow(const std::vector<std::string>& row) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const int width = DisplayWidth(row[i]);
      if (width > widths_[i]) {
        const int room = width_max_ > 0 ? std::max(0, width_max_ - TotalWidth()) : width;
        widths_[i] = std::min(width, widths_[i] + room);
      }
      if (i > 0) line += '|';
      AppendCell(CutToWidth(row[i], widths_[i]), widths_[i], IsNumber(i), &line);
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    out_ << line << '\n';
  }

  bool IsNumber(size_t cell) const {
    if (show_ops_ && cell == 0) return false;
    return schema_.columns[cell - (show_ops_ ? 1 : 0)].type.is_numeric();
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
  bool show_ops_;
  bool header_written_ = false;
  bool plain_text_written_ = false;
  const Schema& schema_;
  std::ostream& out_;
  std::vector<std::string> names_;
  std::vector<int> widths_;
};

}  // namespace

std::unique_ptr<Renderer> MakeTableRenderer(const RenderOptions& options, const Schema& schema,
                                            std::ostream& out) {
  return std::make_unique<TableRenderer>(options, schema, out);
}

}  // namespace weir::shell

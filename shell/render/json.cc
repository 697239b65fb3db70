// JSON lines: one row an object, the column names as keys; "op" first where rows have one.

#include <cmath>

#include "shell/render/display_width.h"
#include "shell/render/json_text.h"
#include "shell/render/renderer.h"

namespace weir::shell {
namespace {

class JsonRenderer : public Renderer {
 public:
  JsonRenderer(const RenderOptions& options, const Schema& schema, std::ostream& out)
      : show_ops_(options.show_ops), terminal_(options.terminal), out_(out) {
    for (const ColumnSchema& column : schema.columns) {
      keys_.push_back(JsonString(column.name) + ":");
    }
  }

  void WriteRows(const Batch& batch, int32_t rows) override {
    const bool ops = show_ops_ || !batch.ops().empty();
    for (int32_t row = 0; row < rows; ++row) {
      line_ = "{";
      if (ops) {
        line_ += "\"op\":\"";
        line_ += OpText(OpOf(batch, row));
        line_ += '"';
      }
      for (int i = 0; i < batch.column_count(); ++i) {
        if (line_.size() > 1) line_ += ',';
        line_ += keys_[static_cast<size_t>(i)];
        AppendValue(batch.column(i), row);
      }
      line_ += "}\n";
      if (terminal_) line_ = SafeText(line_, Escape::kJson);
      out_ << line_;
    }
  }

 private:
  void AppendValue(const Column& column, int32_t row) {
    if (column.IsNull(row)) {
      line_ += "null";
      return;
    }
    switch (column.type().kind()) {
      case TypeKind::kNull: line_ += "null"; return;
      case TypeKind::kString: AppendJsonString(column.GetString(row), &line_); return;
      case TypeKind::kDouble:
        // JSON has no infinities and no NaN; their names as text lose nothing.
        if (!std::isfinite(column.values<double>()[static_cast<size_t>(row)])) {
          AppendJsonString(column.ToText(row), &line_);
          return;
        }
        [[fallthrough]];
      case TypeKind::kBoolean:
      case TypeKind::kInt:
      case TypeKind::kBigint:
      case TypeKind::kDecimal:
      case TypeKind::kArray:
      case TypeKind::kMap:
      case TypeKind::kStruct: line_ += column.ToText(row); return;
      case TypeKind::kBytes:
      case TypeKind::kDate:
      case TypeKind::kTime:
      case TypeKind::kTimestamp: AppendJsonString(column.ToText(row), &line_); return;
    }
  }

  const bool show_ops_;
  const bool terminal_;
  std::ostream& out_;
  std::vector<std::string> keys_;
  std::string line_;
};

}  // namespace

std::unique_ptr<Renderer> MakeJsonRenderer(const RenderOptions& options, const Schema& schema,
                                           std::ostream& out) {
  return std::make_unique<JsonRenderer>(options, schema, out);
}

}  // namespace weir::shell

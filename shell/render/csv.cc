// CSV as RFC 4180 has it, with a header line. A null is nothing, an empty text is "".

#include "shell/render/renderer.h"

namespace weir::shell {
namespace {

void AppendField(std::string_view text, std::string* line) {
  const bool quote = text.empty() || text.front() == ' ' || text.back() == ' ' ||
                     text.find_first_of(",\"\r\n") != std::string_view::npos;
  if (!quote) {
    line->append(text);
    return;
  }
  line->push_back('"');
  for (const char c : text) {
    if (c == '"') line->push_back('"');
    line->push_back(c);
  }
  line->push_back('"');
}

class CsvRenderer : public Renderer {
 public:
  CsvRenderer(const RenderOptions& options, const Schema& schema, std::ostream& out)
      : show_ops_(options.show_ops), schema_(schema), out_(out) {}

  void WriteRows(const Batch& batch, int32_t rows) override {
    if (!show_ops_ && !batch.ops().empty()) {
      // Rows of a result that was thought to be append-only: the columns change, so say so.
      show_ops_ = true;
      header_written_ = false;
    }
    WriteHeader();
    for (int32_t row = 0; row < rows; ++row) {
      line_.clear();
      if (show_ops_) line_ += OpText(OpOf(batch, row));
      for (int i = 0; i < batch.column_count(); ++i) {
        if (i > 0 || show_ops_) line_ += ',';
        const Column& column = batch.column(i);
        if (!column.IsNull(row)) AppendField(column.ToText(row), &line_);
      }
      line_ += '\n';
      out_ << line_;
    }
  }

  void End() override { WriteHeader(); }

 private:
  void WriteHeader() {
    if (header_written_) return;
    header_written_ = true;
    line_.clear();
    if (show_ops_) line_ += "op";
    for (const ColumnSchema& column : schema_.columns) {
      if (!line_.empty()) line_ += ',';
      AppendField(column.name, &line_);
    }
    out_ << line_ << '\n';
  }

  bool show_ops_;
  bool header_written_ = false;
  const Schema& schema_;
  std::ostream& out_;
  std::string line_;
};

}  // namespace

std::unique_ptr<Renderer> MakeCsvRenderer(const RenderOptions& options, const Schema& schema,
                                          std::ostream& out) {
  return std::make_unique<CsvRenderer>(options, schema, out);
}

}  // namespace weir::shell

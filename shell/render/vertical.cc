// One column a line: for rows that are too wide for a table.

#include <fmt/format.h>

#include <algorithm>

#include "shell/render/display_width.h"
#include "shell/render/renderer.h"

namespace weir::shell {
namespace {

class VerticalRenderer : public Renderer {
 public:
  VerticalRenderer(const RenderOptions& options, const Schema& schema, std::ostream& out)
      : show_ops_(options.show_ops), out_(out) {
    for (const ColumnSchema& column : schema.columns) {
      names_.push_back(Printable(column.name));
      name_width_ = std::max(name_width_, DisplayWidth(names_.back()));
    }
  }

  void WriteRows(const Batch& batch, int32_t rows) override {
    const bool ops = show_ops_ || !batch.ops().empty();
    for (int32_t row = 0; row < rows; ++row) {
      out_ << fmt::format("-- {}{} --\n", ++rows_,
                          ops ? fmt::format(" {}", OpText(OpOf(batch, row))) : "");
      for (int i = 0; i < batch.column_count(); ++i) {
        const std::string& name = names_[static_cast<size_t>(i)];
        out_ << std::string(static_cast<size_t>(name_width_ - DisplayWidth(name)), ' ') << name
             << " | " << Printable(batch.column(i).ToText(row)) << '\n';
      }
    }
  }

 private:
  const bool show_ops_;
  std::ostream& out_;
  std::vector<std::string> names_;
  int name_width_ = 0;
  int64_t rows_ = 0;
};

}  // namespace

std::unique_ptr<Renderer> MakeVerticalRenderer(const RenderOptions& options, const Schema& schema,
                                               std::ostream& out) {
  return std::make_unique<VerticalRenderer>(options, schema, out);
}

}  // namespace weir::shell

#include "shell/render/renderer.h"

namespace weir::shell {
namespace {

struct FormatRow {
  std::string_view name;
  OutputFormat format;
  std::unique_ptr<Renderer> (*make)(const RenderOptions&, const Schema&, std::ostream&);
};

constexpr FormatRow kFormats[] = {
    {"table", OutputFormat::kTable, &MakeTableRenderer},
    {"vertical", OutputFormat::kVertical, &MakeVerticalRenderer},
    {"json", OutputFormat::kJson, &MakeJsonRenderer},
    {"csv", OutputFormat::kCsv, &MakeCsvRenderer},
};

}  // namespace

std::optional<OutputFormat> ParseOutputFormat(std::string_view name) {
  for (const FormatRow& row : kFormats) {
    if (row.name == name) return row.format;
  }
  return std::nullopt;
}

std::string_view OutputFormatName(OutputFormat format) {
  for (const FormatRow& row : kFormats) {
    if (row.format == format) return row.name;
  }
  return {};
}

std::unique_ptr<Renderer> MakeRenderer(const RenderOptions& options, const Schema& schema,
                                       std::ostream& out) {
  for (const FormatRow& row : kFormats) {
    if (row.format == options.format) return row.make(options, schema, out);
  }
  return MakeJsonRenderer(options, schema, out);
}

std::string_view OpText(RowOp op) {
  switch (op) {
    case RowOp::kInsert: return "+I";
    case RowOp::kUpdateBefore: return "-U";
    case RowOp::kUpdateAfter: return "+U";
    case RowOp::kDelete: return "-D";
  }
  return "+I";
}

RowOp OpOf(const Batch& batch, int32_t row) {
  return batch.ops().empty() ? RowOp::kInsert : batch.ops()[static_cast<size_t>(row)];
}

}  // namespace weir::shell

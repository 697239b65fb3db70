#pragma once

// How rows are written. One renderer writes the rows of one result, batch by batch as they come.

#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "weir/batch.h"

namespace weir::shell {

enum class OutputFormat { kTable, kVertical, kJson, kCsv };

/// The format named "table", "vertical", "json" or "csv".
std::optional<OutputFormat> ParseOutputFormat(std::string_view name);
std::string_view OutputFormatName(OutputFormat format);

struct RenderOptions {
  OutputFormat format = OutputFormat::kJson;
  /// Columns of the terminal that a table must fit into; 0: as wide as it gets, nothing is cut.
  int width = 0;
  /// The output is a terminal: characters that could do something there are escaped.
  bool terminal = false;
  /// Reserve a place for what each row means (+I, -U, +U, -D).
  bool show_ops = false;
  /// A result of one text column is a text of several lines, such as a plan or a statement: no
  /// frame is drawn around it.
  bool plain_text = false;
};

/// Writes batches of one schema. Call Write any number of times, then End once. Not thread-safe.
class Renderer {
 public:
  virtual ~Renderer() = default;
  void Write(const Batch& batch) { WriteRows(batch, batch.row_count()); }
  /// Writes the first `rows` rows of the batch.
  virtual void WriteRows(const Batch& batch, int32_t rows) = 0;
  /// After the last row. Writes what belongs to a result without rows, such as its header.
  virtual void End() {}
  /// What of the result is not shown, for people: "18 columns, 7 shown". Empty: all is.
  virtual std::string note() const { return {}; }
};

/// `out` and `schema` must outlive the renderer.
std::unique_ptr<Renderer> MakeRenderer(const RenderOptions& options, const Schema& schema,
                                       std::ostream& out);

/// One maker a format, each in its own file.
std::unique_ptr<Renderer> MakeTableRenderer(const RenderOptions& options, const Schema& schema,
                                            std::ostream& out);
std::unique_ptr<Renderer> MakeVerticalRenderer(const RenderOptions& options, const Schema& schema,
                                               std::ostream& out);
std::unique_ptr<Renderer> MakeJsonRenderer(const RenderOptions& options, const Schema& schema,
                                           std::ostream& out);
std::unique_ptr<Renderer> MakeCsvRenderer(const RenderOptions& options, const Schema& schema,
                                          std::ostream& out);

/// "+I", "-U", "+U" or "-D". A batch without ops has only kInsert.
std::string_view OpText(RowOp op);
RowOp OpOf(const Batch& batch, int32_t row);

}  // namespace weir::shell

#include "exec/engine/key_lookup.h"

#include <charconv>
#include <deque>
#include <utility>

#include "base/status_macros.h"
#include "exec/runtime/guarded.h"

namespace weir {
namespace {

constexpr size_t kShapeBytesMax = 1024;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsWord(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
/// The last character that is no space.
char LastOf(std::string_view text) {
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text.empty() ? ' ' : text.back();
}

/// The text that begins with the quote at `at`, which moves behind it; false if it does not end.
bool TakeQuoted(std::string_view sql, size_t& at, std::string& out) {
  for (++at; at < sql.size(); ++at) {
    if (sql[at] != '\'') {
      out.push_back(sql[at]);
    } else if (at + 1 < sql.size() && sql[at + 1] == '\'') {
      out.push_back(sql[++at]);
    } else {
      ++at;
      return true;
    }
  }
  return false;
}

// The same columns of a row of the table, as the query gives them out.
bool ColumnsOf(const physical::TopicSource& source, const physical::Project* project,
               std::vector<int>& columns) {
  std::vector<int> read(static_cast<size_t>(source.schema->size()));
  for (size_t i = 0; i < source.columns.size(); ++i) {
    const int to = source.columns[i].output_index;
    if (to >= 0) read[static_cast<size_t>(to)] = static_cast<int>(i);
  }
  if (project == nullptr) {
    columns = std::move(read);
    return true;
  }
  for (const BoundExprPtr& expr : project->exprs) {
    if (expr->kind == BoundKind::kColumn) {
      columns.push_back(read[static_cast<size_t>(expr->index)]);
    } else if (expr->kind == BoundKind::kSystem && (expr->system == SystemColumn::kRowTime ||
                                                    expr->system == SystemColumn::kWindowStart ||
                                                    expr->system == SystemColumn::kWindowEnd)) {
      columns.push_back(-1 - static_cast<int>(expr->system));
    } else {
      return false;
    }
  }
  return true;
}

class KeyLookupCursor final : public Cursor {
 public:
  KeyLookupCursor(std::shared_ptr<const KeyLookup> lookup, Value key,
                  std::shared_ptr<Broker> broker)
      : schema_(lookup->schema), lookup_(std::move(lookup)), broker_(std::move(broker)) {
    key_.push_back(std::move(key));
    for (int column : lookup_->columns) {
      if (column >= 0) read_.push_back(column);
    }
  }

  const Schema& schema() const override { return *schema_; }
  bool is_push() const override { return false; }

  Result<std::optional<Batch>> Next(std::chrono::milliseconds) override {
    if (!std::exchange(is_open_, true)) {
      Status read = Guarded([this] { return Read(); });
      // The store closes when nobody needs it any more.
      lookup_.reset();
      broker_.reset();
      if (!read.ok()) {
        batches_.clear();
        return read;
      }
    }
    if (cancelled_) return Status(ErrorCode::kCancelled, "the query was cancelled");
    if (batches_.empty()) return std::optional<Batch>();
    std::optional<Batch> batch(std::move(batches_.front()));
    batches_.pop_front();
    return batch;
  }

  bool done() const override { return cancelled_ || (is_open_ && batches_.empty()); }
  bool limit_reached() const override { return false; }
  bool caught_up() const override { return done(); }
  void Cancel() override { cancelled_ = true; }

 private:
  Status Read() {
    if (*lookup_->is_closed) return Status(ErrorCode::kClosed, "the engine is closed");
    if (lookup_->catch_up) lookup_->catch_up(cancelled_);
    if (cancelled_) return OkStatus();
    // One key without windows is one entry: no snapshot makes that any more of one moment.
    std::shared_ptr<const StateReader> state =
        lookup_->is_windowed ? broker_->state().Snapshot()
                             : std::shared_ptr<const StateReader>(broker_, &broker_->state());
    WEIR_ASSIGN_OR_RETURN(std::vector<ViewReader> views,
                          lookup_->keeper->ReadViews(lookup_->root, state));
    for (ViewReader& view : views) {
      WEIR_RETURN_IF_ERROR(view.Lookup(key_, read_, [this](Chunk rows) {
        Take(rows);
        return OkStatus();
      }));
    }
    return lookup_->keeper->CheckNotStopped();
  }

  void Take(const Chunk& rows) {
    std::vector<ColumnPtr> columns;
    size_t next = 0;
    for (int column : lookup_->columns) {
      columns.push_back(column >= 0 ? rows.columns[next++]
                                    : rows.sys(static_cast<SystemColumn>(-1 - column)));
    }
    batches_.emplace_back(schema_, std::move(columns), rows.rows);
  }

  const SchemaPtr schema_;
  std::shared_ptr<const KeyLookup> lookup_;  // These two until the rows are there.
  std::shared_ptr<Broker> broker_;
  std::vector<Value> key_;
  std::vector<int> read_;
  std::deque<Batch> batches_;
  bool is_open_ = false;
  std::atomic<bool> cancelled_{false};
};

}  // namespace

std::optional<StatementShape> ShapeOf(std::string_view sql) {
  StatementShape shape;
  if (sql.size() > kShapeBytesMax) return std::nullopt;
  while (!sql.empty() && (IsSpace(sql.back()) || sql.back() == ';')) sql.remove_suffix(1);
  for (size_t at = 0; at < sql.size();) {
    const char c = sql[at];
    if (c == '\'' || IsDigit(c)) {
      // The one literal is compared with something, and ends the statement.
      if (LastOf(shape.text) != '=') return std::nullopt;
      shape.is_text = c == '\'';
      if (!shape.is_text) {
        while (at < sql.size() && IsDigit(sql[at])) shape.literal.push_back(sql[at++]);
      } else if (!TakeQuoted(sql, at, shape.literal)) {
        return std::nullopt;
      }
      shape.text.push_back(shape.is_text ? '\'' : '0');
      return at == sql.size() ? std::optional(std::move(shape)) : std::nullopt;
    }
    if (IsWord(c)) {
      while (at < sql.size() && IsWord(sql[at])) shape.text.push_back(sql[at++]);
    } else if (c == '"' || c == '`') {
      do {
        shape.text.push_back(sql[at++]);
      } while (at < sql.size() && sql[at] != c);
      if (at == sql.size()) return std::nullopt;
      shape.text.push_back(sql[at++]);
    } else if (c == '$' || c == '-' || c == '/' || c == ';') {
      return std::nullopt;  // Variables, comments, several statements.
    } else {
      shape.text.push_back(c);
      ++at;
    }
  }
  return std::nullopt;
}

std::shared_ptr<KeyLookup> AsKeyLookup(const physical::Node& root, const SchemaPtr& schema) {
  if (root.kind != physical::NodeKind::kClientSink) return nullptr;
  const physical::Node* node = root.inputs[0].get();
  const physical::Project* project = nullptr;
  if (node->kind == physical::NodeKind::kProject) {
    project = static_cast<const physical::Project*>(node);
    node = node->inputs[0].get();
  }
  if (node->kind != physical::NodeKind::kFilter) return nullptr;
  const BoundExpr& predicate = *static_cast<const physical::Filter&>(*node).predicate;
  if (predicate.kind != BoundKind::kCall || predicate.function->name != "=") return nullptr;
  node = node->inputs[0].get();
  if (node->kind != physical::NodeKind::kTopicSource) return nullptr;
  const auto& source = static_cast<const physical::TopicSource&>(*node);
  if (source.lookups.size() != 1 || source.lookups[0].size() != 1) return nullptr;
  auto lookup = std::make_shared<KeyLookup>();
  lookup->schema = schema;
  lookup->key_type = source.columns[0].type;
  lookup->is_windowed = source.windowed_key != physical::WindowKind::kNone;
  if (!ColumnsOf(source, project, lookup->columns)) return nullptr;
  return lookup;
}

std::optional<Value> KeyOf(const StatementShape& shape, const DataType& type) {
  if (type.is(TypeKind::kString)) {
    return shape.is_text ? std::optional(Value(shape.literal)) : std::nullopt;
  }
  if (shape.is_text) return std::nullopt;
  const char* end = shape.literal.data() + shape.literal.size();
  const auto read = [&](auto number) -> std::optional<Value> {
    const auto [at, error] = std::from_chars(shape.literal.data(), end, number);
    return error == std::errc() && at == end ? std::optional(Value(number)) : std::nullopt;
  };
  if (type.is(TypeKind::kInt)) return read(int32_t{0});
  return type.is(TypeKind::kBigint) ? read(int64_t{0}) : std::nullopt;
}

std::unique_ptr<Cursor> OpenKeyLookup(std::shared_ptr<const KeyLookup> lookup, Value key,
                                      std::shared_ptr<Broker> broker) {
  return std::make_unique<KeyLookupCursor>(std::move(lookup), std::move(key), std::move(broker));
}

}  // namespace weir

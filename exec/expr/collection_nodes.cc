// Nodes over ARRAY, MAP and STRUCT: subscripts, fields, constructors.

#include "exec/column/compare.h"
#include "exec/expr/node.h"

namespace weir {
namespace {

/// array[i] (from 1, negative from the end) and map[key]; what is not there is null.
class SubscriptNode final : public Node {
 public:
  SubscriptNode(const DataType& type, Node* collection, Node* index)
      : Node(type), collection_(collection), index_(index) {
    set_runs_whole(collection->runs_whole() && index->runs_whole());
  }

 protected:
  ColumnPtr Compute(Frame& frame, const RowMask& mask) override {
    const ColumnPtr collection = collection_->Evaluate(frame, mask);
    const ColumnPtr index = index_->Evaluate(frame, mask);
    std::vector<int32_t> rows(static_cast<size_t>(frame.rows()), -1);
    RowMask active = mask;
    active.KeepValid(*collection);
    active.KeepValid(*index);
    const bool is_array = collection->type().is(TypeKind::kArray);
    ForEachSetBit(active.bits(), active.rows(), [&](int32_t row) {
      rows[static_cast<size_t>(row)] =
          is_array ? FindElement(*collection, *index, row) : FindKey(*collection, *index, row);
    });
    return Gather(*collection->child(is_array ? 0 : 1), rows);
  }

 private:
  static int32_t FindElement(const Column& array, const Column& index, int32_t row) {
    const int32_t begin = array.offsets()[row], end = array.offsets()[row + 1];
    const size_t at = static_cast<size_t>(row);
    const int64_t number =
        index.type().is(TypeKind::kInt) ? index.values<int32_t>()[at] : index.values<int64_t>()[at];
    const int64_t size = end - begin;
    if (number >= 1 && number <= size) return static_cast<int32_t>(begin + number - 1);
    if (number < 0 && -number <= size) return static_cast<int32_t>(end + number);
    return -1;
  }

  static int32_t FindKey(const Column& map, const Column& key, int32_t row) {
    const Column& keys = *map.child(0);
    for (int32_t i = map.offsets()[row + 1] - 1; i >= map.offsets()[row]; --i) {
      if (EqualAt(keys, i, key, row)) return i;
    }
    return -1;
  }

  Node* collection_;
  Node* index_;
};

class FieldNode final : public Node {
 public:
  FieldNode(const DataType& type, Node* record, int field)
      : Node(type), record_(record), field_(field), validity_() {
    set_runs_whole(record->runs_whole());
  }

 protected:
  ColumnPtr Compute(Frame& frame, const RowMask& mask) override {
    const ColumnPtr& record = record_->Evaluate(frame, mask);
    const ColumnPtr& child = record->child(field_);
    if (!record->has_nulls()) return child;
    // A field of a null struct is null.
    RowMask valid = RowMask::All(frame.rows());
    valid.KeepValid(*record);
    valid.KeepValid(*child);
    validity_.AppendBits(valid.bits(), frame.rows());
    Column::Parts parts = Prefix(child, frame.rows())->parts();
    parts.validity = validity_.Finish();
    return MakeColumn(std::move(parts));
  }

 private:
  Node* record_;
  int field_;
  ValidityBuilder validity_;
};

/// Row by row the values of several columns, one behind the other.
ColumnPtr Interleave(std::span<const ColumnPtr> columns, int32_t rows) {
  std::vector<ColumnPtr> parts;
  for (const ColumnPtr& column : columns) parts.push_back(Prefix(column, rows));
  const ColumnPtr all = Concat(parts);
  std::vector<int32_t> order;
  order.reserve(columns.size() * static_cast<size_t>(rows));
  for (int32_t row = 0; row < rows; ++row) {
    for (size_t c = 0; c < columns.size(); ++c) {
      order.push_back(static_cast<int32_t>(c) * rows + row);
    }
  }
  return Gather(*all, order);
}

class ArrayNode final : public Node {
 public:
  ArrayNode(const DataType& type, std::vector<Node*> children)
      : Node(type), children_(std::move(children)) {
    set_runs_whole(AllRunWhole(children_));
  }

 protected:
  ColumnPtr Compute(Frame& frame, const RowMask& mask) override {
    std::vector<ColumnPtr> columns;
    for (Node* child : children_) columns.push_back(child->Evaluate(frame, mask));
    uint8_t* data;
    Column::Parts parts;
    parts.type = type();
    parts.length = frame.rows();
    parts.offsets = MakeBuffer((static_cast<size_t>(frame.rows()) + 1) * 4, &data);
    int32_t* offsets = reinterpret_cast<int32_t*>(data);
    const int32_t width = static_cast<int32_t>(children_.size());
    for (int32_t row = 0; row <= frame.rows(); ++row) offsets[row] = row * width;
    parts.children.push_back(columns.empty() ? MakeNullColumn(type().element(), 0)
                                             : Interleave(columns, frame.rows()));
    return MakeColumn(std::move(parts));
  }

 private:
  std::vector<Node*> children_;
};

/// MAP(k := v, …). A later entry takes the place of an earlier one with the same key; a null key
/// becomes the text 'null', as in ksqlDB.
class MapNode final : public Node {
 public:
  MapNode(const DataType& type, std::vector<Node*> children)
      : Node(type), children_(std::move(children)), out_(type) {
    set_runs_whole(AllRunWhole(children_));
  }

 protected:
  ColumnPtr Compute(Frame& frame, const RowMask& mask) override {
    std::vector<ColumnPtr> columns;
    for (Node* child : children_) columns.push_back(child->Evaluate(frame, mask));
    try {
      AppendMaps(columns, frame.rows());
    } catch (...) {
      out_ = ColumnBuilder(type());  // Half a column is in it.
      throw;
    }
    return out_.Finish();
  }

 private:
  void AppendMaps(const std::vector<ColumnPtr>& columns, int32_t rows) {
    const size_t entries = columns.size() / 2;
    for (int32_t row = 0; row < rows; ++row) {
      for (size_t e = 0; e < entries; ++e) {
        if (IsReplaced(columns, e, row)) continue;
        AppendKey(*columns[2 * e], row);
        out_.child(1).AppendFrom(*columns[2 * e + 1], row);
      }
      out_.AppendNested();
    }
  }

  static bool IsReplaced(const std::vector<ColumnPtr>& columns, size_t entry, int32_t row) {
    for (size_t later = entry + 1; later < columns.size() / 2; ++later) {
      if (EqualAt(*columns[2 * entry], row, *columns[2 * later], row)) return true;
    }
    return false;
  }

  void AppendKey(const Column& keys, int32_t row) {
    ColumnBuilder& out = out_.child(0);
    if (!keys.IsNull(row)) {
      out.AppendFrom(keys, row);
    } else if (out.type().is(TypeKind::kString)) {
      out.AppendBytes("null");
    } else {
      out.AppendNull();
    }
  }

  std::vector<Node*> children_;
  ColumnBuilder out_;
};

class StructNode final : public Node {
 public:
  StructNode(const DataType& type, std::vector<Node*> children)
      : Node(type), children_(std::move(children)) {
    set_runs_whole(AllRunWhole(children_));
  }

 protected:
  ColumnPtr Compute(Frame& frame, const RowMask& mask) override {
    Column::Parts parts;
    parts.type = type();
    parts.length = frame.rows();
    for (Node* child : children_) {
      parts.children.push_back(Prefix(child->Evaluate(frame, mask), frame.rows()));
    }
    return MakeColumn(std::move(parts));
  }

 private:
  std::vector<Node*> children_;
};

}  // namespace

NodePtr MakeSubscriptNode(const DataType& type, Node* collection, Node* index) {
  return std::make_unique<SubscriptNode>(type, collection, index);
}
NodePtr MakeFieldNode(const DataType& type, Node* record, int field) {
  return std::make_unique<FieldNode>(type, record, field);
}
NodePtr MakeArrayNode(const DataType& type, std::vector<Node*> children) {
  return std::make_unique<ArrayNode>(type, std::move(children));
}
NodePtr MakeMapNode(const DataType& type, std::vector<Node*> children) {
  return std::make_unique<MapNode>(type, std::move(children));
}
NodePtr MakeStructNode(const DataType& type, std::vector<Node*> children) {
  return std::make_unique<StructNode>(type, std::move(children));
}

}  // namespace weir

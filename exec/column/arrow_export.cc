// Batches through the Arrow C data interface. Nothing is copied: each exported array holds a
// reference to its column until it is released.

#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "exec/column/bits.h"
#include "weir/arrow_c_abi.h"
#include "weir/batch.h"

namespace weir {
namespace {

/// What an ArrowSchema points into.
struct SchemaOwner {
  std::string format;
  std::string name;
  std::vector<ArrowSchema> children;
  std::vector<ArrowSchema*> child_pointers;
};

/// What an ArrowArray points into.
struct ArrayOwner {
  ColumnPtr column;
  std::vector<const void*> buffers;
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> child_pointers;
};

template <typename Owner, typename Exported>
void Release(Exported* exported) {
  std::unique_ptr<Owner> owner(static_cast<Owner*>(exported->private_data));
  // A consumer may have moved a child out; then its own release is null.
  for (Exported& child : owner->children) {
    if (child.release != nullptr) child.release(&child);
  }
  exported->release = nullptr;
}

std::string ArrowFormat(const DataType& type) {
  switch (type.kind()) {
    case TypeKind::kNull: return "n";
    case TypeKind::kBoolean: return "b";
    case TypeKind::kInt: return "i";
    case TypeKind::kBigint: return "l";
    case TypeKind::kDouble: return "g";
    case TypeKind::kDecimal: return fmt::format("d:{},{}", type.precision(), type.scale());
    case TypeKind::kString: return "u";
    case TypeKind::kBytes: return "z";
    case TypeKind::kDate: return "tdD";
    case TypeKind::kTime: return "ttm";
    case TypeKind::kTimestamp: return "tsm:";
    case TypeKind::kArray: return "+l";
    case TypeKind::kMap: return "+m";
    case TypeKind::kStruct: return "+s";
  }
  return "n";
}

template <typename Owner, typename Exported>
void LinkChildren(Owner& owner, Exported* exported) {
  for (Exported& child : owner.children) owner.child_pointers.push_back(&child);
  exported->n_children = static_cast<int64_t>(owner.children.size());
  exported->children = owner.child_pointers.data();
}

void ExportFields(std::span<const DataType::Field> fields, std::string name, std::string format,
                  int64_t flags, ArrowSchema* out);

void ExportType(const DataType& type, std::string name, bool nullable, ArrowSchema* out) {
  const int64_t flags = nullable ? ARROW_FLAG_NULLABLE : 0;
  std::string format = ArrowFormat(type);
  if (type.is(TypeKind::kArray)) {
    const DataType::Field item{"item", type.element()};
    return ExportFields({&item, 1}, std::move(name), std::move(format), flags, out);
  }
  if (type.is(TypeKind::kMap)) {
    const DataType::Field entries{
        "entries", DataType::Struct({{"key", type.key()}, {"value", type.element()}})};
    ExportFields({&entries, 1}, std::move(name), std::move(format), flags, out);
    out->children[0]->flags = 0;
    out->children[0]->children[0]->flags = 0;
    return;
  }
  ExportFields(type.fields(), std::move(name), std::move(format), flags, out);
}

void ExportFields(std::span<const DataType::Field> fields, std::string name, std::string format,
                  int64_t flags, ArrowSchema* out) {
  auto owner = std::make_unique<SchemaOwner>();
  owner->format = std::move(format);
  owner->name = std::move(name);
  owner->children.resize(fields.size());
  for (size_t i = 0; i < fields.size(); ++i) {
    ExportType(fields[i].type, fields[i].name, true, &owner->children[i]);
  }
  *out = {};
  out->format = owner->format.c_str();
  out->name = owner->name.c_str();
  out->flags = flags;
  LinkChildren(*owner, out);
  out->release = &Release<SchemaOwner, ArrowSchema>;
  out->private_data = owner.release();
}

void Publish(std::unique_ptr<ArrayOwner> owner, int64_t length, int64_t nulls, ArrowArray* out) {
  *out = {};
  out->length = length;
  out->null_count = nulls;
  out->n_buffers = static_cast<int64_t>(owner->buffers.size());
  out->buffers = owner->buffers.data();
  LinkChildren(*owner, out);
  out->release = &Release<ArrayOwner, ArrowArray>;
  out->private_data = owner.release();
}

void ExportColumn(const ColumnPtr& column, ArrowArray* out);

/// The entries of a MAP as Arrow wants them: one struct child with two children.
void ExportEntries(const ColumnPtr& map, ArrowArray* out) {
  auto owner = std::make_unique<ArrayOwner>();
  owner->column = map;
  owner->buffers = {nullptr};
  owner->children.resize(2);
  ExportColumn(map->child(0), &owner->children[0]);
  ExportColumn(map->child(1), &owner->children[1]);
  Publish(std::move(owner), map->child(0)->length(), 0, out);
}

void ExportColumn(const ColumnPtr& column, ArrowArray* out) {
  auto owner = std::make_unique<ArrayOwner>();
  owner->column = column;
  const TypeKind kind = column->type().kind();
  const int64_t nulls =
      column->has_nulls() ? column->length() - CountBits(column->validity(), column->length()) : 0;
  if (kind != TypeKind::kNull) owner->buffers.push_back(column->validity());
  if (column->offsets() != nullptr) owner->buffers.push_back(column->offsets());
  if (!column->type().is_nested() && kind != TypeKind::kNull) {
    owner->buffers.push_back(column->raw_values());
  }
  if (kind == TypeKind::kMap) {
    owner->children.resize(1);
    ExportEntries(column, &owner->children[0]);
  } else {
    owner->children.resize(column->parts().children.size());
    for (size_t i = 0; i < owner->children.size(); ++i) {
      ExportColumn(column->child(static_cast<int>(i)), &owner->children[i]);
    }
  }
  Publish(std::move(owner), column->length(), kind == TypeKind::kNull ? column->length() : nulls,
          out);
}

}  // namespace

void Batch::ExportArrow(::ArrowArray* array, ::ArrowSchema* schema) const {
  std::vector<DataType::Field> fields;
  auto owner = std::make_unique<ArrayOwner>();
  owner->buffers = {nullptr};
  owner->children.resize(columns_.size());
  for (size_t i = 0; i < columns_.size(); ++i) {
    fields.push_back({schema_->columns[i].name, columns_[i]->type()});
    ExportColumn(columns_[i], &owner->children[i]);
  }
  Publish(std::move(owner), row_count_, 0, array);
  ExportFields(fields, "", "+s", 0, schema);
}

}  // namespace weir

#pragma once

// A SELECT as a tree: items, the relations it reads, and its clauses. What Weir's planner lacks
// (CTEs, DISTINCT, …) is still parsed, so that it can be refused by name.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "parser/ast/expression.h"
#include "parser/ast/identifier.h"

namespace weir::ast {

struct Query;
using QueryPtr = std::unique_ptr<Query>;

/// `name = literal` of a WITH clause.
struct Property {
  std::string name;      ///< Upper-cased, whether it was an identifier or a string.
  std::string spelling;  ///< As written.
  LiteralValue value;
  SourcePosition position;  ///< Of the name.
  SourcePosition value_position;
};
using Properties = std::vector<Property>;

enum class SelectItemKind {
  kExpr,           ///< expr [AS alias]
  kStar,           ///< *
  kQualifiedStar,  ///< qualifier.*
  kStructStar,     ///< expr->*
};
/// `expr AS name` of `* REPLACE (…)`.
struct Replacement {
  ExprPtr expr;
  Identifier name;
};
struct SelectItem {
  SelectItemKind kind = SelectItemKind::kExpr;
  ExprPtr expr;                         ///< kExpr, kStructStar.
  std::optional<Identifier> alias;      ///< kExpr only.
  std::optional<Identifier> qualifier;  ///< kQualifiedStar only.
  std::vector<Identifier> without;      ///< Of stars: EXCEPT or EXCLUDE (…).
  std::vector<Replacement> replaced;    ///< Of stars: REPLACE (…).
  SourcePosition position;
};

enum class RelationKind { kTable, kJoin, kSubquery, kSetOperation, kNothing };

/// Base of what may stand in FROM; `kind` says which struct it is.
struct Relation {
  explicit Relation(RelationKind kind) : kind(kind) {}
  Relation(const Relation&) = delete;
  Relation& operator=(const Relation&) = delete;
  virtual ~Relation() = default;
  const RelationKind kind;
  SourcePosition position;

  template <typename T>
  const T& As() const {
    return static_cast<const T&>(*this);
  }
  template <typename T>
  T& As() {
    return static_cast<T&>(*this);
  }
};
using RelationPtr = std::unique_ptr<Relation>;

/// From where a source is read, when the statement says so.
enum class ReadFromKind { kDefault, kBeginning, kLatest, kTimestamp, kOffsets };
struct ReadFrom {
  ReadFromKind kind = ReadFromKind::kDefault;
  LiteralValue timestamp;                            ///< kTimestamp: ISO text or epoch ms.
  std::vector<std::pair<int32_t, int64_t>> offsets;  ///< kOffsets: (partition, offset).
  SourcePosition position;
};

/// `name [AS alias] [FROM BEGINNING|LATEST|TIMESTAMP '…'|OFFSETS (0 := 12, …)]`.
struct AliasedTable : Relation {
  static constexpr RelationKind kKind = RelationKind::kTable;
  AliasedTable() : Relation(kKind) {}
  Identifier name;
  std::optional<Identifier> alias;
  ReadFrom read_from;
};

/// How a join is written, where that is not ON.
enum class JoinForm { kOn, kUsing, kCross, kComma, kNatural };
enum class JoinType { kInner, kLeft, kRight, kFull };
/// WITHIN: a right row matches from `before_ms` before the left one to `after_ms` after it.
struct Within {
  int64_t before_ms = 0;
  int64_t after_ms = 0;
  std::optional<int64_t> grace_ms;
  bool symmetric = true;  ///< Written with one duration.
  SourcePosition position;
};
struct Join : Relation {
  static constexpr RelationKind kKind = RelationKind::kJoin;
  Join() : Relation(kKind) {}
  JoinType type = JoinType::kInner;
  RelationPtr left;
  RelationPtr right;
  std::optional<Within> within;
  JoinForm form = JoinForm::kOn;
  ExprPtr on;                           ///< kOn.
  std::vector<Identifier> using_names;  ///< kUsing.
};

/// `(SELECT …) [AS] alias`.
struct Subquery : Relation {
  static constexpr RelationKind kKind = RelationKind::kSubquery;
  Subquery() : Relation(kKind) {}
  QueryPtr query;
  std::optional<Identifier> alias;
};

enum class SetOperator { kUnion, kIntersect, kExcept };
/// `SELECT … UNION ALL SELECT …` and the like, from left to right: such a query is `SELECT *` from
/// this relation, with the ORDER BY, EMIT and LIMIT that follow the last part.
struct SetOperation : Relation {
  static constexpr RelationKind kKind = RelationKind::kSetOperation;
  SetOperation() : Relation(kKind) {}
  SetOperator op = SetOperator::kUnion;
  bool all = false;
  std::vector<QueryPtr> parts;  ///< At least two.
};

/// A SELECT without FROM: one row without columns.
struct Nothing : Relation {
  static constexpr RelationKind kKind = RelationKind::kNothing;
  Nothing() : Relation(kKind) {}
};

enum class WindowKind { kTumbling, kHopping, kSession, kSliding };
/// WINDOW of a GROUP BY. All times in milliseconds; positive sizes are not yet checked.
struct WindowClause {
  WindowKind kind = WindowKind::kTumbling;
  std::optional<Identifier> name;
  int64_t size_ms = 0;     ///< Size; of a session the gap; of a sliding window the distance.
  int64_t advance_ms = 0;  ///< kHopping only.
  std::optional<int64_t> retention_ms;
  std::optional<int64_t> grace_ms;
  SourcePosition position;
};

enum class EmitMode { kNone, kChanges, kFinal };

/// `WITH name AS (query)`.
struct CommonTable {
  Identifier name;
  QueryPtr query;
};

/// A SELECT with its clauses; absent ones are empty or null.
struct Query {
  /// Of its expressions, those of the queries in it included.
  int height = 0;
  std::vector<CommonTable> ctes;
  bool distinct = false;
  std::vector<SelectItem> items;  ///< At least one.
  RelationPtr from;               ///< Never null.
  std::optional<WindowClause> window;
  ExprPtr where;
  std::vector<ExprPtr> group_by;
  std::vector<ExprPtr> partition_by;
  ExprPtr having;
  std::vector<OrderItem> order_by;
  EmitMode emit = EmitMode::kNone;
  SourcePosition emit_position;
  std::optional<int64_t> limit;
  std::optional<int64_t> offset;
  SourcePosition offset_position;
  SourcePosition position;
  SourcePosition group_by_position;      ///< Of the words GROUP BY, where there.
  SourcePosition partition_by_position;  ///< Of the words PARTITION BY, where there.
};

}  // namespace weir::ast

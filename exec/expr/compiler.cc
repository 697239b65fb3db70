#include "exec/expr/compiler.h"

#include <bit>

#include <fmt/format.h>

#include "base/status_macros.h"
#include "exec/functions/kernel.h"

namespace weir {
namespace {

/// A frame without columns, for folding.
class ConstantFrame final : public Frame {
 public:
  ConstantFrame(EvalContext& context, uint64_t epoch) : Frame(1, RowMask::All(1), context, epoch) {}
  ColumnPtr GetColumn(int) override { return nullptr; }
  ColumnPtr GetSystem(SystemColumn) override { return nullptr; }
  ColumnPtr GetParameter(int) override { return nullptr; }
};

/// A text that is the same for equal values only.
void AppendValueKey(const Value& value, std::string& key) {
  key += static_cast<char>('a' + value.data.index());
  std::visit(
      [&](const auto& v) {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, double>) {
          key += std::to_string(std::bit_cast<uint64_t>(v));
        } else if constexpr (std::is_same_v<T, Int128>) {
          key.append(reinterpret_cast<const char*>(&v), sizeof(v));
        } else if constexpr (std::is_same_v<T, std::string>) {
          key += std::to_string(v.size()) + ":" + v;
        } else if constexpr (std::is_same_v<T, Value::Items>) {
          for (const Value& item : v) AppendValueKey(item, key);
          key += ']';
        } else if constexpr (std::is_same_v<T, Value::Entries>) {
          for (const auto& [name, item] : v) {
            AppendValueKey(name, key);
            AppendValueKey(item, key);
          }
          key += '}';
        } else if constexpr (!std::is_same_v<T, std::monostate>) {
          key += std::to_string(v) + ";";
        }
      },
      value.data);
}

Status Misshapen(const BoundExpr& expr) {
  return Status(ErrorCode::kInternal,
                fmt::format("an expression reached execution in a wrong shape: {}", expr.text));
}

}  // namespace

Node* Compiler::OwnLiteral(const DataType& type, const Value& value) {
  std::string key = "literal " + type.ToString() + " ";
  AppendValueKey(value, key);
  Node*& node = by_key_[key];
  if (node == nullptr) node = graph_.Own(MakeLiteralNode(type, value));
  return node;
}

Node* Compiler::Settle(const BoundExpr& expr, std::vector<Node*> children, NodePtr node,
                       bool deterministic) {
  if (!deterministic) return graph_.Own(std::move(node));
  std::string key = fmt::format("{} {} {} {} {} {}", static_cast<int>(expr.kind),
                                expr.type.ToString(), expr.index, static_cast<int>(expr.system),
                                static_cast<const void*>(expr.function), children.size());
  bool constant = !children.empty();
  for (const Node* child : children) {
    key += fmt::format(" {}", static_cast<const void*>(child));
    constant = constant && child->constant() != nullptr;
  }
  if (const auto found = by_key_.find(key); found != by_key_.end()) return found->second;
  Node* owned = graph_.Own(std::move(node));
  if (constant) {
    EvalContext context;
    ConstantFrame frame(context, ++graph_.epoch);
    const ColumnPtr value = owned->Evaluate(frame, frame.base());
    // What fails stays, and fails for each row that needs it.
    if (context.errors.count() == 0) owned = OwnLiteral(expr.type, GetValue(*value, 0));
  }
  by_key_.emplace(std::move(key), owned);
  return owned;
}

Result<Node*> Compiler::Compile(const BoundExprPtr& expr) {
  if (const auto found = by_expr_.find(expr.get()); found != by_expr_.end()) return found->second;
  WEIR_ASSIGN_OR_RETURN(Node * node, CompileNew(*expr));
  by_expr_.emplace(expr.get(), node);
  return node;
}

Result<Node*> Compiler::CastTo(Node* node, const DataType& type) {
  if (node->type() == type || type.is(TypeKind::kNull)) return node;
  if (node->constant() != nullptr && node->constant()->is_null()) return OwnLiteral(type, Value());
  WEIR_ASSIGN_OR_RETURN(NodePtr cast, MakeCastNode(type, node));
  BoundExpr expr;
  expr.kind = BoundKind::kCast;
  expr.type = type;
  return Settle(expr, {node}, std::move(cast), true);
}

Result<Node*> Compiler::CompileAs(const BoundExprPtr& expr, const DataType& type) {
  WEIR_ASSIGN_OR_RETURN(Node * node, Compile(expr));
  return CastTo(node, type);
}

Result<std::vector<Node*>> Compiler::CompileAllAs(const std::vector<BoundExprPtr>& exprs,
                                                  const DataType& type) {
  std::vector<Node*> nodes;
  for (const BoundExprPtr& expr : exprs) {
    WEIR_ASSIGN_OR_RETURN(Node * node, CompileAs(expr, type));
    nodes.push_back(node);
  }
  return nodes;
}

Result<Node*> Compiler::CompileNew(const BoundExpr& expr) {
  switch (expr.kind) {
    case BoundKind::kLiteral: return OwnLiteral(expr.type, expr.value);
    case BoundKind::kColumn: return Settle(expr, {}, MakeColumnNode(expr.type, expr.index), true);
    case BoundKind::kSystem: return Settle(expr, {}, MakeSystemNode(expr.type, expr.system), true);
    case BoundKind::kLambdaParam:
      return Settle(expr, {}, MakeParameterNode(expr.type, expr.index), true);
    case BoundKind::kCall: return CompileCall(expr);
    case BoundKind::kCast: {
      if (expr.children.size() != 1) return Misshapen(expr);
      return CompileAs(expr.children[0], expr.type);
    }
    case BoundKind::kCase: return CompileCase(expr);
    case BoundKind::kAnd:
    case BoundKind::kOr:
    case BoundKind::kNot:
    case BoundKind::kIsNull:
    case BoundKind::kIsNotNull:
    case BoundKind::kIn: return CompileLogical(expr);
    case BoundKind::kSubscript:
    case BoundKind::kField: return CompileCollection(expr);
    case BoundKind::kArray:
    case BoundKind::kMap:
    case BoundKind::kStruct: return CompileConstructor(expr);
    case BoundKind::kLambda: return Misshapen(expr);
  }
  return Misshapen(expr);
}

Result<Node*> Compiler::CompileLogical(const BoundExpr& expr) {
  if (expr.children.empty()) return Misshapen(expr);
  const bool is_test = expr.kind == BoundKind::kIsNull || expr.kind == BoundKind::kIsNotNull;
  DataType wanted = DataType::Boolean();
  if (is_test) wanted = DataType::Null();
  if (expr.kind == BoundKind::kIn) wanted = expr.children[0]->type;
  WEIR_ASSIGN_OR_RETURN(std::vector<Node*> children, CompileAllAs(expr.children, wanted));
  NodePtr node;
  switch (expr.kind) {
    case BoundKind::kAnd: node = MakeAndNode(children); break;
    case BoundKind::kOr: node = MakeOrNode(children); break;
    case BoundKind::kNot: node = MakeNotNode(children[0]); break;
    case BoundKind::kIn: node = MakeInNode(children); break;
    default: node = MakeIsNullNode(children[0], expr.kind == BoundKind::kIsNotNull); break;
  }
  return Settle(expr, std::move(children), std::move(node), true);
}

Result<Node*> Compiler::CompileCase(const BoundExpr& expr) {
  std::vector<Node*> children;
  for (size_t i = 0; i < expr.children.size(); ++i) {
    const bool is_when = i % 2 == 0 && i + 1 < expr.children.size();
    WEIR_ASSIGN_OR_RETURN(Node * child,
                          CompileAs(expr.children[i], is_when ? DataType::Boolean() : expr.type));
    children.push_back(child);
  }
  NodePtr node = MakeCaseNode(expr.type, children);
  return Settle(expr, std::move(children), std::move(node), true);
}

Result<Node*> Compiler::CompileCollection(const BoundExpr& expr) {
  WEIR_ASSIGN_OR_RETURN(Node * first, Compile(expr.children[0]));
  if (expr.kind == BoundKind::kField) {
    if (!first->type().is(TypeKind::kStruct)) return Misshapen(expr);
    return Settle(expr, {first}, MakeFieldNode(expr.type, first, expr.index), true);
  }
  DataType wanted;
  if (first->type().is(TypeKind::kMap)) {
    wanted = first->type().key();
  } else if (expr.children[1]->type.is(TypeKind::kInt)) {
    wanted = DataType::Int();
  } else {
    wanted = DataType::Bigint();
  }
  WEIR_ASSIGN_OR_RETURN(Node * index, CompileAs(expr.children[1], wanted));
  return Settle(expr, {first, index}, MakeSubscriptNode(expr.type, first, index), true);
}

Result<Node*> Compiler::CompileConstructor(const BoundExpr& expr) {
  std::vector<Node*> children;
  for (size_t i = 0; i < expr.children.size(); ++i) {
    DataType wanted;
    switch (expr.kind) {
      case BoundKind::kArray: wanted = expr.type.element(); break;
      case BoundKind::kMap: wanted = i % 2 == 0 ? expr.type.key() : expr.type.element(); break;
      default: wanted = expr.type.fields()[i].type; break;
    }
    WEIR_ASSIGN_OR_RETURN(Node * child, CompileAs(expr.children[i], wanted));
    children.push_back(child);
  }
  NodePtr node = expr.kind == BoundKind::kArray ? MakeArrayNode(expr.type, children)
                 : expr.kind == BoundKind::kMap ? MakeMapNode(expr.type, children)
                                                : MakeStructNode(expr.type, children);
  return Settle(expr, std::move(children), std::move(node), true);
}

Result<std::unique_ptr<CompiledLambda>> Compiler::CompileLambda(const BoundExpr& lambda) {
  auto compiled = std::make_unique<CompiledLambda>();
  compiled->first_parameter = lambda.index;
  compiled->parameter_count = lambda.parameter_count;
  Compiler inner(compiled->graph);
  WEIR_ASSIGN_OR_RETURN(compiled->body, inner.Compile(lambda.children[0]));
  return compiled;
}

Result<Node*> Compiler::CompileCall(const BoundExpr& expr) {
  const ScalarOverload& overload = *expr.function;
  if (overload.name == "COALESCE" || overload.name == "IFNULL") {
    WEIR_ASSIGN_OR_RETURN(std::vector<Node*> children, CompileAllAs(expr.children, expr.type));
    NodePtr node = MakeCoalesceNode(expr.type, children);
    return Settle(expr, std::move(children), std::move(node), true);
  }
  const FunctionRow& row = *static_cast<const FunctionRow*>(overload.kernel_row);
  std::vector<Node*> args;
  std::vector<std::unique_ptr<CompiledLambda>> lambdas(expr.children.size());
  std::vector<const Value*> constants;
  std::vector<DataType> types;
  bool shareable = overload.deterministic;
  for (size_t i = 0; i < expr.children.size(); ++i) {
    const BoundExprPtr& child = expr.children[i];
    const DataType wanted =
        i < overload.parameter_types.size() ? overload.parameter_types[i] : child->type;
    if (child->kind == BoundKind::kLambda) {
      WEIR_ASSIGN_OR_RETURN(lambdas[i], CompileLambda(*child));
      args.push_back(nullptr);
      constants.push_back(nullptr);
      types.push_back(wanted);
      shareable = false;
      continue;
    }
    WEIR_ASSIGN_OR_RETURN(Node * arg, CompileAs(child, wanted));
    args.push_back(arg);
    constants.push_back(arg->constant());
    types.push_back(arg->type());
  }
  std::shared_ptr<const void> state;
  if (row.prepare != nullptr) {
    WEIR_ASSIGN_OR_RETURN(state, row.prepare(constants, types));
  }
  NodePtr node = MakeCallNode(expr, row, args, std::move(lambdas), std::move(state));
  return Settle(expr, std::move(args), std::move(node), shareable);
}

}  // namespace weir

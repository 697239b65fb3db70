#pragma once

// Which state stores the nodes of a plan have. An operator that keeps something new declares it
// here, and opens it by Node::StoreName: a store that no node declares cannot be opened.

#include "planner/physical/nodes.h"

namespace weir {

/// Declares all stores of a node that is otherwise complete: those of its operator, and those that
/// the runtime keeps around it. What NameStateStores called the first ones stays their name.
void DeclareStores(physical::Node& node);

/// Columns of input `side` that the buffer of a join of streams keeps behind the keys: those of the
/// output, once each, then further ones that the condition reads.
std::vector<int> KeptColumns(const physical::StreamStreamJoin& join, int side);

/// The version of how the entries of such a store are written now. An operator that writes another
/// one raises it, and reads those from OldestLayout on.
int NewestLayout(physical::StoreKind kind);
int OldestLayout(physical::StoreKind kind);

/// Rows or groups, and not times or the like beside them: what EXPLAIN names.
bool HoldsRows(physical::StoreKind kind);
/// "join-buffer", "groups".
std::string_view StoreKindText(physical::StoreKind kind);

}  // namespace weir

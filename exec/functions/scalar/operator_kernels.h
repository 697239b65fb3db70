#pragma once

// Kernels of operators, by the file that defines them; operator_functions.cc has the table.

#include "exec/functions/kernel.h"

namespace weir {

// arithmetic_kernels.cc
void AddInt(const KernelCall& call, ColumnBuilder& out);
void AddBigint(const KernelCall& call, ColumnBuilder& out);
void AddDouble(const KernelCall& call, ColumnBuilder& out);
void AddDecimal(const KernelCall& call, ColumnBuilder& out);
void SubtractInt(const KernelCall& call, ColumnBuilder& out);
void SubtractBigint(const KernelCall& call, ColumnBuilder& out);
void SubtractDouble(const KernelCall& call, ColumnBuilder& out);
void SubtractDecimal(const KernelCall& call, ColumnBuilder& out);
void MultiplyInt(const KernelCall& call, ColumnBuilder& out);
void MultiplyBigint(const KernelCall& call, ColumnBuilder& out);
void MultiplyDouble(const KernelCall& call, ColumnBuilder& out);
void MultiplyDecimals(const KernelCall& call, ColumnBuilder& out);
void DivideInt(const KernelCall& call, ColumnBuilder& out);
void DivideBigint(const KernelCall& call, ColumnBuilder& out);
void DivideDouble(const KernelCall& call, ColumnBuilder& out);
void DivideDecimals(const KernelCall& call, ColumnBuilder& out);
void ModuloInt(const KernelCall& call, ColumnBuilder& out);
void ModuloBigint(const KernelCall& call, ColumnBuilder& out);
void ModuloDouble(const KernelCall& call, ColumnBuilder& out);
void ModuloDecimals(const KernelCall& call, ColumnBuilder& out);
void NegateInt(const KernelCall& call, ColumnBuilder& out);
void NegateBigint(const KernelCall& call, ColumnBuilder& out);
void NegateDouble(const KernelCall& call, ColumnBuilder& out);
void NegateDecimal(const KernelCall& call, ColumnBuilder& out);
void FirstArgument(const KernelCall& call, ColumnBuilder& out);
void ConcatBytes(const KernelCall& call, ColumnBuilder& out);
Result<DataType> AddResult(std::span<const DataType> args);
Result<DataType> MultiplyResult(std::span<const DataType> args);
Result<DataType> DivideResult(std::span<const DataType> args);
Result<DataType> ModuloResult(std::span<const DataType> args);

// comparison_kernels.cc. A null on either side gives false, as in ksqlDB, and never null.
void EqualKernel(const KernelCall& call, ColumnBuilder& out);
void NotEqualKernel(const KernelCall& call, ColumnBuilder& out);
void LessKernel(const KernelCall& call, ColumnBuilder& out);
void LessOrEqualKernel(const KernelCall& call, ColumnBuilder& out);
void GreaterKernel(const KernelCall& call, ColumnBuilder& out);
void GreaterOrEqualKernel(const KernelCall& call, ColumnBuilder& out);
void DistinctKernel(const KernelCall& call, ColumnBuilder& out);
void NotDistinctKernel(const KernelCall& call, ColumnBuilder& out);
/// Remembers that the right side is a constant, for the comparison kernels.
Result<std::shared_ptr<const void>> PrepareComparison(std::span<const Value* const> constants,
                                                      std::span<const DataType> arg_types);

// like_kernel.cc
void LikeKernel(const KernelCall& call, ColumnBuilder& out);
Result<std::shared_ptr<const void>> PrepareLike(std::span<const Value* const> constants,
                                                std::span<const DataType> arg_types);

}  // namespace weir

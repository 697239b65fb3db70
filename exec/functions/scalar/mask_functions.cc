// MASK and its kin: hide characters of a text by kind.

#include <array>

#include "exec/functions/builtin_functions.h"
#include "exec/functions/scalar/kernel_rows_inl.h"
#include "exec/functions/scalar/unicode_text.h"

namespace weir {
namespace {

constexpr std::string_view kCategory = "String";

/// Which characters are hidden: all, or by a count at one end.
enum class Part : uint8_t { kAll, kLeft, kRight, kKeepLeft, kKeepRight };

/// What stands for each CharacterClass; empty: characters of this kind stay.
using Masks = std::array<std::string_view, 4>;
constexpr Masks kDefaultMasks = {"X", "x", "n", "-"};

/// Reads the four masks from the arguments from `first` on; false if one is an empty text.
bool ReadMasks(const KernelCall& call, size_t first, int32_t row, Masks& masks) {
  if (call.args.size() <= first) return true;
  for (size_t i = 0; i < masks.size(); ++i) {
    const Column& column = *call.args[first + i];
    masks[i] = {};
    if (column.IsNull(row)) continue;
    const std::string_view text = column.GetString(row);
    if (text.empty()) return false;
    masks[i] = FirstCharacter(text);
  }
  return true;
}

/// Hides the characters that start at units [begin, end).
void AppendMasked(std::string_view text, int64_t begin, int64_t end, const Masks& masks,
                  std::string& out) {
  for (int64_t unit = 0; !text.empty();) {
    const std::string_view character = FirstCharacter(text);
    const std::string_view mask = masks[static_cast<size_t>(ClassOf(CodePointOf(character)))];
    out.append(unit >= begin && unit < end && !mask.empty() ? mask : character);
    unit += character.size() == 4 ? 2 : 1;
    text.remove_prefix(character.size());
  }
}

template <Part kPart>
void MaskKernel(const KernelCall& call, ColumnBuilder& out) {
  constexpr size_t kFirstMask = kPart == Part::kAll ? 1 : 2;
  std::string scratch;
  for (int32_t row = 0; row < call.rows; ++row) {
    const bool null = !call.IsActive(row) || call.args[0]->IsNull(row) ||
                      (kPart != Part::kAll && call.args[1]->IsNull(row));
    if (null) {
      out.AppendNull();
      continue;
    }
    const int64_t count = kPart == Part::kAll ? 0 : GetInt(*call.args[1], row);
    Masks masks = kDefaultMasks;
    if (count < 0 || !ReadMasks(call, kFirstMask, row, masks)) {
      call.Error(row, count < 0 ? "the number of characters to mask is negative"
                                : "a mask must have a character");
      out.AppendNull();
      continue;
    }
    const std::string_view text = call.args[0]->GetString(row);
    const int64_t length = Utf16Length(text);
    int64_t begin = 0;
    int64_t end = length;
    if (kPart == Part::kLeft) end = count;
    if (kPart == Part::kRight) begin = length - count;
    if (kPart == Part::kKeepLeft) begin = count;
    if (kPart == Part::kKeepRight) end = length - count;
    scratch.clear();
    AppendMasked(text, begin, end, masks, scratch);
    out.AppendBytes(scratch);
  }
}

template <Part kPart>
constexpr FunctionRow MaskRow(std::string_view name, std::string_view signature,
                              std::string_view text, std::string_view example) {
  return {.name = name,
          .signature = signature,
          .nulls = Nulls::kHandle,
          .kernel = &MaskKernel<kPart>,
          .category = kCategory,
          .text = text,
          .example = example};
}

constexpr std::string_view kShort = "(STRING, INT) -> STRING";
constexpr std::string_view kLong = "(STRING, INT, STRING, STRING, STRING, STRING) -> STRING";
constexpr std::string_view kMaskText =
    "Replaces upper case letters, lower case ones, digits and others by X, x, n and -, or by the "
    "masks given; a null mask keeps its kind.";
constexpr std::string_view kMaskLeftText = "Masks the first n characters, as MASK does.";
constexpr std::string_view kMaskRightText = "Masks the last n characters, as MASK does.";
constexpr std::string_view kKeepLeftText = "Masks all but the first n characters, as MASK does.";
constexpr std::string_view kKeepRightText = "Masks all but the last n characters, as MASK does.";

constexpr FunctionRow kMaskFunctions[] = {
    MaskRow<Part::kAll>("MASK", "(STRING) -> STRING", kMaskText, "MASK('Ab 12') = 'Xx-nn'"),
    MaskRow<Part::kAll>("MASK", "(STRING, STRING, STRING, STRING, STRING) -> STRING", kMaskText,
                        "MASK('Ab 1', 'U', 'l', 'd', NULL) = 'Ul d'"),
    MaskRow<Part::kKeepLeft>("MASK_KEEP_LEFT", kShort, kKeepLeftText,
                             "MASK_KEEP_LEFT('Abcd', 2) = 'Abxx'"),
    MaskRow<Part::kKeepLeft>("MASK_KEEP_LEFT", kLong, kKeepLeftText,
                             "MASK_KEEP_LEFT('Abcd', 2, '*', '*', '*', '*') = 'Ab**'"),
    MaskRow<Part::kKeepRight>("MASK_KEEP_RIGHT", kShort, kKeepRightText,
                              "MASK_KEEP_RIGHT('Abcd', 2) = 'Xxcd'"),
    MaskRow<Part::kKeepRight>("MASK_KEEP_RIGHT", kLong, kKeepRightText,
                              "MASK_KEEP_RIGHT('Abcd', 2, '*', '*', '*', '*') = '**cd'"),
    MaskRow<Part::kLeft>("MASK_LEFT", kShort, kMaskLeftText, "MASK_LEFT('Abcd', 2) = 'Xxcd'"),
    MaskRow<Part::kLeft>("MASK_LEFT", kLong, kMaskLeftText,
                         "MASK_LEFT('Abcd', 2, '*', '*', '*', '*') = '**cd'"),
    MaskRow<Part::kRight>("MASK_RIGHT", kShort, kMaskRightText, "MASK_RIGHT('Abcd', 2) = 'Abxx'"),
    MaskRow<Part::kRight>("MASK_RIGHT", kLong, kMaskRightText,
                          "MASK_RIGHT('Abcd', 2, '*', '*', '*', '*') = 'Ab**'"),
};

}  // namespace

std::span<const FunctionRow> MaskFunctions() { return kMaskFunctions; }

}  // namespace weir

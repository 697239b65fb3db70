#include "exec/engine/statement_notices.h"

#include <algorithm>

#include <fmt/format.h>

namespace weir {
namespace {

std::string_view PropertyOf(const physical::TopicSource& source, const char* name) {
  const auto found = source.connector.find(name);
  return found == source.connector.end() ? std::string_view() : std::string_view(found->second);
}

bool IsText(std::string_view text, std::string_view upper) {
  return std::equal(text.begin(), text.end(), upper.begin(), upper.end(),
                    [](char a, char b) { return (a >= 'a' && a <= 'z' ? a - 32 : a) == b; });
}

bool IsWindowed(const physical::Node& node) {
  using physical::NodeKind;
  switch (node.kind) {
    case NodeKind::kStreamAggregate:
      return static_cast<const physical::StreamAggregate&>(node).window.kind !=
             physical::WindowKind::kNone;
    case NodeKind::kBoundedAggregate:
      return static_cast<const physical::BoundedAggregate&>(node).window.kind !=
             physical::WindowKind::kNone;
    case NodeKind::kStreamStreamJoin: return true;
    default: return false;
  }
}

/// All rows of the source have one time: when its file was changed last.
bool HasFileTime(const physical::TopicSource& source) {
  return IsText(PropertyOf(source, "CONNECTOR"), "FILE") &&
         source.time_source == physical::TimeSource::kRecord && PropertyOf(source, "PATH") != "-" &&
         !IsText(PropertyOf(source, "FOLLOW"), "TRUE");
}

void Collect(const physical::Node& node, bool windowed, std::vector<std::string>& notices) {
  windowed |= IsWindowed(node);
  if (node.kind == physical::NodeKind::kTopicSource && windowed) {
    const auto& source = static_cast<const physical::TopicSource&>(node);
    if (HasFileTime(source)) {
      std::string notice = fmt::format(
          "ROWTIME of {} is the time of its file, one for all rows, so that windows do not part "
          "them; CREATE it WITH (TIMESTAMP='<column>') to go by the rows' own times",
          source.source_name);
      if (std::find(notices.begin(), notices.end(), notice) == notices.end()) {
        notices.push_back(std::move(notice));
      }
    }
  }
  for (const physical::NodePtr& input : node.inputs) Collect(*input, windowed, notices);
}

}  // namespace

std::vector<std::string> NoticesOf(const physical::Node& root) {
  std::vector<std::string> notices;
  Collect(root, false, notices);
  return notices;
}

}  // namespace weir

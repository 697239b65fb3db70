#include "exec/formats/json/raw_json.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/column/value_text.h"

namespace weir {
namespace {

using simdjson::ondemand::json_type;

Status Bad(simdjson::error_code error) {
  return Status(ErrorCode::kBadRecord, fmt::format("not JSON: {}", simdjson::error_message(error)));
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  return text;
}

#define WEIR_JSON_GET(expr, out) \
  if (simdjson::error_code error_ = (expr).get(out); error_ != simdjson::SUCCESS) return Bad(error_)

Status ReadArray(simdjson::ondemand::value& value, int levels, RawJson& out);
Status ReadObject(simdjson::ondemand::value& value, int levels, RawJson& out);

Status Read(simdjson::ondemand::value value, int levels, RawJson& out) {
  if (levels < 0) {
    return Status(ErrorCode::kNestingTooDeep, "a JSON value is nested too deep");
  }
  json_type type;
  WEIR_JSON_GET(value.type(), type);
  switch (type) {
    case json_type::array: return ReadArray(value, levels, out);
    case json_type::object: return ReadObject(value, levels, out);
    case json_type::string: {
      out.kind = RawJson::Kind::kString;
      out.raw = Trim(value.raw_json_token());
      std::string_view text;
      WEIR_JSON_GET(value.get_string(), text);
      out.text = text;
      return OkStatus();
    }
    case json_type::number:
    case json_type::boolean:
    case json_type::null:
      out.kind = type == json_type::number    ? RawJson::Kind::kNumber
                 : type == json_type::boolean ? RawJson::Kind::kBoolean
                                              : RawJson::Kind::kNull;
      out.raw = Trim(value.raw_json_token());
      out.text = out.raw;
      return OkStatus();
  }
  return Bad(simdjson::TAPE_ERROR);
}

Status ReadArray(simdjson::ondemand::value& value, int levels, RawJson& out) {
  out.kind = RawJson::Kind::kArray;
  simdjson::ondemand::array array;
  WEIR_JSON_GET(value.get_array(), array);
  std::string_view raw;
  WEIR_JSON_GET(array.raw_json(), raw);
  out.raw = Trim(raw);
  out.text = out.raw;
  if (simdjson::error_code error = array.reset().error(); error != simdjson::SUCCESS) {
    return Bad(error);
  }
  for (auto item : array) {
    simdjson::ondemand::value child;
    WEIR_JSON_GET(item, child);
    out.items.emplace_back();
    WEIR_RETURN_IF_ERROR(Read(child, levels - 1, out.items.back()));
  }
  return OkStatus();
}

Status ReadObject(simdjson::ondemand::value& value, int levels, RawJson& out) {
  out.kind = RawJson::Kind::kObject;
  simdjson::ondemand::object object;
  WEIR_JSON_GET(value.get_object(), object);
  std::string_view raw;
  WEIR_JSON_GET(object.raw_json(), raw);
  out.raw = Trim(raw);
  out.text = out.raw;
  if (simdjson::error_code error = object.reset().error(); error != simdjson::SUCCESS) {
    return Bad(error);
  }
  for (auto field : object) {
    std::string_view name;
    WEIR_JSON_GET(field.unescaped_key(), name);
    out.members.emplace_back(std::string(name), RawJson());
    simdjson::ondemand::value child;
    WEIR_JSON_GET(field.value(), child);
    WEIR_RETURN_IF_ERROR(Read(child, levels - 1, out.members.back().second));
  }
  return OkStatus();
}

}  // namespace

const RawJson* RawJson::Find(std::string_view name) const {
  for (const auto& [each, value] : members) {
    if (each == name) return &value;
  }
  return nullptr;
}

Result<RawJson> ParseRawJson(std::string_view text, int depth_max) {
  // Scalars at the top are wrapped: on-demand documents give values only inside arrays and objects.
  std::string wrapped = "[";
  wrapped.append(text);
  wrapped.push_back(']');
  simdjson::padded_string padded(wrapped);
  simdjson::ondemand::parser parser;
  simdjson::ondemand::document document;
  WEIR_JSON_GET(parser.iterate(padded), document);
  simdjson::ondemand::value top;
  WEIR_JSON_GET(document.get_value(), top);
  RawJson array;
  WEIR_RETURN_IF_ERROR(Read(top, depth_max, array));
  if (array.items.size() != 1) return Status(ErrorCode::kBadRecord, "not one JSON value");
  return std::move(array.items.front());
}

std::string QuoteJson(std::string_view text) {
  std::string out;
  AppendJsonString(text, out);
  return out;
}

}  // namespace weir

#include "exec/functions/scalar/json_text.h"

#include <memory>
#include <unordered_map>
#include <utility>

#include <simdjson.h>

#include "base/limits.h"
#include "base/number_text.h"
#include "exec/column/value_text.h"

namespace weir {
namespace {

namespace ondemand = simdjson::ondemand;

std::string_view TrimEnd(std::string_view token) {
  while (!token.empty() && static_cast<uint8_t>(token.back()) <= ' ') token.remove_suffix(1);
  return token;
}

/// JSON's grammar of numbers: simdjson checks a number only when it is converted.
bool IsJsonNumber(std::string_view text) {
  size_t i = 0;
  const auto digits = [&] {
    const size_t start = i;
    while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i;
    return i - start;
  };
  if (i < text.size() && text[i] == '-') ++i;
  const size_t whole_start = i;
  const size_t whole = digits();
  if (whole == 0 || (whole > 1 && text[whole_start] == '0')) return false;
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (digits() == 0) return false;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (digits() == 0) return false;
  }
  return i == text.size();
}

/// Appends a token that is neither a string nor a collection.
bool AppendScalarToken(std::string_view token, std::string& out) {
  token = TrimEnd(token);
  if (token != "true" && token != "false" && token != "null" && !IsJsonNumber(token)) return false;
  out.append(token);
  return true;
}

bool AppendCompact(ondemand::value value, int depth, std::string& out);

bool AppendCompactArray(ondemand::array array, int depth, std::string& out) {
  out.push_back('[');
  bool first = true;
  for (auto element : array) {
    ondemand::value value;
    if (element.get(value)) return false;
    if (!first) out.push_back(',');
    first = false;
    if (!AppendCompact(value, depth + 1, out)) return false;
  }
  out.push_back(']');
  return true;
}

/// Where an entry of an object stands in the text under way: its key, and its end.
struct EntryPlace {
  size_t begin;
  size_t value;
  size_t end;
};

/// The places of entries, for the keys that stand there; offsets, since the text moves as it grows.
struct EntryKeys {
  const std::string& text;
  std::string_view operator()(const EntryPlace& entry) const {
    return std::string_view(text).substr(entry.begin, entry.value - entry.begin);
  }
};

/// Of few keys, mostly all different, this is known soonest by comparing each with each.
template <typename Item, typename KeyOf>
bool FewAndDifferent(const std::vector<Item>& items, KeyOf key_of) {
  if (items.size() > 8) return false;
  for (size_t i = 1; i < items.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (key_of(items[i]) == key_of(items[j])) return false;
    }
  }
  return true;
}

/// For each key of `items` the last one that has it; empty if all differ.
template <typename Item, typename KeyOf>
std::unordered_map<std::string_view, size_t> LastOfEqualKeys(const std::vector<Item>& items,
                                                             KeyOf key_of) {
  std::unordered_map<std::string_view, size_t> last;
  if (FewAndDifferent(items, key_of)) return last;
  for (size_t i = 0; i < items.size(); ++i) last.insert_or_assign(key_of(items[i]), i);
  if (last.size() == items.size()) last.clear();
  return last;
}

/// The object that begins at `begin` of `out`, with equal keys once: where the key came first, its
/// last value.
void MergeEqualKeys(const std::vector<EntryPlace>& entries, size_t begin, std::string& out) {
  const EntryKeys key_of{out};
  auto last = LastOfEqualKeys(entries, key_of);
  if (last.empty()) return;
  std::string merged = "{";
  for (const EntryPlace& entry : entries) {
    const auto found = last.find(key_of(entry));
    if (found == last.end()) continue;
    if (merged.size() > 1) merged.push_back(',');
    const EntryPlace& counts = entries[found->second];
    merged.append(key_of(entry)).append(out, counts.value, counts.end - counts.value);
    last.erase(found);
  }
  out.resize(begin);
  out += merged;
}

bool AppendCompactObject(ondemand::object object, int depth, std::string& out) {
  const size_t begin = out.size();
  std::vector<EntryPlace> entries;
  out.push_back('{');
  for (auto entry : object) {
    ondemand::field field;
    if (std::move(entry).get(field)) return false;
    std::string_view key;
    if (field.unescaped_key().get(key)) return false;
    if (!entries.empty()) out.push_back(',');
    EntryPlace& place = entries.emplace_back(EntryPlace{out.size(), 0, 0});
    AppendJsonString(key, out);
    out.push_back(':');
    place.value = out.size();
    if (!AppendCompact(field.value(), depth + 1, out)) return false;
    place.end = out.size();
  }
  MergeEqualKeys(entries, begin, out);
  out.push_back('}');
  return true;
}

bool AppendCompact(ondemand::value value, int depth, std::string& out) {
  if (depth > limits::kValueDepthMax) return false;
  ondemand::json_type type;
  if (value.type().get(type)) return false;
  switch (type) {
    case ondemand::json_type::array: {
      ondemand::array array;
      return !value.get_array().get(array) && AppendCompactArray(array, depth, out);
    }
    case ondemand::json_type::object: {
      ondemand::object object;
      return !value.get_object().get(object) && AppendCompactObject(object, depth, out);
    }
    case ondemand::json_type::string: {
      std::string_view text;
      if (value.get_string().get(text)) return false;
      AppendJsonString(text, out);
      return true;
    }
    default: return AppendScalarToken(value.raw_json_token(), out);
  }
}

/// Entries with equal keys become one: where the key came first, its last value.
void MergeItems(std::vector<JsonParts::Item>& items) {
  auto last = LastOfEqualKeys(
      items, [](const JsonParts::Item& item) -> std::string_view { return item.key; });
  if (last.empty()) return;
  std::vector<JsonParts::Item> merged;
  for (const JsonParts::Item& item : items) {
    const auto found = last.find(item.key);
    if (found == last.end()) continue;
    merged.push_back(items[found->second]);
    last.erase(found);
  }
  items = std::move(merged);
}

bool ReadItem(ondemand::value value, JsonParts::Item& item) {
  ondemand::json_type type;
  if (value.type().get(type)) return false;
  item.is_string = type == ondemand::json_type::string;
  if (!item.is_string) return AppendCompact(value, 1, item.json);
  std::string_view text;
  if (value.get_string().get(text)) return false;
  item.text = text;
  AppendJsonString(text, item.json);
  return true;
}

/// The last field of an object that is named `key`.
simdjson::error_code FindLastField(ondemand::object& object, std::string_view key,
                                   ondemand::value& value) {
  ptrdiff_t last = -1;
  ptrdiff_t at = 0;
  for (auto entry : object) {
    std::string_view name;
    ondemand::field field;
    if (const auto error = std::move(entry).get(field)) return error;
    if (const auto error = field.unescaped_key().get(name)) return error;
    if (name == key) last = at;
    ++at;
  }
  if (last < 0) return simdjson::NO_SUCH_FIELD;
  // Values are read where the parser stands, so it goes there again.
  if (const auto error = object.reset().error()) return error;
  at = 0;
  for (auto entry : object) {
    ondemand::field field;
    if (const auto error = std::move(entry).get(field)) return error;
    if (at++ < last) continue;
    value = field.value();
    return simdjson::SUCCESS;
  }
  return simdjson::NO_SUCH_FIELD;
}

/// Follows `path` from a value; kAbsent where a step leads nowhere.
JsonTextReader::Outcome Follow(ondemand::value& value, const JsonPath& path) {
  for (const JsonPath::Step& step : path.steps()) {
    ondemand::json_type type;
    if (value.type().get(type)) return JsonTextReader::Outcome::kMalformed;
    simdjson::error_code error;
    if (step.is_index) {
      if (type != ondemand::json_type::array || step.index < 0) {
        return JsonTextReader::Outcome::kAbsent;
      }
      ondemand::array array;
      error = value.get_array().get(array);
      if (!error) error = array.at(static_cast<size_t>(step.index)).get(value);
    } else {
      if (type != ondemand::json_type::object) return JsonTextReader::Outcome::kAbsent;
      ondemand::object object;
      error = value.get_object().get(object);
      if (!error) error = FindLastField(object, step.key, value);
    }
    if (error == simdjson::NO_SUCH_FIELD || error == simdjson::INDEX_OUT_OF_BOUNDS) {
      return JsonTextReader::Outcome::kAbsent;
    }
    if (error) return JsonTextReader::Outcome::kMalformed;
  }
  return JsonTextReader::Outcome::kFound;
}

}  // namespace

std::optional<JsonPath> JsonPath::Parse(std::string_view text) {
  if (!text.starts_with('$')) return std::nullopt;
  text.remove_prefix(1);
  JsonPath path;
  while (!text.empty()) {
    Step step;
    if (text[0] == '.') {
      const size_t end = std::min(text.find_first_of(".[", 1), text.size());
      step.key = std::string(text.substr(1, end - 1));
      if (step.key.empty() || step.key == "*") return std::nullopt;
      text.remove_prefix(end);
    } else if (text.size() > 2 && text[0] == '[' && (text[1] == '"' || text[1] == '\'')) {
      const size_t close = text.find(text[1], 2);
      if (close == std::string_view::npos || close + 1 >= text.size() || text[close + 1] != ']') {
        return std::nullopt;
      }
      step.key = std::string(text.substr(2, close - 2));
      text.remove_prefix(close + 2);
    } else if (text[0] == '[') {
      const size_t close = text.find(']');
      step.is_index = true;
      if (close == std::string_view::npos || !ParseInt64(text.substr(1, close - 1), step.index)) {
        return std::nullopt;
      }
      text.remove_prefix(close + 1);
    } else {
      return std::nullopt;
    }
    path.steps_.push_back(std::move(step));
  }
  return path;
}

struct JsonTextReader::Impl {
  ondemand::parser parser;
  std::string padded;
  ondemand::document document;

  bool Start(std::string_view json) {
    padded.assign(json);
    padded.append(simdjson::SIMDJSON_PADDING, ' ');
    return !parser.iterate(padded.data(), json.size(), padded.size()).get(document);
  }
  /// Whether nothing but blanks stands behind the value just read.
  bool AtEnd() {
    const char* end = padded.data() + padded.size() - simdjson::SIMDJSON_PADDING;
    const char* at = nullptr;
    if (document.current_location().get(at)) return true;  // Past the last token.
    for (; at < end; ++at) {
      if (static_cast<uint8_t>(*at) > ' ') return false;
    }
    return true;
  }
};

JsonTextReader::JsonTextReader() : impl_(std::make_unique<Impl>()) {}
JsonTextReader::~JsonTextReader() = default;

JsonTextReader::Outcome JsonTextReader::Extract(std::string_view json, const JsonPath& path,
                                                std::string& out) {
  out.clear();
  if (!impl_->Start(json)) return Outcome::kMalformed;
  ondemand::value value;
  if (impl_->document.get_value().get(value)) {
    // A document that is one scalar has no parts.
    JsonParts parts;
    if (!Split(json, parts)) return Outcome::kMalformed;
    if (!path.steps().empty() || parts.items[0].json == "null") return Outcome::kAbsent;
    out = parts.items[0].AsText();
    return Outcome::kFound;
  }
  const Outcome outcome = Follow(value, path);
  if (outcome != Outcome::kFound) return outcome;
  JsonParts::Item item;
  if (!ReadItem(value, item)) return Outcome::kMalformed;
  if (item.json == "null") return Outcome::kAbsent;
  out = item.AsText();
  return Outcome::kFound;
}

bool JsonTextReader::Split(std::string_view json, JsonParts& parts) {
  parts.items.clear();
  if (!impl_->Start(json)) return false;
  ondemand::json_type type;
  if (impl_->document.type().get(type)) return false;
  if (type == ondemand::json_type::array) {
    parts.kind = JsonParts::Kind::kArray;
    ondemand::array array;
    if (impl_->document.get_array().get(array)) return false;
    for (auto element : array) {
      ondemand::value value;
      if (element.get(value) || !ReadItem(value, parts.items.emplace_back())) return false;
    }
    return impl_->AtEnd();
  }
  if (type == ondemand::json_type::object) {
    parts.kind = JsonParts::Kind::kObject;
    ondemand::object object;
    if (impl_->document.get_object().get(object)) return false;
    for (auto entry : object) {
      ondemand::field field;
      std::string_view key;
      if (std::move(entry).get(field) || field.unescaped_key().get(key)) return false;
      JsonParts::Item item;
      item.key = key;
      if (!ReadItem(field.value(), item)) return false;
      parts.items.push_back(std::move(item));
    }
    MergeItems(parts.items);
    return impl_->AtEnd();
  }
  parts.kind = JsonParts::Kind::kScalar;
  JsonParts::Item& item = parts.items.emplace_back();
  if (type == ondemand::json_type::string) {
    std::string_view text;
    if (impl_->document.get_string().get(text)) return false;
    item.is_string = true;
    item.text = text;
    AppendJsonString(text, item.json);
    return impl_->AtEnd();
  }
  // The token of a scalar document reaches to the end of the text, so anything behind it shows.
  std::string_view token;
  return !impl_->document.raw_json_token().get(token) && AppendScalarToken(token, item.json);
}

bool JsonTextReader::IsJson(std::string_view json) {
  JsonParts parts;
  return Split(json, parts);
}

}  // namespace weir

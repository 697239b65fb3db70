#pragma once

// JSON texts: parsed with simdjson, given back compactly as Jackson writes them (numbers keep their
// text), and paths into them.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir {

/// A JSON value taken apart one level: what the functions over JSON text work with.
struct JsonParts {
  enum class Kind : uint8_t { kScalar, kArray, kObject };
  /// One element or entry. `json` is the value's compact JSON; `text` what a string holds.
  struct Item {
    std::string key;
    std::string json;
    std::string text;
    bool is_string = false;
    std::string_view AsText() const { return is_string ? text : json; }
  };
  Kind kind = Kind::kScalar;
  std::vector<Item> items;  ///< Elements, entries, or the one scalar.
};

/// A path such as $.a.b[0]["c d"]; steps are keys or positions.
class JsonPath {
 public:
  struct Step {
    std::string key;
    int64_t index = -1;
    bool is_index = false;
  };
  /// Nothing where the text is no path.
  static std::optional<JsonPath> Parse(std::string_view text);
  const std::vector<Step>& steps() const { return steps_; }

 private:
  std::vector<Step> steps_;
};

/// Parses JSON texts one after the other, reusing its buffers. One thread at a time.
class JsonTextReader {
 public:
  JsonTextReader();
  ~JsonTextReader();

  enum class Outcome : uint8_t { kFound, kAbsent, kMalformed };
  /// The value at `path`: the content of a string, else compact JSON, replacing `out`. A null is
  /// absent.
  Outcome Extract(std::string_view json, const JsonPath& path, std::string& out);
  /// Takes a whole text apart. False if it is malformed (or empty).
  bool Split(std::string_view json, JsonParts& parts);
  /// Whether the text is one JSON value.
  bool IsJson(std::string_view json);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir

#include "exec/formats/json/json_structure.h"

#include <simdjson.h>
#include <algorithm>
#include <new>

namespace weir {

struct JsonStructure::Parser {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> stage;
  size_t capacity = 0;
};

JsonStructure::JsonStructure() : parser_(std::make_unique<Parser>()) {}
JsonStructure::~JsonStructure() = default;

bool JsonStructure::Index(const char* text, size_t length) {
  error_ = "";
  if (length > parser_->capacity || parser_->stage == nullptr) {
    const size_t capacity = std::max<size_t>(length, 96 * 1024);
    parser_->stage.reset();
    parser_->capacity = 0;
    if (simdjson::get_active_implementation()->create_dom_parser_implementation(
            capacity, simdjson::DEFAULT_MAX_DEPTH, parser_->stage) != simdjson::SUCCESS) {
      throw std::bad_alloc();  // That says nothing of the record.
    }
    parser_->capacity = capacity;
  }
  const auto code = parser_->stage->stage1(reinterpret_cast<const uint8_t*>(text), length,
                                           simdjson::stage1_mode::regular);
  switch (code) {
    case simdjson::SUCCESS: return true;
    case simdjson::UTF8_ERROR: error_ = "it is not UTF-8"; break;
    case simdjson::UNCLOSED_STRING: error_ = "a string is not closed"; break;
    case simdjson::UNESCAPED_CHARS: error_ = "a control character stands in a string"; break;
    case simdjson::EMPTY: error_ = "it is empty"; break;
    default: error_ = "it is not JSON";
  }
  return false;
}

const uint32_t* JsonStructure::positions() const {
  return parser_->stage->structural_indexes.get();
}

size_t JsonStructure::count() const { return parser_->stage->n_structural_indexes; }

bool IsUtf8(const char* text, size_t length) { return simdjson::validate_utf8(text, length); }

}  // namespace weir

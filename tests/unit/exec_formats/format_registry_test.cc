#include "format_fixture.h"

namespace weir::test {
namespace {

ErrorCode Check(const std::string& name, std::vector<FormatColumn> columns) {
  return CheckFormat({.name = name}, columns).code();
}

TEST(FormatRegistryTest, SaysWhatAFormatCannotHold) {
  const FormatColumn text{.name = "A", .type = DataType::String()};
  const FormatColumn flag{.name = "B", .type = DataType::Boolean()};
  const FormatColumn list{.name = "C", .type = DataType::Array(DataType::Int())};
  const FormatColumn map{.name = "D", .type = DataType::Map(DataType::Int(), DataType::Int())};
  EXPECT_EQ(Check("JSON", {text, flag, list}), ErrorCode::kOk);
  EXPECT_EQ(Check("JSON", {map}), ErrorCode::kFormatMismatch);
  EXPECT_EQ(Check("DELIMITED", {text, flag}), ErrorCode::kOk);
  EXPECT_EQ(Check("DELIMITED", {list}), ErrorCode::kFormatMismatch);
  EXPECT_EQ(Check("KAFKA", {text}), ErrorCode::kOk);
  EXPECT_EQ(Check("KAFKA", {flag}), ErrorCode::kFormatMismatch);
  EXPECT_EQ(Check("KAFKA", {text, text}), ErrorCode::kFormatMismatch);
  EXPECT_EQ(Check("NONE", {}), ErrorCode::kOk);
  EXPECT_EQ(Check("NONE", {text}), ErrorCode::kFormatMismatch);
  EXPECT_EQ(Check("AVRO", {text, flag, list}), ErrorCode::kOk);
  EXPECT_EQ(Check("AVRO", {map}), ErrorCode::kFormatMismatch);
  EXPECT_EQ(Check("AVRO", {{.name = "1A", .type = DataType::Int()}}), ErrorCode::kFormatMismatch);
  EXPECT_EQ(Check("JSON_SR", {text, flag, list}), ErrorCode::kOk);
  EXPECT_EQ(Check("PROTOBUF", {text, flag, list, map}), ErrorCode::kOk);
  EXPECT_EQ(Check("PROTOBUF_NOSR", {{.name = "E", .type = DataType::Array(list.type)}}),
            ErrorCode::kFormatMismatch);
  EXPECT_EQ(Check("PROTOBUF", {{.name = "a-b", .type = DataType::Int()}}),
            ErrorCode::kFormatMismatch);
  EXPECT_EQ(Check("FOO", {text}), ErrorCode::kInvalidProperty);
  EXPECT_EQ(CheckFormat({.name = "JSON", .properties = {{"DELIMITER", "|"}}}, {text}).code(),
            ErrorCode::kInvalidProperty);
}

}  // namespace
}  // namespace weir::test

weir_layer(exec_formats
  SOURCES
    formats/base64.cc
    formats/json/bracket_count.cc
    formats/delimited_format.cc
    formats/format_registry.cc
    formats/infer_columns.cc
    formats/json/json_decoder.cc
    formats/json/json_encoder.cc
    formats/json/json_structure.cc
    formats/json/json_text.cc
    formats/json/json_value.cc
    formats/kafka_format.cc
    formats/json/number_scan.cc
    formats/json/raw_json.cc
    formats/window_key.cc
    formats/json/json_keys.cc
  DEPENDS weir_exec_core
  PRIVATE_DEPENDS simdjson::simdjson)

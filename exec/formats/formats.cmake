weir_layer(exec_formats
  SOURCES
    formats/base64.cc
    formats/bracket_count.cc
    formats/delimited_format.cc
    formats/format_registry.cc
    formats/infer_columns.cc
    formats/json_decoder.cc
    formats/json_encoder.cc
    formats/json_structure.cc
    formats/json_text.cc
    formats/json_value.cc
    formats/kafka_format.cc
    formats/number_scan.cc
    formats/raw_json.cc
    formats/window_key.cc
    formats/json_keys.cc
  DEPENDS weir_exec_core
  PRIVATE_DEPENDS simdjson::simdjson)

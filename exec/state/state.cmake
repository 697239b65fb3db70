# State that operators keep in memory and write to their stores at commits.
weir_layer(exec_state
  SOURCES
    state/chunk_codec.cc
    state/group_table.cc
    state/join_buffer/join_buffer.cc
    state/packed_groups.cc
    state/row_codec.cc
    state/rows/row_gather.cc
    state/rows/row_table.cc
    state/small_keys.cc
    state/join_buffer/cold_blocks.cc
    state/join_buffer/join_buffer_cold.cc
    state/join_buffer/join_buffer_store.cc
    state/key_hash.cc
    state/join_buffer/key_index.cc
    state/rows/pointer_index.cc
    state/row_key.cc
    state/rows/row_table_store.cc
    state/rows/stored_rows.cc
    state/rows/row_changes.cc
  DEPENDS weir_exec_core
  PRIVATE_DEPENDS absl::btree absl::flat_hash_map absl::hash fmt::fmt)

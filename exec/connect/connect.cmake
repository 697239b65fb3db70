weir_layer(exec_connect
  SOURCES
    connect/commit_buffer.cc
    connect/header_codec.cc
    connect/memory_broker.cc
    connect/record_batch.cc
    connect/record_merge.cc
  DEPENDS weir_exec_core weir_exec_formats
  PRIVATE_DEPENDS RocksDB::rocksdb-shared PkgConfig::RDKAFKA Threads::Threads)

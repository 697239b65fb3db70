weir_layer(exec_connect
  SOURCES
    connect/block_checksum.cc
    connect/commit_buffer.cc
    connect/connector.cc
    connect/csv_layout.cc
    connect/datagen_source.cc
    connect/file_source.cc
    connect/header_codec.cc
    connect/kafka_broker.cc
    connect/kafka_client.cc
    connect/kafka_commit.cc
    connect/kafka_reader.cc
    connect/kafka_topics.cc
    connect/line_source.cc
    connect/local_block.cc
    connect/local_broker.cc
    connect/local_store.cc
    connect/memory_broker.cc
    connect/record_batch.cc
    connect/record_merge.cc
    connect/rocks_crc32c.cc
    connect/rocks_store.cc
    connect/store_directory.cc
    connect/topic.cc
  DEPENDS weir_exec_core weir_exec_formats
  PRIVATE_DEPENDS RocksDB::rocksdb-shared PkgConfig::RDKAFKA Threads::Threads
    ${CMAKE_DL_LIBS})

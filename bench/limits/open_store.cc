// The limit of starting: a program that links the same libraries, opens an empty RocksDB and closes
// it again.
//
//   open_store DIRECTORY

#include <rocksdb/db.h>

#include <cstdio>
#include <memory>

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: open_store DIRECTORY\n", stderr);
    return 2;
  }
  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* opened = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(options, argv[1], &opened);
  const std::unique_ptr<rocksdb::DB> store(opened);
  if (!status.ok()) {
    std::fprintf(stderr, "open_store: %s\n", status.ToString().c_str());
    return 1;
  }
  return store->Close().ok() ? 0 : 1;
}

#pragma once

// CRC32c for RocksDB, by the processor's instruction.
//
// RocksDB computes a CRC32c of everything that it writes to its log and its blob files. Debian
// builds it for the oldest processors, where that takes tables: about a quarter of the time of a
// query that writes much. Its function Extend is called through the dynamic linker, so the
// program's own one, in rocks_crc32c.cc, serves in its place. It gives the same values: files stay
// what they are.

namespace weir {

/// Whether RocksDB uses ours. Calling it also makes sure that ours is linked into the program.
bool HasFastCrc32c();

}  // namespace weir

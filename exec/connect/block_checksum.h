#pragma once

// The checksum of the local store's blocks: finds damage, as fast as memory gives the bytes. It is
// part of the store's layout, so it is the same on every machine.

#include <cstddef>
#include <cstdint>

namespace weir {

uint64_t BlockChecksum(const char* data, size_t size);

}  // namespace weir

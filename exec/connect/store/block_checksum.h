#pragma once

// The checksum of the local store's blocks: finds damage, as fast as memory gives the bytes. It is
// part of the store's layout, so it is the same on every machine.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace weir {

uint64_t BlockChecksum(const char* data, size_t size);
/// The checksum of these parts as if they lay side by side.
uint64_t BlockChecksum(std::span<const std::string_view> parts);

}  // namespace weir

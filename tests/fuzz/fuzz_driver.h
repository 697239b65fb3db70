#pragma once

// What a fuzz target gives fuzz_driver.cc beside its LLVMFuzzerTestOneInput. libFuzzer knows none
// of this; its dictionary and its own mutations stand in.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace weir::fuzz {

/// Texts that mean something to the target; mutations put them in.
std::vector<std::string> Pieces();

/// The inputs to mutate that a file of the corpus holds: itself, or its parts.
std::vector<std::string> InputsOf(std::string_view file);

}  // namespace weir::fuzz

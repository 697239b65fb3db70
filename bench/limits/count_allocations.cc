// Preloaded into a program (LD_PRELOAD), counts its calls of operator new and writes two numbers to
// the file that WEIR_ALLOCATIONS_FILE names when the program ends: those of the program, and those
// made by RocksDB on its behalf. Debian builds RocksDB with its test hooks: each piece of at most
// 32 KB that goes to its log costs eight strings.

#include <execinfo.h>
#include <link.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

namespace {

std::atomic<uint64_t> own{0}, in_rocksdb{0};

struct Range {
  uintptr_t begin = 0, end = 0;
};

int FindRocksDb(dl_phdr_info* info, size_t, void* range) {
  if (std::strstr(info->dlpi_name, "librocksdb") == nullptr) return 0;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = info->dlpi_phdr[i];
    if (header.p_type != PT_LOAD || (header.p_flags & PF_X) == 0) continue;
    static_cast<Range*>(range)->begin = info->dlpi_addr + header.p_vaddr;
    static_cast<Range*>(range)->end = info->dlpi_addr + header.p_vaddr + header.p_memsz;
  }
  return 1;
}

/// Whether RocksDB is among the callers.
bool IsInRocksDb() {
  static const Range range = [] {
    Range found;
    dl_iterate_phdr(FindRocksDb, &found);
    return found;
  }();
  thread_local bool looking = false;  // Looking may allocate, the first time.
  if (looking) return false;
  looking = true;
  void* frames[24];
  const int count = backtrace(frames, 24);
  looking = false;
  for (int i = 0; i < count; ++i) {
    const auto at = reinterpret_cast<uintptr_t>(frames[i]);
    if (at >= range.begin && at < range.end) return true;
  }
  return false;
}

void* Allocate(std::size_t size, std::size_t alignment) {
  (IsInRocksDb() ? in_rocksdb : own).fetch_add(1, std::memory_order_relaxed);
  if (size == 0) size = 1;
  if (alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__) return std::malloc(size);
  return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

void* AllocateOrThrow(std::size_t size, std::size_t alignment) {
  if (void* memory = Allocate(size, alignment)) return memory;
  throw std::bad_alloc();
}

/// Runs when the program's own objects are gone.
__attribute__((destructor)) void Report() {
  const char* path = std::getenv("WEIR_ALLOCATIONS_FILE");
  if (path == nullptr) return;
  if (std::FILE* file = std::fopen(path, "w")) {
    std::fprintf(file, "%lu %lu\n", own.load(), in_rocksdb.load());
    std::fclose(file);
  }
}

constexpr std::size_t kPlain = __STDCPP_DEFAULT_NEW_ALIGNMENT__;

}  // namespace

void* operator new(std::size_t size) { return AllocateOrThrow(size, kPlain); }
void* operator new[](std::size_t size) { return AllocateOrThrow(size, kPlain); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return AllocateOrThrow(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return AllocateOrThrow(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return Allocate(size, kPlain);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return Allocate(size, kPlain);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

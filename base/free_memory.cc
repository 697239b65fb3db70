#include "base/free_memory.h"

#include <malloc.h>

namespace weir {

void ReturnFreeMemory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace weir

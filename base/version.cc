#include "weir/version.h"

namespace weir {

#define WEIR_TEXT_OF_INNER(x) #x
#define WEIR_TEXT_OF(x) WEIR_TEXT_OF_INNER(x)

std::string_view Version() {
  return WEIR_TEXT_OF(WEIR_VERSION_MAJOR) "." WEIR_TEXT_OF(WEIR_VERSION_MINOR) "." WEIR_TEXT_OF(
      WEIR_VERSION_PATCH);
}

}  // namespace weir

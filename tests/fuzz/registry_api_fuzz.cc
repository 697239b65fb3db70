// Any bytes as requests to the served registry, one a line: METHOD, target and body between blanks.
// Each gets an answer that is JSON with a status, and what was registered is found again.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "exec/connect/registry/registry_api.h"
#include "exec/formats/json/raw_json.h"
#include "tests/fuzz/fuzz_driver.h"

namespace {

using namespace weir;

std::string_view TakeWord(std::string_view& rest) {
  const std::string_view word = rest.substr(0, rest.find(' '));
  rest.remove_prefix(std::min(word.size() + 1, rest.size()));
  return word;
}

}  // namespace

namespace weir::fuzz {

std::vector<std::string> Pieces() {
  return {"\n",
          " ",
          "/",
          "?",
          "&",
          "=",
          "%2F",
          "%",
          "%ff",
          "%00",
          "\"",
          "\\\"",
          "{",
          "}",
          "null",
          "-1",
          "0",
          "2147483648",
          "latest",
          "GET ",
          "POST ",
          "PUT ",
          "DELETE ",
          "/subjects",
          "/versions",
          "/schemas",
          "/ids/1",
          "/config",
          "/s",
          "/1",
          "/schema",
          "\"schema\":",
          "\"references\":",
          "deleted=true",
          "permanent=true"};
}

std::vector<std::string> InputsOf(std::string_view file) { return {std::string(file)}; }

}  // namespace weir::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  MemoryRegistry registry;
  constexpr int kRequestsMax = 50;  // Inputs may be all line ends.
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  for (int i = 0; i < kRequestsMax && !rest.empty(); ++i) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    RegistryRequest request;
    request.method = TakeWord(line);
    request.path = TakeWord(line);
    const size_t mark = std::min(request.path.find('?'), request.path.size());
    request.query = request.path.substr(std::min(mark + 1, request.path.size()));
    request.path = request.path.substr(0, mark);
    request.body = line;
    const RegistryAnswer answer = AnswerRegistryRequest(registry, request);
    if (answer.status < 200 || answer.status > 599) __builtin_trap();
    // A schema's own text is what it is: those of Protobuf are no JSON.
    if (request.path.ends_with("/schema")) continue;
    if (!ParseRawJson(answer.body).ok()) __builtin_trap();
  }
  for (const auto& name : registry.SubjectNames(MemoryRegistry::Seen::kAll)) {
    for (const auto& version : registry.VersionsOf(name, MemoryRegistry::Seen::kAll)) {
      const Result<SchemaPointer> found = registry.ById(version.schema->id);
      if (!found.ok() || *found == nullptr) __builtin_trap();
    }
  }
  return 0;
}

// Runs a fuzz target without libFuzzer: the corpus as it stands, then a fixed number of mutations
// from a fixed seed, so that the checks are repeatable. NAME_replay CORPUS EXECUTIONS.

#include "tests/fuzz/fuzz_driver.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace {

using Random = std::mt19937_64;

constexpr uint64_t kSeed = 20240611;
constexpr size_t kInputBytesMax = 4096;

size_t Below(Random& random, size_t bound) { return bound == 0 ? 0 : random() % bound; }

/// One change: a byte, a piece, something repeated or taken from another input.
void Mutate(std::string& text, const std::vector<std::string>& corpus,
            const std::vector<std::string>& pieces, Random& random) {
  const size_t at = Below(random, text.size() + 1);
  const size_t length = std::min(text.size() - at, 1 + Below(random, 24));
  switch (random() % 7) {
    case 0: text.insert(at, 1, static_cast<char>(random())); break;
    case 1: text.erase(at, length); break;
    case 2:
      if (at < text.size()) text[at] = static_cast<char>(random());
      break;
    case 3: text.insert(at, pieces[Below(random, pieces.size())]); break;
    case 4: text.replace(at, length, pieces[Below(random, pieces.size())]); break;
    case 5: text.insert(at, std::string(text, Below(random, text.size() + 1), length)); break;
    default: {
      const std::string& other = corpus[Below(random, corpus.size())];
      const size_t from = Below(random, other.size() + 1);
      text.replace(at, length, other, from, 1 + Below(random, 60));
      break;
    }
  }
  if (text.size() > kInputBytesMax) text.resize(kInputBytesMax);
}

void Run(const std::string& text) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(text.data()), text.size());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const uint64_t executions = std::strtoull(argv[2], nullptr, 10);
  std::vector<std::filesystem::path> files(std::filesystem::directory_iterator(argv[1]), {});
  std::sort(files.begin(), files.end());
  std::vector<std::string> corpus;
  for (const std::filesystem::path& file : files) {
    std::ifstream in(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    Run(text);
    for (std::string& input : weir::fuzz::InputsOf(text)) corpus.push_back(std::move(input));
  }
  if (corpus.empty()) return 2;
  const std::vector<std::string> pieces = weir::fuzz::Pieces();
  Random random(kSeed);
  for (uint64_t i = 0; i < executions; ++i) {
    std::string text = corpus[Below(random, corpus.size())];
    const size_t changes = 1 + Below(random, 8);
    for (size_t change = 0; change < changes; ++change) Mutate(text, corpus, pieces, random);
    Run(text);
  }
  std::printf("%s: %zu inputs in the corpus, %llu executions, seed %llu\n",
              std::filesystem::path(argv[0]).filename().c_str(), corpus.size(),
              static_cast<unsigned long long>(executions), static_cast<unsigned long long>(kSeed));
  return 0;
}

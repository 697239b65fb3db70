// Every block of syntax_errors.txt: a text, `----`, and the error it must give, word for word.

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "parser/parser.h"

namespace weir {
namespace {

struct Block {
  std::string sql;
  std::string expected;
  int line = 0;
};

std::vector<Block> ReadBlocks() {
  std::ifstream in(WEIR_SYNTAX_ERRORS);
  std::vector<Block> blocks;
  Block block;
  bool in_expected = false;
  int number = 0;
  std::string line;
  const auto finish = [&] {
    if (!block.sql.empty()) blocks.push_back(block);
    block = Block();
    in_expected = false;
  };
  while (std::getline(in, line)) {
    ++number;
    if (line.empty()) {
      finish();
    } else if (line == "----") {
      in_expected = true;
    } else if (!(line.starts_with("#") && block.sql.empty())) {
      if (block.sql.empty()) block.line = number;
      std::string& part = in_expected ? block.expected : block.sql;
      if (!part.empty()) part += '\n';
      part += line;
    }
  }
  finish();
  return blocks;
}

TEST(SyntaxErrorsTest, EveryErrorReadsAsWritten) {
  const std::vector<Block> blocks = ReadBlocks();
  EXPECT_GT(blocks.size(), 30u);
  for (const Block& block : blocks) {
    const Result<std::vector<ast::Statement>> parsed = ParseStatements(block.sql);
    ASSERT_FALSE(parsed.ok()) << "line " << block.line << ": " << block.sql;
    EXPECT_EQ(parsed.status().ToString(), block.expected) << "line " << block.line;
  }
}

}  // namespace
}  // namespace weir

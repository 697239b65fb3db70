#include "shell/options.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace weir::shell {
namespace {

class OptionsTest : public ::testing::Test {
 protected:
  ParsedCommandLine Parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "weir");
    return ParseCommandLine(static_cast<int>(arguments.size()), arguments.data(), out_, err_);
  }
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(OptionsTest, OpensThePromptOnADirectory) {
  const ParsedCommandLine line = Parse({"my.db"});
  EXPECT_EQ(line.exit_code, std::nullopt);
  EXPECT_EQ(line.options.command, ProgramCommand::kPrompt);
  EXPECT_EQ(line.options.directory, "my.db");
  EXPECT_FALSE(line.options.paused);
  const ParsedCommandLine paused = Parse({"--paused", "my.db"});
  EXPECT_EQ(paused.options.directory, "my.db");
  EXPECT_TRUE(paused.options.paused);
}

TEST_F(OptionsTest, SubcommandWinsOverDirectory) {
  const ParsedCommandLine line = Parse({"run", "a.sql", "b.sql", "--until-end", "-d", "x"});
  EXPECT_EQ(line.options.command, ProgramCommand::kRun);
  EXPECT_EQ(line.options.files, (std::vector<std::string>{"a.sql", "b.sql"}));
  EXPECT_TRUE(line.options.until_end);
  EXPECT_EQ(line.options.directory, "x");
  EXPECT_EQ(Parse({"./run"}).options.directory, "./run");
}

TEST_F(OptionsTest, ResetNeedsAnApplicationOnKafka) {
  const ParsedCommandLine line = Parse({"reset", "--application-id", "rides", "-b", "host:9092",
                                        "--query", "CTAS_A", "--yes", "--state-dir", "/s"});
  EXPECT_EQ(line.exit_code, std::nullopt) << err_.str();
  EXPECT_EQ(line.options.command, ProgramCommand::kReset);
  EXPECT_EQ(line.options.reset.query_id, "CTAS_A");
  EXPECT_TRUE(line.options.reset.yes);
  EXPECT_EQ(line.options.state_dir, "/s");
  EXPECT_EQ(Parse({"reset", "-b", "host:9092"}).exit_code, 2);
  EXPECT_EQ(Parse({"reset", "-d", "db", "--application-id", "rides"}).exit_code, 2);
  EXPECT_NE(err_.str().find("DROP"), std::string::npos) << err_.str();
}

TEST_F(OptionsTest, ARegistryHasOnePortAndOnePlace) {
  const ParsedCommandLine line =
      Parse({"registry", "--port", "0", "--address", "0.0.0.0", "--store", "schemas"});
  EXPECT_EQ(line.exit_code, std::nullopt) << err_.str();
  EXPECT_EQ(line.options.command, ProgramCommand::kRegistry);
  EXPECT_EQ(line.options.registry.port, 0);
  EXPECT_EQ(line.options.registry.address, "0.0.0.0");
  EXPECT_EQ(line.options.registry.directory, "schemas");
  EXPECT_EQ(Parse({"registry"}).options.registry.address, "127.0.0.1");
  EXPECT_EQ(Parse({"registry", "-d", "db"}).options.registry.directory, "db");
  EXPECT_EQ(Parse({"registry", "-d", "db", "--store", "other"}).exit_code, 2);
  EXPECT_EQ(Parse({"registry", "-b", "host:9092"}).exit_code, 2);
  EXPECT_EQ(Parse({"registry", "--port", "70000"}).exit_code, 2);
}

TEST_F(OptionsTest, MetricsPortIsAPort) {
  EXPECT_EQ(Parse({"--metrics-port", "9404"}).options.metrics_port, 9404);
  EXPECT_EQ(Parse({}).options.metrics_port, std::nullopt);
  EXPECT_EQ(Parse({"--metrics-port", "70000"}).exit_code, 2);
  EXPECT_EQ(Parse({"--metrics-port", "1"}).options.metrics_address, "127.0.0.1");
  EXPECT_EQ(Parse({"--metrics-address", "0.0.0.0"}).options.metrics_address, "0.0.0.0");
}

TEST_F(OptionsTest, KeepsTheOrderOfCommandsAndFiles) {
  const ParsedCommandLine line =
      Parse({"-c", "SELECT 1;", "-f", "a.sql", "-c", "-- two", "-f", "b.sql"});
  EXPECT_EQ(line.exit_code, std::nullopt) << err_.str();
  EXPECT_EQ(line.options.scripts,
            (std::vector<ScriptItem>{
                {false, "SELECT 1;"}, {true, "a.sql"}, {false, "-- two"}, {true, "b.sql"}}));
}

TEST_F(OptionsTest, TakesCommonOptionsOnBothSides) {
  const ParsedCommandLine line =
      Parse({"-b", "host:9092", "-X", "a.b=c=d", "load", "topic", "file.csv", "--key", "A=b",
             "--key-format", "kafka:int", "--rate", "10", "-S", "memory.limit=1"});
  EXPECT_EQ(line.exit_code, std::nullopt) << err_.str();
  EXPECT_EQ(line.options.brokers, "host:9092");
  EXPECT_EQ(line.options.kafka.at("a.b"), "c=d");
  EXPECT_EQ(line.options.settings.at("memory.limit"), "1");
  EXPECT_EQ(line.options.load.topic, "topic");
  EXPECT_EQ(line.options.load.file, "file.csv");
  EXPECT_EQ(line.options.load.key, (std::vector<ColumnChoice>{{"A", "b"}}));
  EXPECT_EQ(line.options.load.key_format, KeyFormat::kInt);
  EXPECT_EQ(line.options.load.rate, 10);
}

TEST_F(OptionsTest, LoadTakesFormatsWithSchemas) {
  const ParsedCommandLine line = Parse({"-d", "x", "load", "t", "f.csv", "--key", "A",
                                        "--key-format", "json_sr", "--output-format", "avro"});
  EXPECT_EQ(line.exit_code, std::nullopt) << err_.str();
  EXPECT_EQ(line.options.load.key_format, KeyFormat::kSchema);
  EXPECT_EQ(line.options.load.key_schema_format, "JSON_SR");
  EXPECT_EQ(line.options.load.output_format, "AVRO");
  EXPECT_EQ(Parse({"-d", "x", "load", "t", "--output-format", "json"}).options.load.output_format,
            "");
}

TEST_F(OptionsTest, WrongUsageIsTwo) {
  for (const std::vector<const char*>& arguments :
       std::vector<std::vector<const char*>>{{"--no-such"},
                                             {"run"},
                                             {"load", "topic"},
                                             {"print", "topic"},
                                             {"-d", "x", "print", "topic", "more"},
                                             {"-d", "x", "-b", "y"},
                                             {"a", "-d", "b"},
                                             {"-S", "no-value"},
                                             {"--format", "xml"},
                                             {"-d", "x", "load", "t", "--key-format", "xml"},
                                             {"-d", "x", "load", "t", "--output-format", "xml"},
                                             {"test", "a.test", "--way", "other"}}) {
    EXPECT_EQ(Parse(arguments).exit_code, 2) << arguments[0];
  }
}

TEST_F(OptionsTest, HelpAndVersionAreZero) {
  EXPECT_EQ(Parse({"--version"}).exit_code, 0);
  EXPECT_NE(out_.str().find("weir 0."), std::string::npos);
  EXPECT_EQ(Parse({"--help"}).exit_code, 0);
  EXPECT_NE(out_.str().find("--until-end"), std::string::npos);
  EXPECT_EQ(Parse({"load", "--help"}).exit_code, 0);
}

TEST_F(OptionsTest, ReadsAFileAndVariables) {
  const std::string path = ::testing::TempDir() + "weir_options_test.conf";
  std::ofstream(path) << "brokers = \"one:9092\"\nuntil-end = true\nsetting = [\"a=1\", \"b=2\"]\n";
  setenv("WEIR_SETTINGS", "b=3;c=4", 1);
  setenv("WEIR_BROKERS", "two:9092", 1);
  const ParsedCommandLine line = Parse({"--config", path.c_str(), "-S", "a=0"});
  unsetenv("WEIR_SETTINGS");
  unsetenv("WEIR_BROKERS");
  EXPECT_EQ(line.exit_code, std::nullopt) << err_.str();
  EXPECT_EQ(line.options.brokers, "one:9092");
  EXPECT_TRUE(line.options.until_end);
  EXPECT_EQ(line.options.settings.at("a"), "0");
  EXPECT_EQ(line.options.settings.at("c"), "4");
}

TEST_F(OptionsTest, AVariableNamesTheFile) {
  const std::string path = ::testing::TempDir() + "weir_options_test.conf";
  std::ofstream(path) << "brokers = \"one:9092\"\n";
  setenv("WEIR_CONFIG", path.c_str(), 1);
  EXPECT_EQ(Parse({}).options.brokers, "one:9092");
  EXPECT_EQ(Parse({"-b", "two:9092"}).options.brokers, "two:9092");
  setenv("WEIR_CONFIG", "/no/such/file", 1);
  EXPECT_EQ(Parse({}).exit_code, 2);
  setenv("WEIR_CONFIG", "", 1);
  EXPECT_EQ(Parse({}).exit_code, std::nullopt);
  unsetenv("WEIR_CONFIG");
}

TEST_F(OptionsTest, AnUnknownKeyInTheFileIsAnError) {
  const std::string path = ::testing::TempDir() + "weir_options_test.conf";
  std::ofstream(path) << "aplication-id = \"rides\"\n";
  EXPECT_EQ(Parse({"--config", path.c_str()}).exit_code, 2);
  EXPECT_NE(err_.str().find("did you mean application-id?"), std::string::npos) << err_.str();
  std::ofstream(path) << "[rum]\nfiles = \"a\"\n";
  EXPECT_EQ(Parse({"--config", path.c_str()}).exit_code, 2);
  std::ofstream(path) << "processing.guarantee = \"exactly_once\"\n";
  EXPECT_EQ(Parse({"--config", path.c_str()}).exit_code, 2);
  EXPECT_NE(err_.str().find("setting = [\"processing."), std::string::npos) << err_.str();
}

TEST_F(OptionsTest, HelpAndVersionAreCommandsToo) {
  EXPECT_EQ(Parse({"version"}).exit_code, 0);
  EXPECT_NE(out_.str().find("weir 0."), std::string::npos);
  EXPECT_EQ(Parse({"help"}).exit_code, 0);
  EXPECT_NE(out_.str().find("--until-end"), std::string::npos);
  EXPECT_EQ(Parse({"help", "load"}).exit_code, 0);
  EXPECT_NE(out_.str().find("--key-format"), std::string::npos);
  const ParsedCommandLine line = Parse({"help", "group", "by"});
  EXPECT_EQ(line.options.command, ProgramCommand::kHelp);
  EXPECT_EQ(line.options.help_topic, "group by");
}

TEST_F(OptionsTest, WhatIsNoStoreDoesNotBecomeOne) {
  const std::string file = ::testing::TempDir() + "weir_options_test.sql";
  std::ofstream(file) << "SELECT 1;\n";
  for (const auto& [argument, hint] :
       std::vector<std::pair<std::string, std::string>>{{"SELECT 1;", "weir -c \"SELECT 1;\""},
                                                        {"show streams", "weir -c"},
                                                        {"rnu", "did you mean run?"},
                                                        {"tset", "did you mean test?"},
                                                        {file, "weir run " + file}}) {
    err_.str("");
    EXPECT_EQ(Parse({argument.c_str()}).exit_code, 2) << argument;
    EXPECT_NE(err_.str().find(hint), std::string::npos) << err_.str();
  }
  EXPECT_EQ(Parse({"-d", "rnu"}).options.directory, "rnu");
  EXPECT_EQ(Parse({"rides"}).options.directory, "rides");
  EXPECT_EQ(Parse({"my data"}).options.directory, "my data");
}

TEST_F(OptionsTest, TestTakesFilesAndFlags) {
  const ParsedCommandLine line = Parse({"test", "--dump", "--batch-rows", "7", "a.json"});
  EXPECT_EQ(line.options.command, ProgramCommand::kTest);
  EXPECT_TRUE(line.options.test.dump);
  EXPECT_EQ(line.options.test.batch_rows, 7);
  EXPECT_EQ(line.options.files, std::vector<std::string>{"a.json"});
}

TEST(PromptArgumentsTest, AreTheSameAsOnTheCommandLine) {
  const auto load = ParseLoadArguments({"t", "f.csv", "--key", "a"});
  ASSERT_TRUE(load.ok());
  EXPECT_EQ(load->key[0].column, "a");
  const auto print = ParsePrintArguments({"t", "--from-beginning", "--limit", "3"});
  ASSERT_TRUE(print.ok());
  EXPECT_TRUE(print->from_beginning);
  EXPECT_EQ(print->limit, 3);
  EXPECT_EQ(ParsePrintArguments({"t", "--what"}).status().code(), ErrorCode::kUsage);
}

}  // namespace
}  // namespace weir::shell

#include "shell/prompt/completion.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace weir::shell {
namespace {

using Texts = std::vector<std::string>;

CompletionNames SomeNames() {
  CompletionNames names;
  names.sources = {{"RIDES", {"ID", "VENDOR", "AMOUNT", "pickUp"}}, {"ZONES", {"ID", "NAME"}}};
  names.list = [](NameList list) -> Texts {
    switch (list) {
      case NameList::kTopics: return {"rides", "taxi.rides"};
      case NameList::kFunctions: return {"COUNT", "CONCAT", "UCASE"};
      case NameList::kQueries: return {"CTAS_PER_VENDOR"};
      case NameList::kSettings: return {"commit.interval.ms", "memory.limit"};
    }
    return {};
  };
  names.files = [](std::string_view begin) -> Texts {
    Texts files;
    for (const char* file : {"data/", "rides.csv", "run.sql"}) {
      if (std::string_view(file).starts_with(begin)) files.emplace_back(file);
    }
    return files;
  };
  return names;
}

/// What is offered at the bar in `text`; lines before the last are those before.
Texts Offered(std::string text) {
  const size_t break_at = text.rfind('\n');
  const std::string before = break_at == std::string::npos ? "" : text.substr(0, break_at + 1);
  std::string line = text.substr(before.size());
  const size_t cursor = line.find('|');
  line.erase(cursor, 1);
  Texts texts;
  for (const Candidate& candidate : Complete(before, line, cursor, SomeNames()).candidates) {
    texts.push_back(candidate.text);
  }
  return texts;
}

bool Has(const Texts& texts, const std::string& text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

TEST(CompletionTest, OffersStatementsAndTheirWords) {
  EXPECT_EQ(Offered("SEL|"), Texts{"SELECT"});
  EXPECT_EQ(Offered("sel|"), Texts{"select"});
  EXPECT_EQ(Offered("he|"), Texts{"help"});
  EXPECT_EQ(Offered("CREATE ST|"), Texts{"STREAM"});
  EXPECT_EQ(Offered("SHOW QU|"), Texts{"QUERIES"});
  EXPECT_EQ(Offered("SELECT 1; DROP TA|"), Texts{"TABLE"});
}

TEST(CompletionTest, OffersTablesWhereTheyStand) {
  EXPECT_EQ(Offered("SELECT * FROM |"), (Texts{"RIDES", "ZONES"}));
  EXPECT_EQ(Offered("select * from r|"), Texts{"rides"});
  EXPECT_EQ(Offered("SELECT * FROM rides r JOIN z|"), Texts{"zones"});
  EXPECT_EQ(Offered("SELECT *\n  FROM |"), (Texts{"RIDES", "ZONES"}));
  EXPECT_EQ(Offered("INSERT INTO |"), (Texts{"RIDES", "ZONES"}));
  EXPECT_EQ(Offered("DROP TABLE z|"), Texts{"zones"});
  EXPECT_TRUE(Has(Offered("DESCRIBE |"), "ZONES"));
}

TEST(CompletionTest, OffersColumnsOfTheTablesThatAreNamed) {
  EXPECT_EQ(Offered("SELECT n| FROM zones"), (Texts{"name", "not", "null"}));
  EXPECT_TRUE(Has(Offered("SELECT * FROM rides WHERE v|"), "vendor"));
  EXPECT_FALSE(Has(Offered("SELECT * FROM rides WHERE N|"), "NAME"));
  EXPECT_TRUE(Has(Offered("SELECT AM|"), "AMOUNT"));
  EXPECT_EQ(Offered("SELECT r.| FROM rides r JOIN zones AS z ON r.id = z.id"),
            (Texts{"AMOUNT", "ID", "VENDOR", "`pickUp`"}));
  EXPECT_EQ(Offered("SELECT * FROM rides r JOIN zones AS z ON z.|"), (Texts{"ID", "NAME"}));
  EXPECT_EQ(Offered("SELECT * FROM rides GROUP BY `p|"), Texts{"`pickUp`"});
  EXPECT_EQ(Offered("INSERT INTO zones (|"), (Texts{"ID", "NAME"}));
}

TEST(CompletionTest, OffersFunctionsWithTheirBracket) {
  const Completion found = Complete("", "SELECT uc", 9, SomeNames());
  EXPECT_EQ(found.begin, 7u);
  EXPECT_EQ(found.candidates, (std::vector<Candidate>{{"ucase", "("}}));
  EXPECT_EQ(Offered("DESCRIBE FUNCTION U|"), Texts{"UCASE"});
}

TEST(CompletionTest, OffersClausesAndWhatFollowsThem) {
  EXPECT_TRUE(Has(Offered("SELECT * FROM rides WH|"), "WHERE"));
  EXPECT_EQ(Offered("SELECT * FROM rides EMIT |"), (Texts{"CHANGES", "FINAL"}));
  EXPECT_EQ(Offered("SELECT * FROM rides group |"), Texts{"BY"});
  EXPECT_TRUE(Has(Offered("SELECT * FROM rides WINDOW |"), "TUMBLING ("));
  EXPECT_EQ(Offered("SELECT CAST(id AS bi|"), Texts{"bigint"});
}

TEST(CompletionTest, OffersPropertiesAndTheirValues) {
  EXPECT_EQ(Offered("CREATE STREAM s (a INT) WITH (KAFKA_|"), Texts{"KAFKA_TOPIC"});
  EXPECT_EQ(Offered("CREATE STREAM s (a INT) WITH (KAFKA_TOPIC='t|"), Texts{"taxi.rides"});
  EXPECT_TRUE(Has(Offered("CREATE STREAM s WITH (KAFKA_TOPIC='t', VALUE_FORMAT='|"), "JSON"));
  EXPECT_EQ(Offered("CREATE STREAM s (a dou|"), Texts{"double"});
  EXPECT_EQ(Offered("CREATE STREAM s WITH (CONNECTOR='d|"), Texts{"datagen"});
  EXPECT_EQ(Offered("CREATE STREAM s WITH (CONNECTOR='file', FO|"), (Texts{"FOLLOW", "FORMAT"}));
  EXPECT_EQ(Offered("CREATE STREAM s WITH (SE|, CONNECTOR='datagen')"), Texts{"SEED"});
}

TEST(CompletionTest, OffersFilesInQuotes) {
  EXPECT_EQ(Offered("CREATE STREAM s WITH (CONNECTOR='file', PATH='r|"),
            (Texts{"rides.csv", "run.sql"}));
  const Completion script = Complete("", "RUN SCRIPT 'run", 15, SomeNames());
  EXPECT_EQ(script.candidates, (std::vector<Candidate>{{"run.sql", "'"}}));
  EXPECT_EQ(Offered("RUN SCRIPT 'd|"), Texts{"data/"});
  EXPECT_EQ(Offered(".read r|"), (Texts{"rides.csv", "run.sql"}));
  EXPECT_EQ(Offered("load rides ri|"), Texts{"rides.csv"});
}

TEST(CompletionTest, OffersTopicsQueriesAndSettings) {
  EXPECT_EQ(Offered("PRINT t|"), Texts{"'taxi.rides'"});
  EXPECT_EQ(Offered("PRINT 'taxi|"), Texts{"taxi.rides"});
  EXPECT_EQ(Offered("TERMINATE ct|"), Texts{"ctas_per_vendor"});
  EXPECT_EQ(Offered("SET 'mem|"), Texts{"memory.limit"});
}

TEST(CompletionTest, OffersCommandsAndTheirArguments) {
  EXPECT_EQ(Offered(".ta|"), Texts{".tables"});
  EXPECT_EQ(Offered("\\d|"), (Texts{"\\d", "\\df", "\\dt"}));
  EXPECT_EQ(Offered(".mode v|"), Texts{"vertical"});
  EXPECT_EQ(Offered(".schema z|"), Texts{"zones"});
  EXPECT_EQ(Offered("help group|"), Texts{"group by"});
  EXPECT_EQ(Offered(".dump |"), Texts{});
}

TEST(CompletionTest, OffersNothingInCommentsAndTexts) {
  EXPECT_EQ(Offered("SELECT 'SEL|"), Texts{});
  EXPECT_EQ(Offered("CREATE STREAM new|"), Texts{});
}

TEST(CompletionTest, FindsWhatAllBeginWith) {
  EXPECT_EQ(CommonPrefix({{"STREAM", ""}, {"STREAMS", ""}, {"STRING", ""}}), "STR");
  EXPECT_EQ(CommonPrefix({{"aé", ""}, {"aè", ""}}), "a");
  EXPECT_EQ(CommonPrefix({}), "");
}

TEST(CompletionTest, ShowsCandidatesInColumns) {
  EXPECT_EQ(CandidateColumns({{"aa", ""}, {"b", ""}, {"c", ""}}, 10, 5), "aa  c\nb\n");
  EXPECT_EQ(CandidateColumns({{"a", ""}, {"b", ""}, {"c", ""}}, 1, 2), "a\nb\n… 1 more\n");
  EXPECT_EQ(CandidateColumns({{"\x1b[0m", ""}}, 80, 5), "\\x1b[0m\n");
}

TEST(CompletionTest, ListsFilesOfADirectory) {
  const std::string directory = ::testing::TempDir() + "weir_completion_test/";
  std::filesystem::create_directories(directory + "sub");
  std::ofstream(directory + "some.csv") << "a\n";
  std::ofstream(directory + ".hidden") << "a\n";
  EXPECT_EQ(FilesThatBegin(directory + "s"), (Texts{directory + "some.csv", directory + "sub/"}));
  EXPECT_EQ(FilesThatBegin(directory + "no/such"), Texts{});
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace weir::shell

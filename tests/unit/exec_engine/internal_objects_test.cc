// Names of groups and internal topics, as queries are found again by them.

#include "exec/engine/internal_objects.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(InternalObjects, GroupsNameTheirQuery) {
  EXPECT_EQ(QueryOfGroup("rides", "rides-CTAS_A-0"), "CTAS_A");
  EXPECT_EQ(QueryOfGroup("rides", "rides-CSAS_my-stream-12"), "CSAS_my-stream");
  EXPECT_EQ(QueryOfGroup("rides", "rides-MY_ID-0"), "MY_ID");
  EXPECT_EQ(QueryOfGroup("rides", "rides-CTAS_A"), std::nullopt);
  EXPECT_EQ(QueryOfGroup("rides", "rides-CTAS_A-x"), std::nullopt);
  EXPECT_EQ(QueryOfGroup("rides", "rides-0"), std::nullopt);
  EXPECT_EQ(QueryOfGroup("rides", "ridesCTAS_A-0"), std::nullopt);
  EXPECT_EQ(QueryOfGroup("rides", "other-CTAS_A-0"), std::nullopt);
}

TEST(InternalObjects, AnApplicationWhoseNameBeginsTheSameIsAnother) {
  EXPECT_EQ(QueryOfGroup("rides", "rides-2-CTAS_A-0"), std::nullopt);
  EXPECT_EQ(QueryOfGroup("rides-2", "rides-2-CTAS_A-0"), "CTAS_A");
  EXPECT_EQ(QueryOfInternalTopic("rides", "rides-2-CTAS_A-0-changelog"), std::nullopt);
}

TEST(InternalObjects, TopicsNameTheirQuery) {
  EXPECT_EQ(QueryOfInternalTopic("rides", "rides-CTAS_A-1-changelog"), "CTAS_A");
  EXPECT_EQ(QueryOfInternalTopic("rides", "rides-CTAS_A-0-repartition"), "CTAS_A");
  EXPECT_EQ(QueryOfInternalTopic("rides", "rides-CTAS_A-0"), std::nullopt);
  EXPECT_EQ(QueryOfInternalTopic("rides", "my-changelog"), std::nullopt);
}

}  // namespace
}  // namespace weir

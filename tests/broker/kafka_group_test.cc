// Copies of an application share partitions out by consumer groups: assignment, positions with
// notes, and what a copy that lost its partitions may no longer do.

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "tests/broker/support/kafka_copies.h"

namespace weir {
namespace {

using testing::Member;
using Texts = std::vector<std::string>;

class KafkaGroupTest : public testing::KafkaCopiesTest {};

std::string Get(Broker& broker, const std::string& key) {
  auto value = broker.state().Get(key);
  EXPECT_TRUE(value.ok()) << value.status().ToString();
  return value->value_or("nothing");
}

TEST_F(KafkaGroupTest, SharesPartitionsOut) {
  const std::string topic = MakeTopic(6);
  auto one = Open({}, "first:1000");
  auto two = Open({}, "second:2000");
  ASSERT_TRUE(one->shares_work());
  EXPECT_EQ(one->application_id(), application_);
  const std::string name = application_ + "-query-0";
  Member first = Join(*one, name, topic);
  ASSERT_TRUE(ServeUntil({&first}, [&] { return first.partitions.size() == 6; }));
  {
    Member second = Join(*two, name, topic);
    ASSERT_TRUE(ServeUntil({&first, &second}, [&] {
      return first.partitions.size() == 3 && second.partitions.size() == 3;
    }));
    for (const int32_t each : first.partitions) EXPECT_FALSE(second.partitions.contains(each));
    EXPECT_FALSE(first.lost);

    const auto members = one->DescribeGroup(name);
    ASSERT_TRUE(members.ok()) << members.status().ToString();
    ASSERT_EQ(members->size(), 2u);
    std::map<std::string, std::set<int32_t>> by_server;
    for (const GroupMember& member : *members) {
      EXPECT_EQ(member.client_id, "weir-" + application_ + "-query-0@" + member.server);
      by_server[member.server] = {member.partitions.begin(), member.partitions.end()};
    }
    EXPECT_EQ(by_server["first:1000"], first.partitions);
    EXPECT_EQ(by_server["second:2000"], second.partitions);
    EXPECT_EQ(one->DeleteGroup(name).code(), ErrorCode::kAlreadyExists);
  }
  // The second one has left, and need not be missed first.
  ASSERT_TRUE(ServeUntil({&first}, [&] { return first.partitions.size() == 6; }));
  EXPECT_FALSE(first.lost);

  EXPECT_EQ(*one->ListGroups(application_), Texts{name});
  first.group.reset();
  EXPECT_TRUE(one->DeleteGroup(name).ok());
  EXPECT_EQ(*one->ListGroups(application_), Texts{});
  EXPECT_TRUE(one->DescribeGroup(name)->empty());
}

TEST_F(KafkaGroupTest, CallsItsListener) {
  const std::string topic = MakeTopic(1);
  auto broker = Open();
  std::mutex mutex;
  std::condition_variable called;
  int calls = 0;
  auto joined =
      broker->JoinGroup({.name = application_ + "-q-0", .anchor_topic = topic, .listener = [&] {
                           std::lock_guard lock(mutex);
                           ++calls;
                           called.notify_all();
                         }});
  ASSERT_TRUE(joined.ok()) << joined.status().ToString();
  Member member(std::move(*joined));
  // Polled only when it called.
  int seen = 0;
  const auto deadline = Clock::now() + std::chrono::minutes(1);
  while (member.partitions.empty() && Clock::now() < deadline) {
    {
      std::unique_lock lock(mutex);
      if (!called.wait_until(lock, deadline, [&] { return calls != seen; })) break;
      seen = calls;
    }
    member.Serve();
  }
  EXPECT_EQ(member.partitions, std::set<int32_t>{0});
}

TEST_F(KafkaGroupTest, LeavesWhileAnAnswerIsDue) {
  const std::string topic = MakeTopic(4);
  auto broker = Open();
  const std::string name = application_ + "-q-0";
  Member first = Join(*broker, name, topic);
  ASSERT_TRUE(ServeUntil({&first}, [&] { return first.partitions.size() == 4; }));
  Member second = Join(*broker, name, topic);
  // The first is asked for partitions, and answers by leaving.
  std::optional<PartitionGroup::Change> asked;
  ASSERT_TRUE(ServeUntil({&second}, [&] {
    auto change = first.group->Poll();
    if (change.ok() && change->has_value()) asked = **change;
    return asked.has_value();
  }));
  EXPECT_EQ(asked->revoked.size(), 2u);
  first.group.reset();
  ASSERT_TRUE(ServeUntil({&second}, [&] { return second.partitions.size() == 4; }));
}

// The group does not wait for it until its session is over, nor do copies that join.
TEST_F(KafkaGroupTest, AMemberWithoutPartitionsLeaves) {
  const std::string topic = MakeTopic(1);
  auto broker = Open();
  const std::string name = application_ + "-q-0";
  Member busy = Join(*broker, name, topic);
  ASSERT_TRUE(ServeUntil({&busy}, [&] { return busy.partitions.size() == 1; }));
  // Only librdkafka's log tells when a member is told that it gets nothing.
  std::atomic<bool> told = false;
  auto other = Open({{"session.timeout.ms", "300000"}, {"debug", "cgrp"}}, "",
                    [&](int, std::string_view line) {
                      if (line.find("-> steady") != line.npos) told = true;
                    });
  Member idle = Join(*other, name, topic);
  ASSERT_TRUE(ServeUntil({&busy, &idle}, [&] { return told.load(); }));
  EXPECT_TRUE(idle.partitions.empty());
  EXPECT_EQ(broker->DescribeGroup(name)->size(), 2u);
  idle.group.reset();
  EXPECT_TRUE(ServeUntil({&busy}, [&] { return broker->DescribeGroup(name)->size() == 1; }));
}

TEST_F(KafkaGroupTest, KeepsPositionsWithNotes) {
  const std::string topic = MakeTopic(2);
  const std::string partner = MakeTopic(2);
  const std::string out = MakeTopic(1);
  auto broker = Open();
  const std::string name = application_ + "-q-0";
  Member member = Join(*broker, name, topic);
  ASSERT_TRUE(ServeUntil({&member}, [&] { return member.partitions.size() == 2; }));
  const auto before = member.group->Committed(topic, {0, 1});
  ASSERT_TRUE(before.ok()) << before.status().ToString();
  for (const auto& each : *before) EXPECT_FALSE(each.has_value());

  auto unit = broker->NewCommitUnit("q");
  const std::string note = "a note";
  EXPECT_EQ(unit->AddOffset(*member.group, {topic, 1, 7, std::string("a\0note", 6)}).code(),
            ErrorCode::kInternal);
  ASSERT_TRUE(unit->AddOffset(*member.group, {topic, 1, 7, note}).ok());
  ASSERT_TRUE(unit->AddOffset(*member.group, {partner, 0, 9, "partner"}).ok());
  RecordBatchBuilder last = Records({"last"});
  ASSERT_TRUE(unit->AppendLast(out, 0, last).ok());
  EXPECT_EQ(last.size(), 0);
  ASSERT_TRUE(Append(*unit, out, {"a", "b"}).ok());
  unit->Put("key", "value");
  ASSERT_TRUE(unit->PutWrittenOffset("written", out, 0).ok());
  const Status committed = unit->Commit();
  ASSERT_TRUE(committed.ok()) << committed.ToString();

  EXPECT_EQ(Values(out), (Texts{"a", "b", "last"}));
  EXPECT_EQ(Get(*broker, "key"), "value");
  EXPECT_EQ(Get(*broker, "written"), std::string("\3\0\0\0\0\0\0\0", 8));
  const auto own = member.group->Committed(topic, {1, 0});
  ASSERT_TRUE(own.ok()) << own.status().ToString();
  ASSERT_TRUE((*own)[0].has_value());
  EXPECT_FALSE((*own)[1].has_value());
  EXPECT_EQ((*own)[0]->next, 7);
  EXPECT_EQ((*own)[0]->metadata, note);
  const auto from_outside = broker->CommittedOffsets(name, partner, 2);
  ASSERT_TRUE(from_outside.ok()) << from_outside.status().ToString();
  ASSERT_TRUE((*from_outside)[0].has_value());
  EXPECT_FALSE((*from_outside)[1].has_value());
  EXPECT_EQ((*from_outside)[0]->next, 9);
  EXPECT_EQ((*from_outside)[0]->metadata, "partner");
}

TEST_F(KafkaGroupTest, ACopyThatWasTakenForDeadCommitsNothing) {
  const std::string topic = MakeTopic(2);
  const std::string out = MakeTopic(1);
  const std::map<std::string, std::string> impatient = {{"session.timeout.ms", "6000"},
                                                        {"max.poll.interval.ms", "6000"}};
  auto one = Open(impatient);
  auto two = Open(impatient);
  const std::string name = application_ + "-q-0";
  Member zombie = Join(*one, name, topic);
  ASSERT_TRUE(ServeUntil({&zombie}, [&] { return zombie.partitions.size() == 2; }));
  auto unit = one->NewCommitUnit("q");
  auto transaction = one->NewCommitUnit("t", Guarantee::kExactlyOnce);
  for (CommitUnit* each : {unit.get(), transaction.get()}) {
    ASSERT_TRUE(each->AddOffset(*zombie.group, {topic, 0, 7, ""}).ok());
    each->Put("key", "value");
  }
  Member heir = Join(*two, name, topic);
  ASSERT_TRUE(ServeUntil({&heir}, [&] { return heir.partitions.size() == 2; }));
  ASSERT_TRUE(Append(*transaction, out, {"lost"}).ok());

  EXPECT_EQ(unit->Commit().code(), ErrorCode::kTaskMigrated);
  EXPECT_EQ(unit->Commit().code(), ErrorCode::kTaskMigrated);
  EXPECT_EQ(transaction->Commit().code(), ErrorCode::kTaskMigrated);
  EXPECT_EQ(one->TransactionCountsOf("t").aborted, 1);
  EXPECT_EQ(Get(*one, "key"), "nothing");
  EXPECT_EQ(Values(out), Texts{});
  EXPECT_FALSE((*heir.group->Committed(topic, {0}))[0].has_value());

  // It learns of it, and comes back as another.
  ASSERT_TRUE(ServeUntil({&zombie, &heir}, [&] {
    return zombie.lost && zombie.partitions.size() == 1 && heir.partitions.size() == 1;
  }));
  const int32_t mine = *zombie.partitions.begin();
  unit = one->NewCommitUnit("q");
  ASSERT_TRUE(unit->AddOffset(*zombie.group, {topic, mine, 8, ""}).ok());
  const Status again = unit->Commit();
  EXPECT_TRUE(again.ok()) << again.ToString();
  unit = one->NewCommitUnit("q");
  ASSERT_TRUE(unit->AddOffset(*zombie.group, {topic, 1 - mine, 8, ""}).ok());
  EXPECT_EQ(unit->Commit().code(), ErrorCode::kTaskMigrated);
}

}  // namespace
}  // namespace weir

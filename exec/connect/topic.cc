#include "exec/connect/topic.h"

namespace weir {
namespace {

Status SharesNoWork(std::string_view what) {
  return Status(ErrorCode::kInternal,
                "only brokers that share work between processes have this: " + std::string(what));
}

}  // namespace

Status CommitUnit::AppendLast(std::string_view, int32_t, RecordBatchBuilder&) {
  return SharesNoWork("AppendLast");
}
Status CommitUnit::AddOffset(PartitionGroup&, GroupOffset) { return SharesNoWork("AddOffset"); }
Status CommitUnit::PutWrittenOffset(std::string_view, std::string_view, int32_t) {
  return SharesNoWork("PutWrittenOffset");
}

Result<std::unique_ptr<PartitionGroup>> Broker::JoinGroup(const GroupOptions&) {
  return SharesNoWork("JoinGroup");
}
Result<std::unique_ptr<CommitUnit>> Broker::NewStateUnit() { return SharesNoWork("NewStateUnit"); }
Status Broker::LoadState(const std::vector<StateEntry>&) { return SharesNoWork("LoadState"); }
Result<int32_t> Broker::CountPartitions(std::string_view) {
  return SharesNoWork("CountPartitions");
}
Result<int64_t> Broker::WriteEnd(std::string_view, int32_t) { return SharesNoWork("WriteEnd"); }
Status Broker::DeleteRecordsBefore(std::string_view,
                                   const std::vector<std::pair<int32_t, int64_t>>&) {
  return SharesNoWork("DeleteRecordsBefore");
}
Result<std::vector<std::optional<GroupOffset>>> Broker::CommittedOffsets(std::string_view,
                                                                         std::string_view,
                                                                         int32_t) {
  return SharesNoWork("CommittedOffsets");
}
Result<std::vector<GroupMember>> Broker::DescribeGroup(std::string_view) {
  return SharesNoWork("DescribeGroup");
}
Result<std::vector<std::string>> Broker::ListGroups(std::string_view) {
  return SharesNoWork("ListGroups");
}
Status Broker::DeleteGroup(std::string_view) { return SharesNoWork("DeleteGroup"); }

}  // namespace weir

#include "exec/connect/kafka/kafka_group.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>

#include "base/status_macros.h"
#include "exec/connect/kafka/kafka_admin.h"

namespace weir {
namespace {

using Clock = std::chrono::steady_clock;

/// How long Committed and a commit go on trying.
constexpr auto kCommittedMax = std::chrono::seconds(60);
constexpr auto kCommitMax = std::chrono::seconds(30);
constexpr auto kConfirmMax = std::chrono::seconds(10);
constexpr auto kLeaveMax = std::chrono::seconds(5);
/// For how long a topic may be unknown, as one is that was just made.
constexpr auto kMissingMax = std::chrono::seconds(5);
/// How often it is looked for at least.
constexpr auto kCheckEvery = std::chrono::seconds(20);
constexpr int kMetadataMs = 2000;
constexpr auto kRetryPause = std::chrono::milliseconds(20);

KafkaClient::Properties GroupProperties(const std::string& name, const BrokerOptions& options) {
  return {{"group.id", name},
          {"partition.assignment.strategy", "cooperative-sticky"},
          {"session.timeout.ms", std::to_string(KafkaSessionTimeout(options).count())},
          // A member learns of a rebalance by the answer to a heartbeat.
          {"heartbeat.interval.ms", "1000"},
          {"enable.auto.commit", "false"},
          {"auto.offset.reset", "error"},
          {"allow.auto.create.topics", "false"},
          // What is committed by a transaction counts when the transaction has ended.
          {"isolation.level", "read_committed"},
          {"reconnect.backoff.max.ms", "1000"}};
}

/// The group's own properties win over the user's where the sharing hangs on them.
BrokerOptions WithoutReaderProperties(BrokerOptions options) {
  for (const char* name : {"partition.assignment.strategy", "isolation.level"}) {
    options.kafka.erase(name);
  }
  return options;
}

/// The name in the client id: without the application id, which stands there already, and with the
/// address that other copies name us by.
std::string ClientName(const BrokerOptions& options, std::string_view group) {
  const std::string prefix = options.application_id + "-";
  if (!options.application_id.empty() && group.starts_with(prefix)) {
    group.remove_prefix(prefix.size());
  }
  std::string name(group);
  if (!options.application_server.empty()) name += "@" + options.application_server;
  return name;
}

void OnEvent(rd_kafka_t*, void* opaque) {
  auto* entry = static_cast<WakeList::Entry*>(opaque);
  std::lock_guard lock(entry->mutex);
  if (entry->listener) entry->listener();
}

std::vector<int32_t> NumbersOf(const rd_kafka_topic_partition_list_t& partitions) {
  std::vector<int32_t> numbers;
  for (int i = 0; i < partitions.cnt; ++i) numbers.push_back(partitions.elems[i].partition);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

/// The generation in librdkafka's own writing of group metadata, which begins with a magic and the
/// number; nothing where that is another version's.
std::optional<int32_t> GenerationOf(const rd_kafka_consumer_group_metadata_t& metadata) {
  constexpr std::string_view kMagic = "CGMDv2:";
  void* bytes = nullptr;
  size_t size = 0;
  const KafkaFault fault(rd_kafka_consumer_group_metadata_write(&metadata, &bytes, &size));
  if (fault != nullptr) return std::nullopt;
  std::optional<int32_t> generation;
  if (size >= kMagic.size() + sizeof(int32_t) &&
      std::memcmp(bytes, kMagic.data(), kMagic.size()) == 0) {
    int32_t number = 0;
    std::memcpy(&number, static_cast<const char*>(bytes) + kMagic.size(), sizeof number);
    generation = number;
  }
  rd_kafka_mem_free(nullptr, bytes);
  return generation;
}

/// The error of a request, or else the first of its partitions'.
rd_kafka_resp_err_t FirstError(rd_kafka_resp_err_t error,
                               const rd_kafka_topic_partition_list_t& partitions) {
  for (int i = 0; i < partitions.cnt && error == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
    error = partitions.elems[i].err;
  }
  return error;
}

constexpr const char* kJoins = "joins";
// Requests of Kafka's protocol whose answers make librdkafka join a group again, and the one by
// which it does so.
constexpr int16_t kMetadata = 3;
constexpr int16_t kOffsetCommit = 8;
constexpr int16_t kJoinGroup = 11;
constexpr int16_t kHeartbeat = 12;
// The answer to a request to join may have waited for us to go on; what follows it has not.
constexpr int16_t kSyncGroup = 14;

}  // namespace

// librdkafka joins again by itself when the group rebalances. Its main thread decides so when it
// takes the answer to a heartbeat; no event tells. A coordinator answers a connection's requests in
// order, and one to join only when all members have asked: a commit behind it is looked at when the
// group has a new generation already, is refused for bearing the old one, and costs librdkafka all
// its partitions, so that what they had brought is done again by another copy.
//
// So a commit holds `mutex` while it is handed over. Answers wait for it on the thread of their
// connection, before they reach the main thread; a round through the main thread then shows what
// those before have led to, and a second one that the commit is on its way.
struct JoinGate {
  std::mutex mutex;
  /// The main thread has decided to join, and has no answer yet.
  std::atomic<bool> deciding{false};
  /// A request to join is with the coordinator: known also where librdkafka words its log
  /// otherwise.
  std::atomic<bool> asked{false};
  std::atomic<std::thread::id> main_thread{};
  /// When the last request was made by whose answer the main thread knows what we are to the group.
  std::atomic<Clock::time_point> heard{Clock::time_point::min()};

  bool joining() const { return deciding || asked; }
};

namespace {

rd_kafka_resp_err_t ThreadStarted(rd_kafka_t*, rd_kafka_thread_type_t type, const char*,
                                  void* gate) {
  if (type == RD_KAFKA_THREAD_MAIN) {
    static_cast<JoinGate*>(gate)->main_thread = std::this_thread::get_id();
  }
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t RequestSent(rd_kafka_t*, int, const char*, int32_t, int16_t key, int16_t,
                                int32_t, size_t, void* gate) {
  if (key == kJoinGroup) static_cast<JoinGate*>(gate)->asked = true;
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

// Called on the connection's thread, and once more on the main thread, which must not wait here: a
// commit waits for it.
rd_kafka_resp_err_t AnswerReceived(rd_kafka_t*, int, const char*, int32_t, int16_t key, int16_t,
                                   int32_t, size_t, int64_t round_trip_us,
                                   rd_kafka_resp_err_t error, void* opaque) {
  auto* gate = static_cast<JoinGate*>(opaque);
  const bool on_main_thread = std::this_thread::get_id() == gate->main_thread.load();
  if ((key == kHeartbeat || key == kSyncGroup) && on_main_thread &&
      error == RD_KAFKA_RESP_ERR_NO_ERROR && round_trip_us >= 0) {
    gate->heard = Clock::now() - std::chrono::microseconds(round_trip_us);
  }
  if (key == kJoinGroup) gate->asked = false;
  const bool may_lead_to_join = key == kHeartbeat || key == kMetadata || key == kOffsetCommit;
  if (may_lead_to_join && !on_main_thread) {
    std::lock_guard lock(gate->mutex);
  }
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t WatchJoins(rd_kafka_t* handle, const rd_kafka_conf_t*, void* gate, char*,
                               size_t) {
  rd_kafka_interceptor_add_on_thread_start(handle, kJoins, &ThreadStarted, gate);
  rd_kafka_interceptor_add_on_request_sent(handle, kJoins, &RequestSent, gate);
  return rd_kafka_interceptor_add_on_response_received(handle, kJoins, &AnswerReceived, gate);
}

/// What librdkafka's debug log of groups says of a group's way: "… changed join state A -> B (…)",
/// written by the main thread before it acts on B.
bool IsOnItsWayToJoin(std::string_view change) {
  constexpr std::string_view kArrow = " -> ";
  const size_t arrow = change.rfind(kArrow);
  if (arrow == std::string_view::npos) return false;
  const std::string_view state = change.substr(arrow + kArrow.size());
  return state.starts_with("init") || state.starts_with("wait-join");
}

/// The user's list of librdkafka's debug contexts with that of groups.
std::string WithGroupLog(const std::map<std::string, std::string>& given) {
  const auto debug = given.find("debug");
  return debug == given.end() || debug->second.empty() ? "cgrp" : debug->second + ",cgrp";
}

}  // namespace

KafkaPartitions ToKafkaOffsets(const std::vector<GroupOffset>& offsets) {
  KafkaPartitions list(rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size())));
  for (const GroupOffset& offset : offsets) {
    rd_kafka_topic_partition_t* each =
        rd_kafka_topic_partition_list_add(list.get(), offset.topic.c_str(), offset.partition);
    each->offset = offset.next;
    if (offset.metadata.empty()) continue;
    // librdkafka frees it with the list.
    each->metadata = std::malloc(offset.metadata.size());
    std::memcpy(each->metadata, offset.metadata.data(), offset.metadata.size());
    each->metadata_size = offset.metadata.size();
  }
  return list;
}

KafkaGroup::KafkaGroup(const BrokerOptions& options, const GroupOptions& group)
    : options_(WithoutReaderProperties(options)),
      name_(group.name),
      wake_(std::make_shared<WakeList::Entry>()),
      gate_(std::make_shared<JoinGate>()) {
  wake_->listener = group.listener;
}

Result<std::unique_ptr<KafkaGroup>> KafkaGroup::Join(const BrokerOptions& options,
                                                     const GroupOptions& group) {
  std::unique_ptr<KafkaGroup> joined(new KafkaGroup(options, group));
  WEIR_RETURN_IF_ERROR(joined->Start(group.anchor_topic));
  return joined;
}

Status KafkaGroup::Start(const std::string& anchor_topic) {
  BrokerOptions options = options_;
  const bool debugs = !options.kafka["debug"].empty();
  options.kafka["debug"] = WithGroupLog(options_.kafka);
  auto watch = [gate = gate_, debugs](int level, const char* facility, const char* text) {
    constexpr int kDebug = 7;  // Of syslog.
    if (level < kDebug) return false;
    if (std::strcmp(facility, "CGRPJOINSTATE") == 0) gate->deciding = IsOnItsWayToJoin(text);
    return !debugs;
  };
  WEIR_ASSIGN_OR_RETURN(
      client_,
      KafkaClient::Make(
          RD_KAFKA_CONSUMER, options, ClientName(options_, name_), GroupProperties(name_, options_),
          [this](rd_kafka_conf_t* conf) {
            rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_ERROR);
            rd_kafka_conf_interceptor_add_on_new(conf, kJoins, &WatchJoins, gate_.get());
          },
          std::move(watch)));
  client_->Keep(gate_);
  rd_kafka_t* handle = client_->handle();
  rd_kafka_poll_set_consumer(handle);
  queue_.reset(rd_kafka_queue_get_consumer(handle));
  rd_kafka_queue_cb_event_enable(queue_.get(), &OnEvent, wake_.get());
  anchor_topic_ = anchor_topic;
  next_check_ = Clock::now() + kCheckEvery;
  KafkaPartitions topics(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(topics.get(), anchor_topic.c_str(), RD_KAFKA_PARTITION_UA);
  return FromKafka(rd_kafka_subscribe(handle, topics.get()),
                   "group " + name_ + " cannot be joined");
}

KafkaGroup::~KafkaGroup() {
  {
    std::lock_guard lock(wake_->mutex);
    wake_->listener = {};
  }
  if (client_ == nullptr) return;
  if (queue_ != nullptr) Leave();
  // Others may have seen before us that the topic is gone.
  if (queue_ != nullptr && !anchor_gone_) {
    next_check_ = {};
    static_cast<void>(CheckAnchor());
  }
  queue_.reset();
  // Up to 2.2, librdkafka aborts when it destroys a sticky consumer that has joined a group and
  // never got an assignment (its issue 4312). It also waits for ever for a consumer that could not
  // leave, or whose topic was deleted.
  const bool left = rd_kafka_consumer_closed(client_->handle()) != 0;
  if (!left || anchor_gone_ || (!told_ && rd_kafka_version() < 0x020300ff)) {
    KafkaClient::Abandon(std::move(client_));
  }
}

// librdkafka leaves only when every partition is given back, and asks for that by events. Of a
// member without partitions closing alone tells the group nothing (2.0): it would wait for us until
// our session's time-out, and so would copies that join. Giving up the subscription tells it; while
// the group rebalances, only after that.
void KafkaGroup::Leave() {
  rd_kafka_t* handle = client_->handle();
  rd_kafka_queue_cb_event_enable(queue_.get(), nullptr, nullptr);
  if (pending_ && pending_partitions_ != nullptr) static_cast<void>(Accept(*pending_));
  rd_kafka_unsubscribe(handle);
  const bool told = GiveBackUntil([this] { return MemberId().empty(); });
  const KafkaFault fault(rd_kafka_consumer_close_queue(handle, queue_.get()));
  const bool closed =
      fault == nullptr && GiveBackUntil([handle] { return rd_kafka_consumer_closed(handle) != 0; });
  if (!told || !closed) {
    Log(3, "group " + name_ + " was not left in time; it will miss us at its session time-out");
  }
}

bool KafkaGroup::GiveBackUntil(const std::function<bool()>& done) {
  constexpr int kLookAgainMs = 5;
  const auto deadline = Clock::now() + kLeaveMax;
  while (!done()) {
    if (Clock::now() > deadline) return false;
    const KafkaEvent event(rd_kafka_queue_poll(queue_.get(), kLookAgainMs));
    if (event == nullptr || rd_kafka_event_type(event.get()) != RD_KAFKA_EVENT_REBALANCE) continue;
    const auto* partitions = rd_kafka_event_topic_partition_list(event.get());
    if (rd_kafka_event_error(event.get()) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
      told_ = true;
      Assign(*partitions);
    } else {
      static_cast<void>(Unassign(*partitions));
    }
  }
  return true;
}

void KafkaGroup::Log(int level, const std::string& text) const {
  if (options_.log) options_.log(level, text);
}

std::string KafkaGroup::member_id() const { return MemberId(); }

std::string KafkaGroup::MemberId() const {
  char* id = rd_kafka_memberid(client_->handle());
  std::string text = id == nullptr ? "" : id;
  if (id != nullptr) rd_kafka_mem_free(client_->handle(), id);
  return text;
}

Result<std::optional<PartitionGroup::Change>> KafkaGroup::Poll() {
  if (pending_) return pending_;
  if (!missed_.empty()) {
    pending_ = Change{.assigned = {}, .revoked = std::move(missed_), .lost = true};
    missed_.clear();
    return pending_;
  }
  while (true) {
    const KafkaEvent event(rd_kafka_queue_poll(queue_.get(), 0));
    if (event == nullptr) {
      WEIR_RETURN_IF_ERROR(CheckAnchor());
      return std::optional<Change>();
    }
    switch (rd_kafka_event_type(event.get())) {
      case RD_KAFKA_EVENT_REBALANCE:
        pending_ = TakeRebalance(*event);
        if (pending_) return pending_;
        break;
      case RD_KAFKA_EVENT_ERROR: WEIR_RETURN_IF_ERROR(TakeError(*event)); break;
      default: break;  // A record fetched before its partition was paused.
    }
  }
}

// librdkafka may tell that it misses the topic, once, and then waits for it to come back.
Status KafkaGroup::CheckAnchor() {
  if (Clock::now() < next_check_) return OkStatus();
  using Topic = KafkaOwned<rd_kafka_topic_t, rd_kafka_topic_destroy>;
  using Metadata = KafkaOwned<const rd_kafka_metadata_t, rd_kafka_metadata_destroy>;
  const Topic topic(rd_kafka_topic_new(client_->handle(), anchor_topic_.c_str(), nullptr));
  const rd_kafka_metadata_t* found = nullptr;
  const rd_kafka_resp_err_t error =
      rd_kafka_metadata(client_->handle(), 0, topic.get(), &found, kMetadataMs);
  const Metadata metadata(found);
  next_check_ = Clock::now() + kCheckEvery;
  anchor_gone_ = error == RD_KAFKA_RESP_ERR_NO_ERROR && found->topic_cnt == 1 &&
                 found->topics[0].err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
  if (!anchor_gone_) return OkStatus();
  return Status(ErrorCode::kPartitionsChanged,
                "a topic was deleted while a query reads it: " + anchor_topic_)
      .WithHint("make the topic again and begin anew by weir reset, or drop the query");
}

Status KafkaGroup::TakeError(const rd_kafka_event_t& given) {
  auto* event = const_cast<rd_kafka_event_t*>(&given);
  const rd_kafka_resp_err_t error = rd_kafka_event_error(event);
  const char* detail = rd_kafka_event_error_string(event);
  const Status status = FromKafka(error, "group " + name_ + " cannot share the work out",
                                  detail == nullptr ? "" : detail);
  switch (error) {
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL:
    case RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT:
    case RD_KAFKA_RESP_ERR_GROUP_MAX_SIZE_REACHED: return status;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
      next_check_ = std::min(next_check_, Clock::now() + kMissingMax);
      Log(2, status.message());
      return OkStatus();
    default:
      // librdkafka goes on by itself; of partitions that are lost by it, a rebalance tells.
      Log(error == RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED ? 3 : 2, status.message());
      return OkStatus();
  }
}

std::optional<PartitionGroup::Change> KafkaGroup::TakeRebalance(rd_kafka_event_t& event) {
  const rd_kafka_topic_partition_list_t* partitions = rd_kafka_event_topic_partition_list(&event);
  const bool assigns = rd_kafka_event_error(&event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
  told_ |= assigns;
  if (partitions == nullptr || partitions->cnt == 0) {
    // Nothing changes for us, but the group waits for an answer.
    const KafkaPartitions none(rd_kafka_topic_partition_list_new(0));
    if (assigns) {
      Assign(*none);
    } else {
      static_cast<void>(Unassign(*none));
    }
    return std::nullopt;
  }
  pending_partitions_.reset(rd_kafka_topic_partition_list_copy(partitions));
  Change change;
  if (assigns) {
    change.assigned = NumbersOf(*partitions);
    std::string member = MemberId();
    const KafkaGroupMetadata metadata(rd_kafka_consumer_group_metadata(client_->handle()));
    generation_ = metadata == nullptr ? -1 : GenerationOf(*metadata).value_or(-1);
    std::lock_guard lock(mutex_);
    member_id_ = std::move(member);
    owned_.insert(change.assigned.begin(), change.assigned.end());
  } else {
    change.revoked = NumbersOf(*partitions);
    change.lost = rd_kafka_assignment_lost(client_->handle()) != 0;
  }
  return change;
}

Status KafkaGroup::Accept(const Change&) {
  if (!pending_) return Status(ErrorCode::kInternal, "group " + name_ + " asked for no change");
  const Change change = std::move(*pending_);
  pending_.reset();
  const KafkaPartitions partitions = std::move(pending_partitions_);
  if (!change.revoked.empty()) {
    std::lock_guard lock(mutex_);
    for (const int32_t number : change.revoked) owned_.erase(number);
  }
  if (partitions == nullptr) return OkStatus();  // librdkafka knows already.
  if (change.assigned.empty()) return Unassign(*partitions);
  Assign(*partitions);
  return OkStatus();
}

void KafkaGroup::Assign(const rd_kafka_topic_partition_list_t& given) {
  const KafkaPartitions partitions(rd_kafka_topic_partition_list_copy(&given));
  for (int i = 0; i < partitions->cnt; ++i) {
    partitions->elems[i].offset = RD_KAFKA_OFFSET_END;
  }
  rd_kafka_t* handle = client_->handle();
  const KafkaFault fault(rd_kafka_incremental_assign(handle, partitions.get()));
  if (fault != nullptr) {
    // The membership ended before we could take them. Nobody else will tell of these.
    Log(3,
        "group " + name_ + " took partitions back at once: " + rd_kafka_error_string(fault.get()));
    const std::vector<int32_t> numbers = NumbersOf(given);
    missed_.insert(missed_.end(), numbers.begin(), numbers.end());
    return;
  }
  if (partitions->cnt > 0) rd_kafka_pause_partitions(handle, partitions.get());
}

Status KafkaGroup::Unassign(const rd_kafka_topic_partition_list_t& partitions) {
  const KafkaFault fault(rd_kafka_incremental_unassign(client_->handle(), &partitions));
  if (fault == nullptr) return OkStatus();
  if (rd_kafka_error_is_fatal(fault.get())) {
    return FromKafka(rd_kafka_error_code(fault.get()), "group " + name_ + " has failed",
                     rd_kafka_error_string(fault.get()));
  }
  // They were lost meanwhile: they are not ours either way.
  Log(2, "group " + name_ +
             " had taken partitions back before: " + rd_kafka_error_string(fault.get()));
  return OkStatus();
}

Result<std::vector<std::optional<GroupOffset>>> KafkaGroup::Committed(
    std::string_view topic, const std::vector<int32_t>& partitions) {
  const std::string name(topic);
  const auto deadline = Clock::now() + kCommittedMax;
  while (true) {
    KafkaPartitions list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
    for (const int32_t partition : partitions) {
      rd_kafka_topic_partition_list_add(list.get(), name.c_str(), partition);
    }
    const rd_kafka_resp_err_t error =
        FirstError(rd_kafka_committed(client_->handle(), list.get(), kKafkaRequestMs), *list);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return ToGroupOffsets(*list);
    if (!IsGroupSettling(error) || Clock::now() > deadline) {
      return FromKafka(error,
                       "what group " + name_ + " committed of topic " + name + " cannot be read");
    }
    std::this_thread::sleep_for(kRetryPause);
  }
}

Status KafkaGroup::Migrated(const std::string& why) const {
  return Status(ErrorCode::kTaskMigrated,
                "another copy has taken over partitions of this one, " + why + ", group: " + name_);
}

// librdkafka answers with what it is to the group now. After the session was lost that is nobody,
// and the coordinator takes a nobody's offsets: so it is looked at here whether we are who we were.
Result<KafkaGroupMetadata> KafkaGroup::MetadataFor(const std::vector<GroupOffset>& offsets) {
  rd_kafka_t* handle = client_->handle();
  KafkaGroupMetadata metadata(rd_kafka_consumer_group_metadata(handle));
  if (metadata == nullptr) return Status(ErrorCode::kKafkaError, "no such group: " + name_);
  const std::string member = MemberId();
  if (rd_kafka_assignment_lost(handle) != 0) return Migrated("the session was lost");
  if (GenerationOf(*metadata).value_or(0) < 0) return Migrated("the generation is over");
  std::lock_guard lock(mutex_);
  if (member.empty() || member != member_id_) return Migrated("the membership has ended");
  for (const GroupOffset& offset : offsets) {
    if (owned_.contains(offset.partition)) continue;
    return Migrated("partition " + std::to_string(offset.partition) + " was given back");
  }
  return metadata;
}

Status KafkaGroup::ConfirmSince(Clock::time_point since) {
  if (since <= confirmed_.load()) return OkStatus();
  {
    std::lock_guard lock(mutex_);
    if (owned_.empty()) return OkStatus();  // Nothing is written in its name.
  }
  const auto deadline = Clock::now() + kConfirmMax;
  while (gate_->heard.load() <= since) {
    if (rd_kafka_assignment_lost(client_->handle()) != 0) return Migrated("the session was lost");
    if (Clock::now() > deadline) return Migrated("the group was not heard of in time");
    std::this_thread::sleep_for(kRetryPause);
  }
  // Asks the main thread, which has taken that answer in before.
  WEIR_ASSIGN_OR_RETURN(const KafkaGroupMetadata metadata, MetadataFor({}));
  confirmed_ = since;
  return OkStatus();
}

Result<std::optional<rd_kafka_resp_err_t>> KafkaGroup::CommitBetweenJoins(
    const std::vector<GroupOffset>& offsets, bool anyway) {
  rd_kafka_t* handle = client_->handle();
  const KafkaQueue answers(rd_kafka_queue_new(handle));
  {
    std::lock_guard lock(gate_->mutex);
    // Asks the main thread: the first round.
    WEIR_ASSIGN_OR_RETURN(const KafkaGroupMetadata metadata, MetadataFor(offsets));
    if (!anyway && gate_->joining()) return std::optional<rd_kafka_resp_err_t>();
    const KafkaPartitions list = ToKafkaOffsets(offsets);
    const rd_kafka_resp_err_t error =
        rd_kafka_commit_queue(handle, list.get(), answers.get(), nullptr, nullptr);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return std::optional(error);
    const KafkaGroupMetadata second_round(rd_kafka_consumer_group_metadata(handle));
  }
  // librdkafka gives up by itself in time, and says so.
  while (true) {
    const KafkaEvent event(rd_kafka_queue_poll(answers.get(), kKafkaRequestMs));
    if (event == nullptr) return std::optional(RD_KAFKA_RESP_ERR__TIMED_OUT);
    if (rd_kafka_event_type(event.get()) != RD_KAFKA_EVENT_OFFSET_COMMIT) continue;
    const auto* list = rd_kafka_event_topic_partition_list(event.get());
    const rd_kafka_resp_err_t error = rd_kafka_event_error(event.get());
    return std::optional(list == nullptr ? error : FirstError(error, *list));
  }
}

Status KafkaGroup::CommitOffsets(const std::vector<GroupOffset>& offsets) {
  const auto deadline = Clock::now() + kCommitMax;
  while (true) {
    WEIR_ASSIGN_OR_RETURN(const auto outcome, CommitBetweenJoins(offsets, Clock::now() > deadline));
    if (!outcome) {
      std::this_thread::sleep_for(kRetryPause);
      continue;
    }
    const rd_kafka_resp_err_t error = *outcome;
    switch (error) {
      case RD_KAFKA_RESP_ERR_NO_ERROR: return OkStatus();
      case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
      case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
      case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION: return Migrated(rd_kafka_err2str(error));
      case RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
        break;  // The others are being told of what is ours still.
      default:
        if (!IsGroupSettling(error)) {
          return FromKafka(error, "positions of group " + name_ + " cannot be committed");
        }
    }
    if (Clock::now() > deadline) {
      return FromKafka(error, "positions of group " + name_ + " cannot be committed");
    }
    std::this_thread::sleep_for(kRetryPause);
  }
}

}  // namespace weir

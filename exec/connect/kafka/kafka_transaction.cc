#include "exec/connect/kafka/kafka_transaction.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/status_macros.h"

namespace weir {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kCallMs = 5000;
constexpr auto kInitMax = std::chrono::seconds(60);
constexpr auto kOffsetsMax = std::chrono::seconds(30);
constexpr auto kAbortMax = std::chrono::seconds(30);
constexpr auto kPauseFirst = std::chrono::milliseconds(20);
constexpr auto kPauseLast = std::chrono::milliseconds(500);

bool IsTimeout(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR__TIMED_OUT || error == RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT;
}

/// Calls again, with growing pauses, as long as that may help and `go_on` agrees.
template <typename Call, typename GoOn>
KafkaFault Repeat(const Call& call, const GoOn& go_on) {
  auto pause = kPauseFirst;
  while (true) {
    KafkaFault fault(call());
    if (fault == nullptr || rd_kafka_error_is_fatal(fault.get()) ||
        rd_kafka_error_txn_requires_abort(fault.get())) {
      return fault;
    }
    const bool may_help =
        rd_kafka_error_is_retriable(fault.get()) || IsTimeout(rd_kafka_error_code(fault.get()));
    if (!may_help || !go_on()) return fault;
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, kPauseLast);
  }
}

bool IsMigration(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION ||
         error == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
         error == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
}

}  // namespace

Result<std::shared_ptr<KafkaTransactor>> KafkaTransactor::Make(
    const BrokerOptions& options, std::shared_ptr<KafkaTopics> topics,
    const std::string& transactional_id) {
  std::shared_ptr<KafkaTransactor> made(new KafkaTransactor(options, transactional_id));
  WEIR_RETURN_IF_ERROR(made->Start(std::move(topics)));
  return made;
}

Status KafkaTransactor::Start(std::shared_ptr<KafkaTopics> topics) {
  WEIR_ASSIGN_OR_RETURN(producer_, KafkaProducer::Make(options_, std::move(topics), id_));
  client_ = producer_->client();
  const auto deadline = Clock::now() + kInitMax;
  const KafkaFault fault =
      Repeat([&] { return rd_kafka_init_transactions(client_->handle(), kCallMs); },
             [&] { return Clock::now() < deadline; });
  if (fault == nullptr) return OkStatus();
  return FromKafka(rd_kafka_error_code(fault.get()), "no transactions can be made as " + id_,
                   rd_kafka_error_string(fault.get()));
}

void KafkaTransactor::Log(int level, const std::string& text) const {
  if (options_.log) options_.log(level, text);
}

Status KafkaTransactor::End(KafkaFault fault, std::string_view doing) {
  const rd_kafka_resp_err_t error = rd_kafka_error_code(fault.get());
  const std::string why =
      std::string(doing) + ": " + rd_kafka_error_string(fault.get()) + ", as " + id_;
  const bool fatal = rd_kafka_error_is_fatal(fault.get()) != 0;
  if (fatal) {
    dead_ = true;
    open_ = false;
    Status status = FromKafka(error, doing, rd_kafka_error_string(fault.get()));
    // Whatever ended the producer, its epoch is over; what it left open ends with the next one.
    return Status(ErrorCode::kFenced, status.message() + ", as " + id_);
  }
  Abort();
  return Status(IsMigration(error) ? ErrorCode::kTaskMigrated : ErrorCode::kTransactionAborted,
                why);
}

Status KafkaTransactor::Begin() {
  KafkaFault fault(rd_kafka_begin_transaction(client_->handle()));
  if (fault != nullptr) return End(std::move(fault), "a transaction cannot begin");
  open_ = true;
  return OkStatus();
}

Status KafkaTransactor::AddOffsets(KafkaGroup& group, const std::vector<GroupOffset>& offsets) {
  const KafkaPartitions list = ToKafkaOffsets(offsets);
  const auto deadline = Clock::now() + kOffsetsMax;
  Status migrated;
  KafkaFault fault = Repeat(
      [&]() -> rd_kafka_error_t* {
        auto metadata = group.MetadataFor(offsets);
        if (!metadata.ok()) {
          migrated = metadata.status();
          return nullptr;
        }
        return rd_kafka_send_offsets_to_transaction(client_->handle(), list.get(), metadata->get(),
                                                    kCallMs);
      },
      [&] { return Clock::now() < deadline && !closing_; });
  if (!migrated.ok()) {
    Abort();
    return migrated;
  }
  if (fault == nullptr) return OkStatus();
  return End(std::move(fault), "positions of group " + std::string(group.name()) +
                                   " cannot be committed by a transaction");
}

Status KafkaTransactor::Commit() {
  auto warned = Clock::now();
  KafkaFault fault =
      Repeat([&] { return rd_kafka_commit_transaction(client_->handle(), kCallMs); },
             [&] {
               if (Clock::now() - warned > std::chrono::seconds(30)) {
                 warned = Clock::now();
                 Log(3, "it is not known yet whether a transaction was committed, as " + id_);
               }
               return !closing_;
             });
  if (fault == nullptr) {
    open_ = false;
    return OkStatus();
  }
  if (closing_ && !rd_kafka_error_txn_requires_abort(fault.get())) {
    dead_ = true;
    open_ = false;
    return Status(ErrorCode::kClosed,
                  "closed while a transaction's commit was not answered, as " + id_);
  }
  return End(std::move(fault), "a transaction was not committed");
}

void KafkaTransactor::Abort() {
  if (!open_) return;
  open_ = false;
  const auto deadline = Clock::now() + kAbortMax;
  const KafkaFault fault =
      Repeat([&] { return rd_kafka_abort_transaction(client_->handle(), kCallMs); },
             [&] { return Clock::now() < deadline && !closing_; });
  if (fault == nullptr) return;
  dead_ = true;  // The next producer with this id ends it.
  Log(3, "a transaction could not be aborted: " + std::string(rd_kafka_error_string(fault.get())) +
             ", as " + id_);
}

bool KafkaTransactor::is_dead() {
  char why[256];
  return dead_ ||
         rd_kafka_fatal_error(client_->handle(), why, sizeof why) != RD_KAFKA_RESP_ERR_NO_ERROR;
}

void KafkaTransactor::Close() {
  closing_ = true;
  producer_->Close(0);
}

Result<std::shared_ptr<KafkaTransactor>> KafkaTransactions::Take(const std::string& query_id) {
  std::shared_ptr<KafkaTransactor> worn_out;
  {
    std::lock_guard lock(mutex_);
    if (closed_) return Status(ErrorCode::kClosed, "the connection to Kafka is closed");
    Entry& entry = entries_[query_id];
    if (entry.taken) return std::shared_ptr<KafkaTransactor>();
    entry.taken = true;
    if (entry.transactor != nullptr && !entry.transactor->is_dead()) return entry.transactor;
    worn_out = std::move(entry.transactor);
    entry.transactor = nullptr;
  }
  if (worn_out != nullptr) worn_out->Close();
  worn_out.reset();
  auto made = KafkaTransactor::Make(options_, topics_,
                                    options_.application_id + "-" + query_id + "-" + copy_id_);
  std::lock_guard lock(mutex_);
  Entry& entry = entries_[query_id];
  if (!made.ok()) {
    entry.taken = false;
    return made.status();
  }
  entry.transactor = *made;
  return made;
}

void KafkaTransactions::GiveBack(const std::string& query_id, bool committed) {
  std::lock_guard lock(mutex_);
  Entry& entry = entries_[query_id];
  entry.taken = false;
  (committed ? entry.counts.committed : entry.counts.aborted) += 1;
}

TransactionCounts KafkaTransactions::CountsOf(std::string_view query_id) {
  std::lock_guard lock(mutex_);
  const auto found = entries_.find(query_id);
  return found == entries_.end() ? TransactionCounts{} : found->second.counts;
}

void KafkaTransactions::Close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  for (auto& [query_id, entry] : entries_) {
    if (entry.transactor != nullptr) entry.transactor->Close();
  }
}

}  // namespace weir

#pragma once

// What the kill tests run: generated rides and payments that arrive in steps, and queries of every
// kind that keeps state over them. A step appends a batch of rides to one partition and their
// payments to the other, so that every key crosses an exchange.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "weir/engine.h"

namespace weir::fault {

inline constexpr int kPartitions = 2;
inline constexpr int kRidesPerStep = 40;
/// Of the payments of every such step one does not decode.
inline constexpr int kBadPaymentEvery = 5;
inline constexpr std::string_view kRidesTopic = "rides";
inline constexpr std::string_view kPaymentsTopic = "payments";
inline constexpr std::string_view kZonesTopic = "zones";

/// The records of step `step`, a pure function of the seed.
std::vector<Record> RidesOfStep(uint64_t seed, int step);
std::vector<Record> PaymentsOfStep(uint64_t seed, int step);
/// The zones whose key belongs into `partition`.
std::vector<Record> Zones(int partition);

/// CREATE statements of the sources, then those of the queries.
std::string_view SourceStatements();
std::string_view QueryStatements();

struct Output {
  std::string topic;
  bool is_table;  ///< Its result is the last value of each key; else the multiset of its records.
};
const std::vector<Output>& Outputs();

/// Records of a topic, or the table that they make, one line each, sorted.
std::vector<std::string> Canonical(const Output& output, const std::vector<std::string>& lines);

/// Oracles that owe nothing to the engine.
std::map<int, int64_t> RidesPerVendor(uint64_t seed, int steps);
int64_t PaidRides(uint64_t seed, int steps);
int64_t BadPayments(int steps);

}  // namespace weir::fault

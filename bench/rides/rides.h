#pragma once
// Made-up taxi rides: the 18 columns of the taxi commission's files, payments that belong to them,
// and the zones. Each record is a pure function of a seed and its index, so that benchmarks, tests
// and examples can make the same ones anywhere, in any order, without keeping files.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::bench {

inline constexpr uint64_t kDefaultSeed = 20200701;
inline constexpr int kZoneCount = 265;

/// Two million rides span five days; a pick-up lies less than a minute before its turn.
inline constexpr int64_t kFirstPickupMs = 1593561600000;  // 2020-07-01 00:00:00 UTC
inline constexpr int64_t kRideStepMs = 216;
inline constexpr int64_t kDisorderMs = 60 * 1000;

/// Payments come less than ten minutes after the pick-up.
inline constexpr int64_t kPaymentDelayMs = 10 * 60 * 1000;

/// Times are whole seconds. Money is in cents, distance in hundredths of a mile.
struct Ride {
  uint64_t ride_id;
  int64_t pickup_ms;
  int64_t dropoff_ms;
  int vendor_id;        // 1 or 2, one third and two thirds
  int passenger_count;  // 1 to 6
  int64_t trip_distance;
  int rate_code_id;
  char store_and_fwd_flag;
  int pickup_zone;   // 1 to kZoneCount, each pair of zones as likely as any other
  int dropoff_zone;  // 1 to kZoneCount
  int payment_type;  // 1 card, 2 cash
  int64_t fare_amount;
  int64_t extra;
  int64_t mta_tax;
  int64_t tip_amount;
  int64_t tolls_amount;
  int64_t improvement_surcharge;
  int64_t total_amount;  // the sum of the amounts; about one in nine is 40 dollars or more
  int64_t congestion_surcharge;
};

struct Payment {
  uint64_t ride_id;
  int64_t paid_ms;
  int64_t amount;
  int payment_type;
};

Ride MakeRide(uint64_t seed, uint64_t index);

/// The payment of a ride, absent for one ride in twenty.
std::optional<Payment> MakePayment(uint64_t seed, const Ride& ride);

/// One JSON object without a line break, columns in the order of the commission's files except that
/// the vendor comes third; some 390 bytes. With `with_id`, RIDE_ID comes first.
void AppendRideJson(const Ride& ride, bool with_id, std::string& out);

/// One CSV line without a line break, written as the commission does (".80" for 0.8).
void AppendRideCsv(const Ride& ride, std::string& out);

void AppendPaymentJson(const Payment& payment, std::string& out);

/// `number` is 1 to kZoneCount.
void AppendZoneJson(int number, std::string& out);
void AppendZoneCsv(int number, std::string& out);

inline constexpr std::string_view kRideCsvHeader =
    "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,RatecodeID,"
    "store_and_fwd_flag,PULocationID,DOLocationID,payment_type,fare_amount,extra,mta_tax,tip_"
    "amount,"
    "tolls_amount,improvement_surcharge,total_amount,congestion_surcharge";
inline constexpr std::string_view kZoneCsvHeader = "locationid,borough,zone,service_zone";

}  // namespace weir::bench

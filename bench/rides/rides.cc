#include "bench/rides/rides.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace weir::bench {
namespace {

/// SplitMix64 started from seed, index and a stream number: no state lives between records.
class RandomSource {
 public:
  RandomSource(uint64_t seed, uint64_t index, uint64_t stream)
      : state_(seed * 0x9E3779B97F4A7C15u ^ index * 0xD1B54A32D192ED03u ^ stream << 56) {}

  uint64_t Next() {
    uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
  }

  /// From 0 to bound - 1.
  int64_t Below(int64_t bound) {
    return static_cast<int64_t>((static_cast<unsigned __int128>(Next()) * bound) >> 64);
  }

  bool OneIn(int64_t n) { return Below(n) == 0; }

 private:
  uint64_t state_;
};

/// Short trips are common, long ones rare: the smallest of three draws, and now and then any.
int64_t DrawDistance(RandomSource& random) {
  if (random.OneIn(6)) return 200 + random.Below(2400);
  const int64_t a = random.Below(1200), b = random.Below(1200), c = random.Below(1200);
  return 30 + std::min({a, b, c});
}

constexpr std::string_view kBoroughs[] = {"Manhattan", "Brooklyn",      "Queens",
                                          "Bronx",     "Staten Island", "EWR"};

std::string_view BoroughOf(int zone) { return kBoroughs[zone % std::size(kBoroughs)]; }
std::string_view ServiceOf(int zone) { return zone % 4 == 0 ? "Yellow Zone" : "Boro Zone"; }

/// Civil time without a calendar library's cost: days are counted once per record.
void AppendTime(int64_t epoch_ms, std::string& out) {
  using namespace std::chrono;
  const sys_seconds time{seconds{epoch_ms / 1000}};
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  fmt::format_to(std::back_inserter(out), FMT_COMPILE("{:04}-{:02}-{:02} {:02}:{:02}:{:02}"),
                 static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                 static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(),
                 clock.seconds().count());
}

/// Hundredths as a decimal number without superfluous zeros: 930 is 9.3, 800 is 8.
void AppendHundredths(int64_t value, std::string& out) {
  auto to = std::back_inserter(out);
  if (value % 100 == 0) {
    fmt::format_to(to, FMT_COMPILE("{}"), value / 100);
  } else if (value % 10 == 0) {
    fmt::format_to(to, FMT_COMPILE("{}.{}"), value / 100, value / 10 % 10);
  } else {
    fmt::format_to(to, FMT_COMPILE("{}.{:02}"), value / 100, value % 100);
  }
}

/// As the commission writes distances: two digits, and no zero before the point.
void AppendDistanceCsv(int64_t value, std::string& out) {
  if (value >= 100) fmt::format_to(std::back_inserter(out), FMT_COMPILE("{}"), value / 100);
  fmt::format_to(std::back_inserter(out), FMT_COMPILE(".{:02}"), value % 100);
}

void AppendInteger(int64_t value, std::string& out) {
  fmt::format_to(std::back_inserter(out), FMT_COMPILE("{}"), value);
}

}  // namespace

Ride MakeRide(uint64_t seed, uint64_t index) {
  RandomSource random(seed, index, 1);
  Ride ride{};
  ride.ride_id = index;
  const int64_t turn_ms = kFirstPickupMs + static_cast<int64_t>(index) * kRideStepMs;
  ride.pickup_ms = std::max(kFirstPickupMs, turn_ms - random.Below(kDisorderMs)) / 1000 * 1000;
  ride.vendor_id = random.OneIn(3) ? 1 : 2;
  ride.passenger_count = random.OneIn(4) ? 1 + static_cast<int>(random.Below(6)) : 1;
  ride.trip_distance = DrawDistance(random);
  const int64_t minutes_hundredths = ride.trip_distance * (3 + random.Below(3));
  ride.dropoff_ms = ride.pickup_ms + (60 + minutes_hundredths * 60 / 100) * 1000;
  ride.rate_code_id = random.OneIn(40) ? 2 : 1;
  ride.store_and_fwd_flag = random.OneIn(100) ? 'Y' : 'N';
  ride.pickup_zone = 1 + static_cast<int>(random.Below(kZoneCount));
  ride.dropoff_zone = 1 + static_cast<int>(random.Below(kZoneCount));
  ride.payment_type = random.OneIn(3) ? 2 : 1;
  ride.fare_amount = 250 + ride.trip_distance * 280 / 100 / 50 * 50;
  ride.extra = random.Below(3) * 50;
  ride.mta_tax = 50;
  ride.tolls_amount = random.OneIn(20) ? 612 : 0;
  ride.improvement_surcharge = 30;
  ride.congestion_surcharge = random.OneIn(5) ? 0 : 250;
  ride.tip_amount = ride.payment_type == 1 ? ride.fare_amount * random.Below(26) / 100 : 0;
  ride.total_amount = ride.fare_amount + ride.extra + ride.mta_tax + ride.tip_amount +
                      ride.tolls_amount + ride.improvement_surcharge + ride.congestion_surcharge;
  return ride;
}

std::optional<Payment> MakePayment(uint64_t seed, const Ride& ride) {
  RandomSource random(seed, ride.ride_id, 2);
  if (random.OneIn(20)) return std::nullopt;
  return Payment{.ride_id = ride.ride_id,
                 .paid_ms = ride.pickup_ms + random.Below(kPaymentDelayMs) / 1000 * 1000,
                 .amount = ride.total_amount,
                 .payment_type = ride.payment_type};
}

void AppendRideJson(const Ride& ride, bool with_id, std::string& out) {
  auto to = std::back_inserter(out);
  out += '{';
  if (with_id) fmt::format_to(to, FMT_COMPILE("\"ride_id\":{},"), ride.ride_id);
  out += "\"tpep_pickup_datetime\":\"";
  AppendTime(ride.pickup_ms, out);
  out += "\",\"tpep_dropoff_datetime\":\"";
  AppendTime(ride.dropoff_ms, out);
  fmt::format_to(to, FMT_COMPILE("\",\"VendorID\":{},\"passenger_count\":{},\"trip_distance\":"),
                 ride.vendor_id, ride.passenger_count);
  AppendHundredths(ride.trip_distance, out);
  fmt::format_to(to,
                 FMT_COMPILE(",\"RatecodeID\":{},\"store_and_fwd_flag\":\"{}\",\"PULocationID\":{},"
                             "\"DOLocationID\":{},\"payment_type\":{}"),
                 ride.rate_code_id, ride.store_and_fwd_flag, ride.pickup_zone, ride.dropoff_zone,
                 ride.payment_type);
  const std::pair<std::string_view, int64_t> amounts[] = {
      {",\"fare_amount\":", ride.fare_amount},
      {",\"extra\":", ride.extra},
      {",\"mta_tax\":", ride.mta_tax},
      {",\"tip_amount\":", ride.tip_amount},
      {",\"tolls_amount\":", ride.tolls_amount},
      {",\"improvement_surcharge\":", ride.improvement_surcharge},
      {",\"total_amount\":", ride.total_amount},
      {",\"congestion_surcharge\":", ride.congestion_surcharge}};
  for (const auto& [name, value] : amounts) {
    out += name;
    AppendHundredths(value, out);
  }
  out += '}';
}

void AppendRideCsv(const Ride& ride, std::string& out) {
  auto to = std::back_inserter(out);
  AppendInteger(ride.vendor_id, out);
  out += ',';
  AppendTime(ride.pickup_ms, out);
  out += ',';
  AppendTime(ride.dropoff_ms, out);
  fmt::format_to(to, FMT_COMPILE(",{},"), ride.passenger_count);
  AppendDistanceCsv(ride.trip_distance, out);
  fmt::format_to(to, FMT_COMPILE(",{},{},{},{},{}"), ride.rate_code_id, ride.store_and_fwd_flag,
                 ride.pickup_zone, ride.dropoff_zone, ride.payment_type);
  for (int64_t amount :
       {ride.fare_amount, ride.extra, ride.mta_tax, ride.tip_amount, ride.tolls_amount,
        ride.improvement_surcharge, ride.total_amount, ride.congestion_surcharge}) {
    out += ',';
    AppendHundredths(amount, out);
  }
}

void AppendPaymentJson(const Payment& payment, std::string& out) {
  fmt::format_to(std::back_inserter(out), FMT_COMPILE("{{\"ride_id\":{},\"paid_at\":\""),
                 payment.ride_id);
  AppendTime(payment.paid_ms, out);
  fmt::format_to(std::back_inserter(out), FMT_COMPILE("\",\"method\":\"{}\",\"amount\":"),
                 payment.payment_type == 1 ? "card" : "cash");
  AppendHundredths(payment.amount, out);
  out += '}';
}

void AppendZoneJson(int number, std::string& out) {
  fmt::format_to(std::back_inserter(out),
                 FMT_COMPILE("{{\"locationid\":{0},\"borough\":\"{1}\",\"zone\":\"Zone {0:03}\","
                             "\"service_zone\":\"{2}\"}}"),
                 number, BoroughOf(number), ServiceOf(number));
}

void AppendZoneCsv(int number, std::string& out) {
  fmt::format_to(std::back_inserter(out), FMT_COMPILE("{0},\"{1}\",\"Zone {0:03}\",\"{2}\""),
                 number, BoroughOf(number), ServiceOf(number));
}

}  // namespace weir::bench

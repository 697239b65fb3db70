// The shortest use: an engine in memory, records appended, one query read to its end.

#include <weir/weir.h>

#include <iostream>

int main() {
  using namespace weir;
  Result<std::unique_ptr<Engine>> opened = Engine::Open({});
  if (!opened.ok()) {
    std::cerr << opened.status().ToString() << '\n';
    return 1;
  }
  Engine& engine = **opened;
  const auto created = engine.Execute(
      "CREATE STREAM rides (vendor INT, amount DOUBLE)"
      "  WITH (KAFKA_TOPIC='rides', VALUE_FORMAT='JSON', PARTITIONS=1);"
      "CREATE TABLE per_vendor AS SELECT vendor, COUNT(*) AS n, SUM(amount) AS amount"
      "  FROM rides GROUP BY vendor;");
  if (!created.ok()) {
    std::cerr << created.status().ToString() << '\n';
    return 1;
  }
  const Record rides[] = {{.value = R"({"vendor": 1, "amount": 9.5})"},
                          {.value = R"({"vendor": 2, "amount": 22.25})"},
                          {.value = R"({"vendor": 1, "amount": 27.5})"}};
  Status status = engine.Append("rides", rides);
  if (status.ok()) status = engine.RunUntilEnd(/*close_windows=*/false).status();
  if (!status.ok()) {
    std::cerr << status.ToString() << '\n';
    return 1;
  }
  auto rows = engine.Query("SELECT vendor, n, amount FROM per_vendor;");
  while (rows.ok() && !(*rows)->done()) {
    auto batch = (*rows)->Next(std::chrono::milliseconds(100));
    if (!batch.ok()) {
      std::cerr << batch.status().ToString() << '\n';
      return 1;
    }
    if (!batch->has_value()) continue;
    // Typed columns, without a copy.
    const auto vendors = (*batch)->column(0).values<int32_t>();
    const auto counts = (*batch)->column(1).values<int64_t>();
    const auto amounts = (*batch)->column(2).values<double>();
    for (size_t i = 0; i < vendors.size(); ++i) {
      std::cout << "vendor " << vendors[i] << ": " << counts[i] << " rides, " << amounts[i] << '\n';
    }
  }
  return rows.ok() && engine.Close().ok() ? 0 : 1;
}

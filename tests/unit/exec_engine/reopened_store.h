#pragma once

// A store in a directory of its own that is opened again and again, and what can be seen of it.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "exec/connect/topic.h"
#include "weir/engine.h"

namespace weir::test {

class ReopenedStore {
 public:
  ReopenedStore();
  ~ReopenedStore();
  ReopenedStore(const ReopenedStore&) = delete;
  ReopenedStore& operator=(const ReopenedStore&) = delete;

  /// A path beside the store; nothing is made there.
  std::string At(const std::string& name) const { return path_ + "/" + name; }
  void WriteFile(const std::string& name, std::string_view text) const;

  Engine& engine() { return *engine_; }
  /// Closes it and opens it again; fails the test if that fails.
  void Reopen(bool paused = false);
  void Close();
  /// The local broker of the closed store, to change it behind the engine's back.
  std::unique_ptr<Broker> OpenBroker() const;

  Status Try(std::string_view sql);
  /// Fails the test on an error.
  void Execute(std::string_view sql);
  void Append(const std::string& topic, const std::string& key, const std::string& value);
  /// Rows of a statement, each its values joined by " | ", sorted; or its error.
  std::vector<std::string> Rows(std::string_view sql);
  /// Waits until the queries have done all, then Rows.
  std::vector<std::string> Settled(std::string_view sql);
  std::string StateOf(std::string_view query_id);
  /// Lines logged as errors since the last opening.
  const std::vector<std::string>& errors() const { return errors_; }

 private:
  std::string path_;
  std::unique_ptr<Engine> engine_;
  std::vector<std::string> errors_;
};

}  // namespace weir::test

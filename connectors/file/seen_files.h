#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tidemill::connectors {

// The files that a source has handed out, by path (or base name), so that each is read once. Files
// older than the newest one by more than `max_age_us` are forgotten and never taken: Spark's rule,
// relative to the files and not to the wall clock. *Thread-compatible.*
class SeenFiles {
 public:
  SeenFiles(int64_t max_age_us, bool file_name_only)
      : max_age_us_(max_age_us), file_name_only_(file_name_only) {}

  bool IsNew(const std::string& path, int64_t mtime_us) const;
  void Add(const std::string& path, int64_t mtime_us);
  // Forgets what has become too old; called once after each epoch's files were added.
  void Purge();
  size_t size() const { return mtimes_.size(); }

  // Text: "<newest> <purged> <count>\n", then "<mtime> <length> <key>\n" for each file in key
  // order.
  std::string Encode() const;
  // Takes what Encode gave. Errors: INVALID_SOURCE_SNAPSHOT (kCorrupt).
  arrow::Status Decode(std::string_view text);

 private:
  std::string KeyOf(const std::string& path) const;

  const int64_t max_age_us_;
  const bool file_name_only_;
  std::unordered_map<std::string, int64_t> mtimes_;
  int64_t newest_us_ = 0;  // mtime of the newest file ever added
  int64_t purged_us_ = 0;  // files below are too old
};

}  // namespace tidemill::connectors

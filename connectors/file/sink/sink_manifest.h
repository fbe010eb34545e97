#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tidemill::connectors {

// One file that an epoch publishes; both names are relative to the sink's path. *Plain data.*
struct ManifestFile {
  std::string staged_name;
  std::string final_name;
  int64_t size = 0;
  int64_t rows = 0;
  uint64_t checksum = 0;  // Hash64 of the contents
};

// What makes an epoch's output visible: once the manifest is there, the files are published and
// their renames only have to be finished. *Plain data.*
struct SinkManifest {
  int64_t epoch = 0;
  uint64_t plan_hash = 0;
  uint64_t term = 0;
  uint64_t attempt = 0;
  std::vector<ManifestFile> files;
};

// Text, a line for each value, the last one a checksum of those before it.
std::string EncodeManifest(const SinkManifest& manifest);
// Errors: CORRUPT_SINK_MANIFEST (kCorrupt) with `path` and, where checksums differ, both.
arrow::Result<SinkManifest> DecodeManifest(std::string_view text, std::string_view path);

}  // namespace tidemill::connectors

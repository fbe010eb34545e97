#pragma once

#include <arrow/result.h>

#include <string>
#include <string_view>
#include <vector>

#include "common/fs/file_system.h"

namespace tidemill::connectors {

// Matches a whole name against a glob of one path component: `*`, `?`, `[a-z]`, `[!x]` or `[^x]`,
// `{ab,c*}`, `\` before a character that means itself.
bool MatchesGlob(std::string_view name, std::string_view pattern);
bool HasGlob(std::string_view path);

// Whether a file of this name is no input unless a path names it: `.x`, `_x` (but for `_k=v`),
// `x._COPYING_`.
bool IsHidden(std::string_view name);

struct ListingRules {
  std::string path;         // a directory, a file, or a glob of both
  std::string name_filter;  // glob on base names of files; "" for all
  bool is_recursive = false;
};

// Lists the input files of a source: regular files directly in the directories that the path names
// (below them too when recursive), and files that the path names itself. Names that begin with `_`
// (unless they hold a `=`) or `.`, or end in ._COPYING_, are not input; a wildcard does not match
// them. In no order. Errors: PATH_NOT_FOUND where a path without glob does not exist;
// UNSUPPORTED_PARTITIONS where a directory holds `key=value` directories and is not recursive.
arrow::Result<std::vector<FileInfo>> ListInputFiles(FileSystem* fs, const ListingRules& rules);

}  // namespace tidemill::connectors

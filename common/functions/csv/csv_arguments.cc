#include "common/functions/csv/csv_arguments.h"

#include <array>
#include <vector>

#include "common/functions/json/json_arguments.h"

namespace tidemill {

namespace {

constexpr auto kCommonOptions = std::to_array<std::string_view>(
    {"sep", "delimiter", "quote", "escape", "chartoescapequoteescaping", "comment", "nullvalue",
     "emptyvalue", "ignoreleadingwhitespace", "ignoretrailingwhitespace", "dateformat",
     "timestampformat", "timestampntzformat", "header"});

}  // namespace

arrow::Result<Options> CsvOptionsOf(std::string_view function, std::span<const ExprPtr> args,
                                    size_t index, std::span<const std::string_view> own) {
  std::vector<std::string_view> known(kCommonOptions.begin(), kCommonOptions.end());
  known.insert(known.end(), own.begin(), own.end());
  ARROW_ASSIGN_OR_RAISE(const FormatOptions given, OptionsOf(function, args, index, known));
  Options options;
  for (const auto& [key, value] : given) options.Set(key, value);
  return options;
}

arrow::Result<std::shared_ptr<const TimeZone>> ZoneOption(const Options& options) {
  const auto name = options.Find("timeZone");
  if (!name) return nullptr;
  return FindTimeZone(*name);
}

bool IsCsvComment(std::string_view text, char comment) {
  return comment != '\0' && !text.empty() && text.front() == comment;
}

void AddCsvFunctions(FunctionCatalog* catalog) {
  AddFromCsvFunctions(catalog);
  AddCsvTextFunctions(catalog);
}

}  // namespace tidemill

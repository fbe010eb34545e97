#include "driver/spec/script/script_catalog.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/types/ddl.h"
#include "driver/spec/job_values.h"
#include "driver/spec/script/name_pattern.h"
#include "driver/sql/parser.h"
#include "driver/sql/query_tables.h"
#include "driver/sql/token_cursor.h"

namespace tidemill::driver {

namespace {

using sql::EqualsIgnoreCase;

// An error in a piece of the script that begins at `offset`, with its span in the script.
arrow::Status MoveSpan(const arrow::Status& status, int32_t offset) {
  const ErrorDetail* detail = DetailOf(status);
  if (detail == nullptr || !detail->span) return status;
  return MakeError(KindOf(status), ErrorClassOf(status), status.message(),
                   {detail->span->begin + offset, detail->span->end + offset}, detail->hint);
}

// csv.`path` and the like: the format, or "" for another name.
std::string_view FormatOfPathName(std::string_view name) {
  for (const std::string_view format : {"csv", "json", "orc", "parquet", "text"}) {
    if (name.size() > format.size() + 1 && name[format.size()] == '.' &&
        EqualsIgnoreCase(name.substr(0, format.size()), format)) {
      return format;
    }
  }
  return "";
}

}  // namespace

// A text that is put together from pieces of the script and words between them.
class ScriptCatalog::ComposedText {
 public:
  // `span` of the script says where errors in the words that follow are shown.
  explicit ComposedText(Span span) : span_(span) {}

  void AddWords(std::string_view words) {
    pieces_.push_back({static_cast<int32_t>(text_.size()), span_.begin});
    text_ += words;
  }
  void AddScript(std::string_view slice, int32_t begin) {
    pieces_.push_back({static_cast<int32_t>(text_.size()), begin});
    text_ += slice;
  }

  void MoveTo(JobSpec* job) {
    job->query = std::move(text_);
    job->query_place = {span_, std::move(pieces_)};
  }

 private:
  Span span_;
  std::string text_;
  std::vector<TextPiece> pieces_;
};

std::string_view ScriptCatalog::TextAt(Span span) const {
  return text_.substr(static_cast<size_t>(span.begin), static_cast<size_t>(span.end - span.begin));
}

const SourceDecl* ScriptCatalog::FindTable(std::string_view name) const {
  for (const SourceDecl& table : tables_) {
    if (EqualsIgnoreCase(table.name, name)) return &table;
  }
  return nullptr;
}

std::optional<size_t> ScriptCatalog::FindView(std::string_view name, size_t visible) const {
  for (size_t i = visible; i > 0; --i) {
    if (EqualsIgnoreCase(views_[i - 1].name, name)) return i - 1;
  }
  return std::nullopt;
}

arrow::Status ScriptCatalog::CheckNew(const ScriptWord& name) const {
  const bool is_streaming =
      std::any_of(streaming_tables_.begin(), streaming_tables_.end(),
                  [&](const std::string& table) { return EqualsIgnoreCase(table, name.text); });
  if (!is_streaming && FindTable(name.text) == nullptr && !FindView(name.text, views_.size())) {
    return arrow::Status::OK();
  }
  return MakeError(ErrorKind::kInvalid, "TABLE_OR_VIEW_ALREADY_EXISTS",
                   fmt::format("Cannot create table or view {} because it already exists.",
                               QuoteIfNeeded(name.text)),
                   name.span, "choose a different name, or CREATE OR REPLACE a view of its kind");
}

arrow::Status ScriptCatalog::Add(const CreateTable& statement) {
  const SourceDecl* existing = FindTable(statement.name.text);
  if (existing != nullptr && statement.if_not_exists) return arrow::Status::OK();
  SourceDecl table;
  table.name = statement.name.text;
  table.place = {statement.name.span, {}};
  table.format = statement.format.text;
  if (statement.columns) {
    table.schema = statement.columns->text;
    table.schema_place = {statement.columns->span, {{0, statement.columns->span.begin}}};
  }
  for (const ScriptOption& option : statement.options) {
    if (EqualsIgnoreCase(option.key.text, "inferSchema") && !statement.columns) {
      table.infer_schema = EqualsIgnoreCase(option.value.text, "true");
      continue;
    }
    if (EqualsIgnoreCase(option.key.text, "path") && table.options.Has("path")) {
      return MakeError(ErrorKind::kInvalid, "DUPLICATE_OPTION",
                       fmt::format("the table has two paths: {}", table.name), option.key.span,
                       "LOCATION and the option path mean the same");
    }
    SetOption(option.key.text, option.value.text, table.format, directory_, &table.options);
  }
  if (existing != nullptr && statement.or_replace) {
    tables_[static_cast<size_t>(existing - tables_.data())] = std::move(table);
    return arrow::Status::OK();
  }
  ARROW_RETURN_NOT_OK(CheckNew(statement.name));
  tables_.push_back(std::move(table));
  table_is_view_.push_back(statement.is_view);
  return arrow::Status::OK();
}

arrow::Status ScriptCatalog::Add(const CreateView& statement) {
  const bool replaces =
      statement.or_replace && FindView(statement.name.text, views_.size()).has_value();
  if (!replaces) ARROW_RETURN_NOT_OK(CheckNew(statement.name));
  Needs needs;
  ARROW_RETURN_NOT_OK(Collect(statement.query, views_.size(), &needs));
  views_.push_back({statement.name.text, statement.columns, statement.query});
  return arrow::Status::OK();
}

arrow::Status ScriptCatalog::Add(const CreateStreamingTable& statement) {
  ARROW_RETURN_NOT_OK(CheckNew(statement.name));
  streaming_tables_.push_back(statement.name.text);
  return arrow::Status::OK();
}

arrow::Status ScriptCatalog::Collect(Span query, size_t visible, Needs* needs) const {
  const auto parsed = sql::ParseQuery(TextAt(query));
  if (!parsed.ok()) return MoveSpan(parsed.status(), query.begin);
  for (const sql::NamedTable& table : sql::TablesOf(**parsed)) {
    const Span span{query.begin + table.span.begin, query.begin + table.span.end};
    ARROW_RETURN_NOT_OK(AddUse({table.name, span, table.is_stream}, visible, needs));
  }
  return arrow::Status::OK();
}

arrow::Status ScriptCatalog::AddUse(Use use, size_t visible, Needs* needs) const {
  if (const auto view = FindView(use.name, visible)) {
    const auto place = std::lower_bound(needs->views.begin(), needs->views.end(), *view);
    if (place != needs->views.end() && *place == *view) return arrow::Status::OK();
    needs->views.insert(place, *view);
    return Collect(views_[*view].query, *view, needs);
  }
  for (const std::string& table : streaming_tables_) {
    if (!EqualsIgnoreCase(table, use.name)) continue;
    return MakeError(ErrorKind::kInvalid, "UNSUPPORTED_FEATURE.READ_STREAMING_TABLE",
                     fmt::format("a streaming table cannot be read in its own script: {}", table),
                     use.span, "declare its files or topic with CREATE TABLE in another script");
  }
  const auto is_same = [&](const Use& other) {
    return EqualsIgnoreCase(other.name, use.name) && other.is_stream == use.is_stream;
  };
  if (std::none_of(needs->tables.begin(), needs->tables.end(), is_same)) {
    needs->tables.push_back(std::move(use));
  }
  return arrow::Status::OK();
}

void ScriptCatalog::AddSources(const Needs& needs, JobSpec* job) const {
  for (const Use& use : needs.tables) {
    const SourceDecl* table = FindTable(use.name);
    SourceDecl source;
    if (table != nullptr) {
      source = *table;
    } else if (const std::string_view format = FormatOfPathName(use.name); !format.empty()) {
      source.name = use.name;
      source.format = format;
      source.infer_schema = format != "text";
      source.place = {use.span, {}};
      SetOption("path", use.name.substr(format.size() + 1), source.format, directory_,
                &source.options);
    } else {
      continue;  // The analyzer says so, where it stands in the query.
    }
    source.is_streaming = use.is_stream && !job->is_bounded;
    job->sources.push_back(std::move(source));
  }
}

arrow::Status ScriptCatalog::Resolve(Span span, JobSpec* job) const {
  Needs needs;
  ARROW_RETURN_NOT_OK(Collect(span, views_.size(), &needs));
  AddSources(needs, job);
  ComposedText text(span);
  const std::string closing = AddViews(needs.views, &text);
  text.AddScript(TextAt(span), span.begin);
  text.AddWords(closing);
  text.MoveTo(job);
  return arrow::Status::OK();
}

arrow::Status ScriptCatalog::ResolveName(const ScriptWord& name, JobSpec* job) const {
  Needs needs;
  ARROW_RETURN_NOT_OK(AddUse({name.text, name.span}, views_.size(), &needs));
  AddSources(needs, job);
  ComposedText text(name.span);
  const std::string closing = AddViews(needs.views, &text);
  text.AddWords("SELECT * FROM ");
  text.AddWords(QuoteIfNeeded(name.text) + closing);
  text.MoveTo(job);
  return arrow::Status::OK();
}

std::string ScriptCatalog::AddViews(const std::vector<size_t>& views, ComposedText* text) const {
  std::string closing;
  std::vector<std::string_view> names;  // of the WITH that is open
  for (const size_t index : views) {
    const View& view = views_[index];
    // A view that replaced one of its name hides it from here on.
    const bool is_replaced = std::any_of(names.begin(), names.end(), [&](std::string_view name) {
      return EqualsIgnoreCase(name, view.name);
    });
    std::string words = is_replaced ? " (WITH " : names.empty() ? "WITH " : ", ";
    if (is_replaced || names.empty()) closing += ")";
    if (is_replaced) names.clear();
    words += QuoteIfNeeded(view.name);
    for (size_t i = 0; i < view.columns.size(); ++i) {
      words += (i == 0 ? "(" : ", ") + QuoteIfNeeded(view.columns[i]);
    }
    text->AddWords(words + (view.columns.empty() ? " AS (" : ") AS ("));
    text->AddScript(TextAt(view.query), view.query.begin);
    text->AddWords(")");
    names.push_back(view.name);
  }
  if (!views.empty()) text->AddWords(" (");
  return closing;
}

std::vector<TablesStep::Table> ScriptCatalog::List(const std::string& pattern) const {
  std::vector<TablesStep::Table> found;
  const auto add = [&](const std::string& name, bool is_view) {
    const auto is_same = [&](const auto& table) { return EqualsIgnoreCase(table.name, name); };
    if (MatchesPattern(name, pattern) && std::none_of(found.begin(), found.end(), is_same)) {
      found.push_back({name, is_view});
    }
  };
  for (size_t i = 0; i < tables_.size(); ++i) add(tables_[i].name, table_is_view_[i]);
  for (const View& view : views_) add(view.name, true);
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return found;
}

}  // namespace tidemill::driver

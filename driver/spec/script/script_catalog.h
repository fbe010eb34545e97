#pragma once

#include <arrow/result.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "driver/spec/job_spec.h"
#include "driver/spec/script/script.h"
#include "driver/spec/script/statement.h"

namespace tidemill::driver {

// The tables and views that a script has declared so far, and what a query over them is on its own.
// Names are case-insensitive. `text` (the script) must outlive this. *Thread-compatible.*
class ScriptCatalog {
 public:
  ScriptCatalog(std::string_view text, std::string directory)
      : text_(text), directory_(std::move(directory)) {}

  // Errors: TABLE_OR_VIEW_ALREADY_EXISTS.
  arrow::Status Add(const CreateTable& statement);
  arrow::Status Add(const CreateView& statement);
  // Only its name, which the script's queries may not read.
  arrow::Status Add(const CreateStreamingTable& statement);

  // Sets query, query_place and sources of `job`: the query at `span`, before it the views that it
  // uses as common tables, and the tables that these read. A table is a stream where it is read as
  // STREAM t. Errors: those of sql::ParseQuery and of the tables, with spans in the script.
  arrow::Status Resolve(Span span, JobSpec* job) const;
  // The same for SELECT * from a table or view.
  arrow::Status ResolveName(const ScriptWord& name, JobSpec* job) const;

  // Those whose names match, in name order. `pattern`: * for any text, | between alternatives.
  std::vector<TablesStep::Table> List(const std::string& pattern) const;

 private:
  class ComposedText;
  struct View {
    std::string name;
    std::vector<std::string> columns;
    Span query;
  };
  struct Use {
    std::string name;
    Span span;
    bool is_stream = false;
  };
  // What a query is made of: indices into views_, ascending, and tables.
  struct Needs {
    std::vector<size_t> views;
    std::vector<Use> tables;
  };

  arrow::Status CheckNew(const ScriptWord& name) const;
  const SourceDecl* FindTable(std::string_view name) const;
  // The view that a name means to a query which sees the first `visible` views.
  std::optional<size_t> FindView(std::string_view name, size_t visible) const;
  arrow::Status Collect(Span query, size_t visible, Needs* needs) const;
  arrow::Status AddUse(Use use, size_t visible, Needs* needs) const;
  void AddSources(const Needs& needs, JobSpec* job) const;
  // Begins a query with views as common tables; returns what must stand behind it.
  std::string AddViews(const std::vector<size_t>& views, ComposedText* text) const;
  std::string_view TextAt(Span span) const;

  std::string_view text_;
  std::string directory_;
  std::vector<SourceDecl> tables_;
  std::vector<bool> table_is_view_;
  std::vector<View> views_;  // every one ever, oldest first; a name means its newest
  std::vector<std::string> streaming_tables_;
};

}  // namespace tidemill::driver

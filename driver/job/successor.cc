#include "driver/job/successor.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/types/ddl.h"
#include "proto/plan.pb.h"

namespace tidemill::driver {

namespace {

// Columns by their names: where they stand may change.
std::string TextOf(const proto::Expr& expr) {
  if (expr.kind() == proto::Expr::COLUMN) return expr.name();
  if (expr.kind() == proto::Expr::LITERAL) {
    return fmt::format("{} {}", expr.type(), expr.literal().ShortDebugString());
  }
  std::string text = expr.kind() == proto::Expr::CALL ? expr.name() + "(" : "lambda(";
  for (int i = 0; i < expr.args_size(); ++i) text += (i > 0 ? ", " : "") + TextOf(expr.args(i));
  return text + ")";
}

class ShapeWriter {
 public:
  explicit ShapeWriter(const proto::PhysicalPlan& plan) : plan_(plan) {}

  // What the state looks like: a line per stateful operator over a stream.
  arrow::Result<std::vector<std::string>> Write() {
    for (const proto::Stage& stage : plan_.stages()) {
      for (const proto::Operator& op : stage.operators()) {
        if (op.has_join() && op.join().is_symmetric()) {
          ARROW_RETURN_NOT_OK(AddJoin(stage, op.join()));
        }
        if (op.has_deduplicate() && !op.deduplicate().is_ephemeral()) {
          ARROW_RETURN_NOT_OK(AddDeduplicate(stage, op.deduplicate()));
        }
        if (op.has_global_limit()) {
          lines_.push_back(fmt::format("operator {}: limit", op.global_limit().operator_id()));
        }
        if (op.has_final_aggregate()) AddAggregate(stage, op.final_aggregate(), "");
        if (op.has_session_aggregate()) {
          AddAggregate(stage, op.session_aggregate().aggregate(), ", by sessions");
        }
      }
    }
    return std::move(lines_);
  }

 private:
  const proto::Stage* Producer(const proto::Stage& stage, int side) const {
    for (const proto::StageInput& input : stage.inputs()) {
      if (input.side() != side) continue;
      for (const proto::Stage& candidate : plan_.stages()) {
        if (candidate.id() == input.stage()) return &candidate;
      }
    }
    return nullptr;
  }

  // Of what a stage gives: the names of these columns.
  static arrow::Result<std::string> ColumnNames(
      const proto::Stage& stage, const google::protobuf::RepeatedField<int>& columns) {
    const std::string& ddl =
        stage.operators().empty() ? stage.input_schema() : stage.operators().rbegin()->schema();
    ARROW_ASSIGN_OR_RAISE(const auto schema, ParseDdlSchema(ddl));
    std::string names;
    for (const int column : columns) {
      if (column < 0 || column >= schema->num_fields()) continue;
      names += " " + schema->field(column)->name();
    }
    return names;
  }

  // The keys and calls as they are computed, in front of the exchange.
  void AddAggregate(const proto::Stage& stage, const proto::FinalAggregateOp& final,
                    std::string_view how) {
    if (final.is_ephemeral()) return;
    std::string line = fmt::format("operator {}: aggregation{}, keys", final.operator_id(), how);
    const proto::Stage* const producer = Producer(stage, 0);
    const bool has_partial = producer != nullptr && !producer->operators().empty() &&
                             producer->operators().rbegin()->has_partial_aggregate();
    if (has_partial) {
      for (const proto::Expr& key : producer->operators().rbegin()->partial_aggregate().keys()) {
        line += fmt::format(" {}: {}", TextOf(key), key.type());
      }
    } else {
      for (const std::string& type : final.key_types()) line += " " + type;
    }
    const auto& calls = has_partial
                            ? producer->operators().rbegin()->partial_aggregate().aggregates()
                            : final.aggregates();
    line += ", aggregates";
    for (const proto::Aggregate& call : calls) {
      line += fmt::format(" {}({}", call.function(), call.is_distinct() ? "DISTINCT " : "");
      for (const proto::Expr& arg : call.args()) {
        line += fmt::format("{}: {},", TextOf(arg), arg.type());
      }
      line += call.has_filter() ? fmt::format(" where {}): ", TextOf(call.filter())) : "): ";
      line += call.type();
    }
    if (final.ttl_us() > 0) line += ", with state.ttl";
    lines_.push_back(std::move(line));
  }

  arrow::Status AddDeduplicate(const proto::Stage& stage, const proto::DeduplicateOp& op) {
    std::string line = fmt::format("operator {}: deduplication{}, keys", op.operator_id(),
                                   op.has_delay_us() ? " within watermark" : "");
    if (const proto::Stage* producer = Producer(stage, 0)) {
      ARROW_ASSIGN_OR_RAISE(const std::string names, ColumnNames(*producer, op.key_columns()));
      line += names + " of";
    }
    for (const std::string& type : op.key_types()) line += " " + type;
    if (op.ttl_us() > 0) line += ", with state.ttl";
    lines_.push_back(std::move(line));
    return arrow::Status::OK();
  }

  // Both sides' rows are kept as they are, under their keys.
  arrow::Status AddJoin(const proto::Stage& stage, const proto::JoinOp& join) {
    std::string line = fmt::format("operator {}: {} join", join.operator_id(),
                                   proto::JoinOp::Type_Name(join.type()));
    for (int side = 0; side < 2; ++side) {
      const proto::JoinSide& of_side = side == 0 ? join.left() : join.right();
      line += ", keys";
      if (const proto::Stage* producer = Producer(stage, side)) {
        ARROW_ASSIGN_OR_RAISE(const std::string names, ColumnNames(*producer, of_side.keys()));
        line += names + " of";
      }
      for (const std::string& type : of_side.key_types()) line += " " + type;
      line += ", columns";
      for (const std::string& type : of_side.types()) line += " " + type;
    }
    lines_.push_back(std::move(line));
    return arrow::Status::OK();
  }

  const proto::PhysicalPlan& plan_;
  std::vector<std::string> lines_;
};

arrow::Status Incompatible(const std::string& what, const std::string& checkpoint,
                           const std::string& job) {
  return WithHint(MakeError(ErrorKind::kCorrupt, "CHECKPOINT_INCOMPATIBLE",
                            fmt::format("the query changed in a way that its checkpoint does not "
                                        "allow: {}: checkpoint={} job={}",
                                        what, checkpoint, job)),
                  "put the query back, or begin a new checkpoint");
}

template <class Map>
std::string PathOf(const Map& options) {
  const auto found = options.find("path");
  return found == options.end() ? "" : found->second;
}

arrow::Status CheckSources(const proto::PhysicalPlan& before, const proto::PhysicalPlan& after) {
  if (before.sources_size() != after.sources_size()) {
    return Incompatible("number of sources", fmt::format("{}", before.sources_size()),
                        fmt::format("{}", after.sources_size()));
  }
  for (int i = 0; i < before.sources_size(); ++i) {
    const proto::Source& was = before.sources(i);
    const proto::Source& is = after.sources(i);
    if (was.format() != is.format()) {
      return Incompatible(fmt::format("format of source {}", i + 1), was.format(), is.format());
    }
    const bool has_moved = PathOf(was.options()) != PathOf(is.options());
    if (has_moved && (was.is_streaming() || is.is_streaming())) {
      return Incompatible(fmt::format("path of source {}", i + 1), PathOf(was.options()),
                          PathOf(is.options()));
    }
  }
  return arrow::Status::OK();
}

// A file sink goes on with the files that it has, all of them.
arrow::Status CheckSink(const proto::Sink& before, const proto::Sink& after) {
  const std::string path = PathOf(after.options());
  if (path.empty()) return arrow::Status::OK();
  if (before.format() != after.format()) {
    return Incompatible("format of the sink", before.format(), after.format());
  }
  if (PathOf(before.options()) == path) return arrow::Status::OK();
  return Incompatible("path of the sink", PathOf(before.options()), path);
}

}  // namespace

arrow::Status CheckSuccessor(const proto::PhysicalPlan& before, const proto::PhysicalPlan& after) {
  ARROW_RETURN_NOT_OK(CheckSources(before, after));
  ARROW_ASSIGN_OR_RAISE(const auto old_shape, ShapeWriter(before).Write());
  ARROW_ASSIGN_OR_RAISE(const auto new_shape, ShapeWriter(after).Write());
  for (size_t i = 0; i < std::max(old_shape.size(), new_shape.size()); ++i) {
    const std::string was = i < old_shape.size() ? old_shape[i] : "none";
    const std::string is = i < new_shape.size() ? new_shape[i] : "none";
    if (was != is) return Incompatible("state", was, is);
  }
  if (!new_shape.empty() && before.output_mode() != after.output_mode()) {
    return Incompatible("output mode", proto::OutputMode_Name(before.output_mode()),
                        proto::OutputMode_Name(after.output_mode()));
  }
  return CheckSink(before.sink(), after.sink());
}

}  // namespace tidemill::driver

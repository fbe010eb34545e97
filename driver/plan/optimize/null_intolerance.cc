#include "driver/plan/optimize/null_intolerance.h"

#include <string>
#include <string_view>

namespace tidemill::driver {

namespace {

// Asked of Spark 4.3, function by function: from `f(a, b) IS NOT NULL` it infers that every
// argument is not NULL. Each name between blanks.
constexpr std::string_view kIntolerant =
    " ! != % & * + - / < << <= <> = == > >= >> >>> [] ^ abs acos acosh add_months array_contains"
    " array_distinct array_except array_intersect array_max array_min array_position"
    " array_remove array_union arrays_overlap ascii asin asinh atan atan2 atanh base64 bin"
    " bit_count bit_get bit_length bitmap_bit_position bitmap_bucket_number bitmap_count cast"
    " cbrt char char_length character_length chr contains conv convert_timezone cos cosh cot"
    " crc32 csc date_add date_diff date_format date_from_unix_date date_part date_sub dateadd"
    " datediff datepart day dayname dayofmonth dayofweek dayofyear degrees div element_at encode"
    " endswith exp expm1 extract factorial find_in_set flatten format_number from_base32"
    " from_csv from_json from_unixtime from_utc_timestamp get get_item getbit hex hmac hour"
    " hypot ilike initcap instr is_valid_utf8 jaro_winkler_similarity json_array_length"
    " json_object_keys last_day lcase left len length levenshtein like ln log log10 log1p log2"
    " lower lpad luhn_check make_date make_dt_interval make_interval make_timestamp"
    " make_timestamp_ltz make_timestamp_ntz make_valid_utf8 make_ym_interval map_contains_key"
    " map_entries map_from_arrays map_from_entries map_keys map_values md5 minute mod month"
    " monthname months_between negative next_day not octet_length overlay parse_url pmod"
    " positive pow power quarter quote radians regexp regexp_extract regexp_extract_all"
    " regexp_instr regexp_like regexp_replace repeat replace reverse rint rlike rpad sec second"
    " sha sha1 sha2 shiftleft shiftright shiftrightunsigned sign signum sin sinh slice"
    " sort_array soundex space split split_part sqrt startswith str_to_map substr substring"
    " substring_index tan tanh timestamp_micros timestamp_millis timestamp_seconds timestampadd"
    " timestampdiff to_base32 to_binary to_char to_csv to_json to_number to_utc_timestamp"
    " to_varchar translate try_add try_cast try_divide try_element_at try_make_interval"
    " try_make_timestamp try_make_timestamp_ltz try_make_timestamp_ntz try_mod try_multiply"
    " try_parse_url try_subtract try_to_binary try_to_number try_url_decode try_validate_utf8"
    " ucase unbase64 unhex unix_date unix_micros unix_millis unix_seconds upper url_decode"
    " url_encode validate_utf8 weekday weekofyear width_bucket year | ~ ";
// The same of one argument; with a format Spark infers nothing.
constexpr std::string_view kIntolerantOfOne =
    " ceil ceiling floor to_date to_timestamp to_timestamp_ltz to_timestamp_ntz try_to_date"
    " try_to_timestamp ";

bool Lists(std::string_view names, const std::string& name) {
  return names.find(" " + name + " ") != std::string_view::npos;
}

bool IsIntolerant(const Expr& call) {
  if (Lists(kIntolerant, call.name)) return true;
  if (call.name == "in") return call.args.size() == 2;  // An equality.
  return call.args.size() == 1 && Lists(kIntolerantOfOne, call.name);
}

// A column, or a member of a struct in one.
bool IsExtraction(const Expr& expr) {
  if (expr.kind == Expr::Kind::kColumn) return true;
  return expr.kind == Expr::Kind::kCall && expr.name == "get_field" && IsExtraction(*expr.args[0]);
}

}  // namespace

void CollectNullIntolerant(const ExprPtr& expr, std::vector<ExprPtr>* columns) {
  if (IsExtraction(*expr)) {
    columns->push_back(expr);
    return;
  }
  if (expr->kind != Expr::Kind::kCall) return;
  if (!IsIntolerant(*expr) && expr->name != "get_field") return;
  for (const ExprPtr& arg : expr->args) CollectNullIntolerant(arg, columns);
}

}  // namespace tidemill::driver

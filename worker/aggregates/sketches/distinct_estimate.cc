// approx_count_distinct: HyperLogLog++ with Spark's hash, registers and rounding, so that the
// estimate is Spark's.
#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "common/expr/function_registry.h"
#include "state/table/row_codec.h"
#include "worker/aggregates/kernel_makers.h"
#include "worker/aggregates/sketches/hll_constants.h"

namespace tidemill::worker::internal {

namespace {

// The accumulator: one byte that says which form follows,
//   kSparse: up to kSparseRegisters registers that are not 0, 4 bytes each: number << 8 | value
//   kDense:  every register, a byte each
// A register changes in place; an epoch's changelog holds the sketch of each group that it changed,
// once: 512 bytes at the default accuracy.
constexpr uint8_t kSparse = 0;
constexpr uint8_t kDense = 1;
constexpr size_t kSparseRegisters = 32;

int AddressBits(double error) {
  return static_cast<int>(std::ceil(2.0 * std::log(1.106 / error) / std::log(2.0)));
}

uint32_t SparseAt(const uint8_t* registers, size_t i) {
  uint32_t entry;
  std::memcpy(&entry, registers + 4 * i, sizeof(entry));
  return entry;
}

class DistinctEstimateKernel final : public AggregateKernel {
 public:
  DistinctEstimateKernel(const BoundAggregate& signature, Kernel hash)
      : AggregateKernel(signature),
        bits_(AddressBits(signature.constants.error)),
        registers_(size_t{1} << bits_),
        hash_(std::move(hash)) {}

  arrow::Status Update(std::span<const std::shared_ptr<arrow::Array>> args, int64_t begin,
                       int64_t end, const uint32_t* target,
                       state::StateColumn* columns) const override {
    EvalContext context;
    context.pool = arrow::default_memory_pool();
    const arrow::Datum values[] = {args[0]->Slice(begin, end - begin)};
    ARROW_ASSIGN_OR_RAISE(const arrow::Datum hashed, hash_(context, values, end - begin));
    const auto* hashes = hashed.array()->GetValues<uint64_t>(1);
    const uint64_t padding = uint64_t{1} << (bits_ - 1);
    const bool has_nulls = args[0]->null_count() > 0;
    for (int64_t i = begin; i < end; ++i) {
      if (has_nulls && args[0]->IsNull(i)) continue;
      const uint64_t hash = hashes[i - begin];
      const auto number = static_cast<uint32_t>(hash >> (64 - bits_));
      const int zeros = std::countl_zero((hash << bits_) | padding);
      ARROW_RETURN_NOT_OK(
          Raise(number, static_cast<uint8_t>(zeros + 1), target[i - begin], columns));
    }
    return arrow::Status::OK();
  }
  arrow::Status Merge(std::span<const std::shared_ptr<arrow::Array>> partial, int64_t begin,
                      int64_t end, const uint32_t* target,
                      state::StateColumn* columns) const override {
    const auto& sketches = static_cast<const arrow::BinaryArray&>(*partial[0]);
    std::vector<uint8_t> added(registers_);
    for (int64_t i = begin; i < end; ++i) {
      if (sketches.IsNull(i)) continue;
      const std::string_view sketch = sketches.GetView(i);
      ARROW_RETURN_NOT_OK(Verify(sketch));
      const auto* bytes = reinterpret_cast<const uint8_t*>(sketch.data()) + 1;
      if (sketch[0] == kSparse) {
        for (size_t entry = 0; entry < sketch.size() / 4; ++entry) {
          const uint32_t packed = SparseAt(bytes, entry);
          ARROW_RETURN_NOT_OK(
              Raise(packed >> 8, static_cast<uint8_t>(packed), target[i - begin], columns));
        }
        continue;
      }
      ARROW_RETURN_NOT_OK(MakeDense(target[i - begin], columns));
      uint8_t* registers = columns[0].MutableBytes(target[i - begin]).data() + 1;
      for (size_t j = 0; j < registers_; ++j) registers[j] = std::max(registers[j], bytes[j]);
    }
    return arrow::Status::OK();
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(
      std::span<const std::shared_ptr<arrow::Array>> state,
      arrow::MemoryPool* pool) const override {
    const auto& sketches = static_cast<const arrow::BinaryArray&>(*state[0]);
    arrow::Int64Builder builder(pool);
    ARROW_RETURN_NOT_OK(builder.Reserve(sketches.length()));
    std::vector<uint8_t> registers(registers_);
    for (int64_t i = 0; i < sketches.length(); ++i) {
      std::fill(registers.begin(), registers.end(), 0);
      if (sketches.IsValid(i)) {
        const std::string_view sketch = sketches.GetView(i);
        ARROW_RETURN_NOT_OK(Verify(sketch));
        const auto* bytes = reinterpret_cast<const uint8_t*>(sketch.data()) + 1;
        if (sketch[0] == kDense) {
          std::memcpy(registers.data(), bytes, registers_);
        } else {
          for (size_t entry = 0; entry < sketch.size() / 4; ++entry) {
            const uint32_t packed = SparseAt(bytes, entry);
            registers[packed >> 8] = static_cast<uint8_t>(packed);
          }
        }
      }
      builder.UnsafeAppend(Estimate(registers));
    }
    return builder.Finish();
  }

 private:
  // Whatever is read from a checkpoint addresses registers that exist.
  arrow::Status Verify(std::string_view sketch) const {
    const bool is_dense = !sketch.empty() && sketch[0] == kDense;
    bool is_sound =
        is_dense ? sketch.size() == registers_ + 1 : sketch.size() % 4 == 1 && sketch[0] == kSparse;
    const auto* bytes = reinterpret_cast<const uint8_t*>(sketch.data()) + 1;
    if (is_sound && is_dense) {
      is_sound = std::all_of(bytes, bytes + registers_, [](uint8_t value) { return value < 64; });
    } else if (is_sound) {
      for (size_t entry = 0; entry < sketch.size() / 4; ++entry) {
        const uint32_t packed = SparseAt(bytes, entry);
        is_sound &= (packed >> 8) < registers_ && (packed & 0xff) < 64;
      }
    }
    return is_sound ? arrow::Status::OK() : state::CorruptState("sketch of distinct values");
  }

  // Sets a register to `value` where that is more.
  arrow::Status Raise(uint32_t number, uint8_t value, uint32_t row,
                      state::StateColumn* columns) const {
    if (columns[0].validity()[row] == 0) {
      const char form = kSparse;
      columns[0].SetBytes(row, {&form, 1});
    }
    std::string_view sketch = columns[0].GetBytes(row);
    if (sketch.empty()) return state::CorruptState("sketch of distinct values");
    if (sketch[0] == kSparse) {
      const auto* bytes = reinterpret_cast<const uint8_t*>(sketch.data()) + 1;
      const size_t count = sketch.size() / 4;
      for (size_t i = 0; i < count; ++i) {
        const uint32_t packed = SparseAt(bytes, i);
        if (packed >> 8 != number) continue;
        if ((packed & 0xff) < value) {
          columns[0].MutableBytes(row)[1 + 4 * i] = value;  // the low byte
        }
        return arrow::Status::OK();
      }
      if (count < kSparseRegisters && count * 4 < registers_) {
        const uint32_t packed = number << 8 | value;
        return columns[0].AppendBytes(row, {reinterpret_cast<const char*>(&packed), 4});
      }
      ARROW_RETURN_NOT_OK(MakeDense(row, columns));
      sketch = columns[0].GetBytes(row);
    }
    if (sketch.size() != registers_ + 1) return state::CorruptState("sketch of distinct values");
    if (static_cast<uint8_t>(sketch[1 + number]) < value) {
      columns[0].MutableBytes(row)[1 + number] = value;
    }
    return arrow::Status::OK();
  }

  arrow::Status MakeDense(uint32_t row, state::StateColumn* columns) const {
    const bool is_empty = columns[0].validity()[row] == 0;
    const std::string_view sketch = is_empty ? std::string_view() : columns[0].GetBytes(row);
    if (!is_empty) ARROW_RETURN_NOT_OK(Verify(sketch));
    if (!is_empty && sketch[0] == kDense) return arrow::Status::OK();
    std::string dense(registers_ + 1, 0);
    dense[0] = kDense;
    if (!is_empty) {
      const auto* bytes = reinterpret_cast<const uint8_t*>(sketch.data()) + 1;
      for (size_t i = 0; i < sketch.size() / 4; ++i) {
        const uint32_t packed = SparseAt(bytes, i);
        dense[1 + (packed >> 8)] = static_cast<char>(packed & 0xff);
      }
    }
    columns[0].SetBytes(row, dense);
    return arrow::Status::OK();
  }

  int64_t Estimate(const std::vector<uint8_t>& registers) const {
    const auto m = static_cast<double>(registers_);
    double inverse = 0;
    double zeros = 0;
    for (const uint8_t value : registers) {
      inverse += 1.0 / static_cast<double>(uint64_t{1} << value);
      zeros += value == 0 ? 1 : 0;
    }
    const double raw = Alpha() * m * m / inverse;
    double estimate = Unbiased(raw);
    if (zeros > 0) {
      const double counted = m * std::log(m / zeros);
      const bool is_measured = bits_ <= kMostBiasedHllBits;
      if ((is_measured && counted <= HllThreshold(bits_)) || raw <= 2.5 * m) estimate = counted;
    }
    return static_cast<int64_t>(std::floor(estimate + 0.5));
  }

  double Alpha() const {
    switch (bits_) {
      case 4:
        return 0.673;
      case 5:
        return 0.697;
      case 6:
        return 0.709;
      default:
        return 0.7213 / (1.0 + 1.079 / static_cast<double>(registers_));
    }
  }

  // Takes off the mean bias of the six measurements nearest to the estimate.
  double Unbiased(double raw) const {
    if (bits_ > kMostBiasedHllBits || raw >= 5.0 * static_cast<double>(registers_)) return raw;
    constexpr int kNeighbours = 6;
    const std::span<const double> estimates = HllRawEstimates(bits_);
    const auto count = static_cast<int>(estimates.size());
    const auto nearest = static_cast<int>(
        std::lower_bound(estimates.begin(), estimates.end(), raw) - estimates.begin());
    auto distance = [&](int i) { return (raw - estimates[i]) * (raw - estimates[i]); };
    int low = std::max(nearest - kNeighbours + 1, 0);
    int high = std::min(low + kNeighbours, count);
    while (high < count && distance(high) < distance(low)) {
      ++low;
      ++high;
    }
    double sum = 0;
    for (int i = low; i < high; ++i) sum += HllBias(bits_, i);
    return raw - sum / (high - low);
  }

  const int bits_;  // that address a register
  const size_t registers_;
  const Kernel hash_;
};

}  // namespace

std::shared_ptr<const AggregateKernel> MakeDistinctEstimateKernel(const BoundAggregate& signature) {
  const FunctionInfo* hash = FindFunction("xxhash64");
  if (hash == nullptr) return nullptr;
  const ExprPtr value = MakeColumn(0, "x", signature.input_types[0]);
  arrow::Result<BoundFunction> bound = hash->bind(std::span(&value, 1));
  if (!bound.ok()) return nullptr;
  return std::make_shared<DistinctEstimateKernel>(signature, bound->kernel);
}

}  // namespace tidemill::worker::internal

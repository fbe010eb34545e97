#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <type_traits>
#include <utility>

#include "common/base/check.h"

namespace tidemill::state {

// A growing array of trivial values: no initialisation of what is about to be written, growth by
// realloc, which moves large blocks by remapping. Out of memory ends the process (CHECK).
// *Thread-compatible.*
template <class T>
class PodVector {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  PodVector() = default;
  ~PodVector() { std::free(data_); }
  PodVector(PodVector&& other) noexcept { Swap(other); }
  PodVector& operator=(PodVector&& other) noexcept {
    Swap(other);
    return *this;
  }
  PodVector(const PodVector&) = delete;
  PodVector& operator=(const PodVector&) = delete;

  T* data() { return data_; }
  const T* data() const { return data_; }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  bool empty() const { return size_ == 0; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }

  // New elements are not initialised.
  void Resize(size_t size) {
    if (size > capacity_) Grow(size);
    size_ = size;
  }
  void ResizeZeroed(size_t size) {
    const size_t old = size_;
    Resize(size);
    if (size > old) std::memset(static_cast<void*>(data_ + old), 0, (size - old) * sizeof(T));
  }
  void PushBack(T value) {
    if (size_ == capacity_) Grow(size_ + 1);
    data_[size_++] = value;
  }
  void Append(const T* values, size_t count) {
    if (count == 0) return;
    Resize(size_ + count);
    std::memcpy(static_cast<void*>(data_ + size_ - count), values, count * sizeof(T));
  }
  void Clear() { size_ = 0; }
  // Gives memory back that is not used, but for a quarter of what is.
  void Shrink() {
    const size_t capacity = size_ + size_ / 4;
    if (capacity >= capacity_) return;
    if (capacity == 0) {
      std::free(std::exchange(data_, nullptr));
    } else if (void* shrunk = std::realloc(static_cast<void*>(data_), capacity * sizeof(T))) {
      data_ = static_cast<T*>(shrunk);
    } else {
      return;
    }
    capacity_ = capacity;
  }
  int64_t memory_bytes() const { return static_cast<int64_t>(capacity_ * sizeof(T)); }

 private:
  static constexpr size_t kLargeBytes = 64 << 10;

  void Swap(PodVector& other) {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }
  void Grow(size_t at_least) {
    size_t capacity = capacity_ < 8 ? 16 : capacity_ * 2;
    // What is large is moved by remapping: rather once more than twice the memory.
    if (capacity_ * sizeof(T) >= kLargeBytes) capacity = capacity_ + capacity_ / 2;
    if (capacity < at_least) capacity = at_least;
    void* grown = std::realloc(static_cast<void*>(data_), capacity * sizeof(T));
    TIDEMILL_CHECK(grown != nullptr);
    data_ = static_cast<T*>(grown);
    capacity_ = capacity;
  }

  T* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace tidemill::state

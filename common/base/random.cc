#include "common/base/random.h"

#include <fmt/format.h>

#include <random>

#include "common/base/mutex.h"

namespace tidemill {

namespace {

class SystemRandom final : public Random {
 public:
  uint64_t Next() override {
    MutexLock lock(&mutex_);
    return (static_cast<uint64_t>(device_()) << 32) | device_();
  }

 private:
  Mutex mutex_;
  std::random_device device_ GUARDED_BY(mutex_);
};

}  // namespace

Random* Random::System() {
  static SystemRandom random;
  return &random;
}

std::string NewUuid(Random* random) {
  const uint64_t high = (random->Next() & ~0xF000ULL) | 0x4000ULL;
  const uint64_t low = (random->Next() & ~(0xC000ULL << 48)) | (0x8000ULL << 48);
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xFFFF,
                     high & 0xFFFF, low >> 48, low & 0xFFFFFFFFFFFFULL);
}

uint64_t SplitMix64(uint64_t seed, uint64_t index) {
  uint64_t z = seed + (index + 1) * 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

}  // namespace tidemill

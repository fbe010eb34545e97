#pragma once

#include <cstdint>
#include <string>

namespace tidemill {

// A source of randomness that a simulation can seed. *Thread-safe.*
class Random {
 public:
  virtual ~Random() = default;
  virtual uint64_t Next() = 0;  // 64 uniform bits

  // Seeded by the operating system; lives for ever.
  static Random* System();
};

// A random (version 4) UUID in its usual text form.
std::string NewUuid(Random* random);

// SplitMix64: the `index`-th value of the stream that `seed` starts. A pure function, used where a
// replay must see the same numbers (rand(), uuid()). Source: Steele, Lea and Flood, OOPSLA 2014.
uint64_t SplitMix64(uint64_t seed, uint64_t index);

}  // namespace tidemill

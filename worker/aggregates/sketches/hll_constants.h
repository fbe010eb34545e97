#pragma once

#include <cstdint>
#include <span>

namespace tidemill::worker {

// What HyperLogLog++ knows about its own bias, by the number of bits that address a register.
// Beyond kMostBiasedHllBits nothing was measured.
inline constexpr int kFewestHllBits = 4;
inline constexpr int kMostBiasedHllBits = 18;

// Up to which estimate of linear counting that one is taken.
double HllThreshold(int bits);
// Raw estimates, ascending, at which the bias was measured, and the bias at each.
std::span<const double> HllRawEstimates(int bits);
double HllBias(int bits, int index);

}  // namespace tidemill::worker

#pragma once

#include <cstdio>
#include <cstdlib>

// Aborts when an invariant of ours is broken, in release builds too. Never for user input, peers or
// disk.
#define TIDEMILL_CHECK(condition)                                                               \
  do {                                                                                          \
    if (__builtin_expect(!(condition), 0)) {                                                    \
      std::fprintf(stderr, "bug: check failed: %s at %s:%d\n", #condition, __FILE__, __LINE__); \
      std::abort();                                                                             \
    }                                                                                           \
  } while (false)

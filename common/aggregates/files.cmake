list(APPEND common_sources
  aggregates/aggregate_registry.cc
  aggregates/bits.cc
  aggregates/collections.cc
  aggregates/moments.cc
  aggregates/percentiles.cc
  aggregates/sketches.cc
  aggregates/sum.cc
  aggregates/values.cc)
list(APPEND common_headers
  aggregates/aggregate_catalog.h
  aggregates/aggregate_registry.h)

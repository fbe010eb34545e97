list(APPEND driver_sources)
list(APPEND driver_headers)

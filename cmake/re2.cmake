# RE2, linked statically and hidden: Arrow's compute library exports the symbols of another version of it, and the
# dynamic linker would mix the two (a crash in ~RE2). The whole archive, so that the order of libraries does not matter.
find_library(TIDEMILL_RE2_ARCHIVE libre2.a REQUIRED)
add_library(tidemill_re2_archive STATIC IMPORTED)
set_target_properties(tidemill_re2_archive PROPERTIES IMPORTED_LOCATION ${TIDEMILL_RE2_ARCHIVE})
add_library(tidemill_re2 INTERFACE)
target_link_libraries(tidemill_re2 INTERFACE $<LINK_LIBRARY:WHOLE_ARCHIVE,tidemill_re2_archive> Threads::Threads)
target_link_options(tidemill_re2 INTERFACE LINKER:--exclude-libs,libre2.a)

list(APPEND common_headers
  transport/in_memory_stream.h
  transport/message_stream.h)

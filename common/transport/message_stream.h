#pragma once

#include <arrow/status.h>

#include <functional>

#include "common/base/executor.h"

namespace tidemill {

// One end of an ordered two-way stream of messages between two actors: what one end sends, the
// other receives once and in order, until one of them closes. Messages are moved. In one process
// the ends share memory, between processes gRPC carries them. *Thread-safe.*
template <class Out, class In>
class MessageStream {
 public:
  struct Handlers {
    std::function<void(In)> on_message;
    // The peer closed (OK) or is lost (kUnavailable); after its last message, at most once.
    std::function<void(const arrow::Status&)> on_close;
  };

  virtual ~MessageStream() = default;

  // Begins to deliver, on `executor` and one at a time; what came before is delivered first. Called
  // once. `executor` must be serial and outlive the delivery.
  virtual void Start(Executor* executor, Handlers handlers) = 0;
  // Never blocks, never calls a handler. Dropped where either end has closed.
  virtual void Send(Out message) = 0;
  // Ends both directions. This end's handlers are not called any more once Close has returned on
  // the handlers' executor; the peer still gets what was sent before, then on_close.
  virtual void Close() = 0;
};

}  // namespace tidemill

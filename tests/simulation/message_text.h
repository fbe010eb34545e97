#pragma once

#include <string>

#include "proto/control.pb.h"

namespace tidemill::testing {

// One message in a few words, for a trace: "RunEpoch 3.1", "Prepared 3.1". "" for what is not worth
// a line.
std::string TextOf(const proto::ToWorker& message);
std::string TextOf(const proto::ToDriver& message);

template <class Message>
std::string TextOf(const Message&) {
  return "";
}

}  // namespace tidemill::testing

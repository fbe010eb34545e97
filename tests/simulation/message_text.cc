#include "tests/simulation/message_text.h"

#include <fmt/format.h>

namespace tidemill::testing {

namespace {

std::string_view ErrorOf(const proto::Error& error) { return error.error_class(); }

}  // namespace

std::string TextOf(const proto::ToWorker& message) {
  switch (message.message_case()) {
    case proto::ToWorker::kDeploy:
      return fmt::format("Deploy (term {})", message.term());
    case proto::ToWorker::kAssign:
      return fmt::format("Assign {:x} at {}", message.assign().version(),
                         message.assign().committed_epoch());
    case proto::ToWorker::kAdopt:
      return fmt::format("Adopt at {}", message.adopt().committed_epoch());
    case proto::ToWorker::kRunEpoch:
      return fmt::format("RunEpoch {}.{:x}", message.run_epoch().plan().epoch(),
                         message.run_epoch().attempt());
    case proto::ToWorker::kCommitted:
      return fmt::format("Committed {}.{:x}", message.committed().epoch(),
                         message.committed().attempt());
    case proto::ToWorker::kAbortEpoch:
      return fmt::format("AbortEpoch {}.{:x}", message.abort_epoch().epoch(),
                         message.abort_epoch().attempt());
    case proto::ToWorker::kUndeploy:
      return "Undeploy";
    case proto::ToWorker::kRegistered:
      return "Registered";
    case proto::ToWorker::kRefused:
      return fmt::format("Refused {}", ErrorOf(message.refused().error()));
    case proto::ToWorker::kReleased:
      return "Released";
    default:
      return "";
  }
}

std::string TextOf(const proto::ToDriver& message) {
  switch (message.message_case()) {
    case proto::ToDriver::kRegisterWorker: {
      std::string text = "Register";
      for (const proto::JobReport& job : message.register_worker().jobs()) {
        text += fmt::format(" (at {}, open {}.{:x}{})", job.committed_epoch(), job.open_epoch(),
                            job.open_attempt(), job.is_prepared() ? " prepared" : "");
      }
      return text;
    }
    case proto::ToDriver::kDeployed:
      return fmt::format("Deployed {}", ErrorOf(message.deployed().error()));
    case proto::ToDriver::kAssigned:
      return fmt::format("Assigned {:x}, {} rows {}", message.assigned().version(),
                         message.assigned().restored_rows(), ErrorOf(message.assigned().error()));
    case proto::ToDriver::kPrepared:
      return fmt::format("Prepared {}.{:x}, {} rows", message.prepared().epoch(),
                         message.prepared().attempt(), message.prepared().output_rows());
    case proto::ToDriver::kFailed:
      return fmt::format("Failed {}.{:x} {}", message.failed().epoch(), message.failed().attempt(),
                         ErrorOf(message.failed().error()));
    case proto::ToDriver::kLeave:
      return "Leave";
    default:
      return "";
  }
}

}  // namespace tidemill::testing

#include "connectors/socket/socket_source.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string_view>

#include "common/base/error.h"
#include "common/base/mutex.h"
#include "tests/connectors/reading.h"

namespace tidemill::connectors {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The peer: a listener on the loopback interface that takes one connection.
class Peer {
 public:
  Peer() : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address_);
    EXPECT_EQ(0, ::bind(listener_, reinterpret_cast<sockaddr*>(&address_), size));
    EXPECT_EQ(0, ::listen(listener_, 1));
    EXPECT_EQ(0, ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address_), &size));
  }
  ~Peer() {
    Close();
    ::close(listener_);
  }
  int port() const { return ntohs(address_.sin_port); }
  void Send(std::string_view text) {
    if (connection_ < 0) connection_ = ::accept(listener_, nullptr, nullptr);
    EXPECT_EQ(static_cast<ssize_t>(text.size()), ::write(connection_, text.data(), text.size()));
  }
  void Close() {
    if (connection_ >= 0) ::close(connection_);
    connection_ = -1;
  }

 private:
  const int listener_;
  sockaddr_in address_{};
  int connection_ = -1;
};

class SocketSourceTest : public ::testing::Test {
 protected:
  SourceSpec Spec(const std::string& timestamp = "false") {
    SourceSpec spec{.name = "s", .format = "socket"};
    spec.options.Set("host", "127.0.0.1");
    spec.options.Set("port", std::to_string(peer_.port()));
    spec.options.Set("includeTimestamp", timestamp);
    return ResolveSource(spec).ValueOrDie();
  }
  std::unique_ptr<SourceDriver> Driver(const SourceSpec& spec) {
    return MakeSourceDriver(spec, {.clock = Clock::System(),
                                   .wake =
                                       [this] {
                                         MutexLock lock(&mutex_);
                                         ++wakes_;
                                         woken_.NotifyAll();
                                       }})
        .ValueOrDie();
  }
  void WaitForWake() {
    MutexLock lock(&mutex_);
    while (wakes_ == 0) woken_.Wait(&mutex_);
    wakes_ = 0;
  }
  std::vector<std::string> TextsIn(const SourceSpec& spec, const std::vector<Split>& splits) {
    auto reader = MakeSourceReader(spec, {0}).ValueOrDie();
    std::vector<std::string> texts;
    for (const Split& split : splits) {
      for (auto& text : TextsOf(ReadSplit(reader.get(), split).ValueOrDie())) {
        texts.push_back(std::move(text));
      }
    }
    return texts;
  }

  Peer peer_;
  Mutex mutex_;
  CondVar woken_;
  int wakes_ GUARDED_BY(mutex_) = 0;
};

TEST_F(SocketSourceTest, GivesTheLinesThatArrived) {
  const SourceSpec spec = Spec();
  auto driver = Driver(spec);

  peer_.Send("one two\r\nthree\nunfin");
  WaitForWake();
  const EpochInput first = driver->Next(ReadLimit{}).ValueOrDie();
  peer_.Send("ished\nrest");
  WaitForWake();
  const EpochInput second = driver->Next(ReadLimit{}).ValueOrDie();
  peer_.Close();
  WaitForWake();
  const EpochInput last = driver->Next(ReadLimit{}).ValueOrDie();

  EXPECT_THAT(TextsIn(spec, first.splits), ElementsAre("one two", "three"));
  EXPECT_EQ(first.start_offset, "");
  EXPECT_EQ(first.end_offset, "1");
  EXPECT_THAT(TextsIn(spec, second.splits), ElementsAre("unfinished"));
  EXPECT_THAT(TextsIn(spec, last.splits), ElementsAre("rest"));
  EXPECT_FALSE(driver->Next(ReadLimit{}).ValueOrDie().has_data());
}

TEST_F(SocketSourceTest, AReplayGivesTheLoggedRowsOrNone) {
  const SourceSpec spec = Spec();
  auto driver = Driver(spec);
  peer_.Send("a\nb\n");
  WaitForWake();
  EpochInput logged = driver->Next(ReadLimit{}).ValueOrDie();

  const auto with_rows = driver->Replay(logged).ValueOrDie();
  for (Split& split : logged.splits) split.payload.clear();
  const auto without_rows = driver->Replay(logged).ValueOrDie();

  EXPECT_THAT(TextsIn(spec, with_rows), ElementsAre("a", "b"));
  EXPECT_THAT(without_rows, IsEmpty());
  EXPECT_EQ(driver->Snapshot(), "1");
}

TEST_F(SocketSourceTest, ATimestampColumnCanBeAskedFor) {
  EXPECT_EQ(Spec("true").schema->field(1)->name(), "timestamp");
  EXPECT_EQ(Spec().schema->num_fields(), 1);
}

TEST_F(SocketSourceTest, NobodyThereIsUnavailable) {
  SourceSpec spec = Spec();
  int port = 0;
  {
    const Peer gone;
    port = gone.port();
  }
  spec.options.Set("port", std::to_string(port));

  const auto driver = MakeSourceDriver(spec, {.clock = Clock::System()});

  EXPECT_EQ(KindOf(driver.status()), ErrorKind::kUnavailable);
}

}  // namespace
}  // namespace tidemill::connectors

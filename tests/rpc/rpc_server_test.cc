#include "common/rpc/rpc_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "common/base/error.h"
#include "tests/rpc/recorded_end.h"

namespace tidemill::rpc {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

int ConnectRaw(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  return fd;
}

// Sends bytes to a loopback port and reads until the other side hangs up (5 s at most).
void SendRaw(int port, const std::string& bytes) {
  const int fd = ConnectRaw(port);
  const timeval patience = {.tv_sec = 5, .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  (void)send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);  // The peer may hang up early.
  char buffer[4096];
  while (recv(fd, buffer, sizeof buffer, 0) > 0) {
  }
  close(fd);
}

arrow::Status StatusOfListening(const std::string& address, bool allows_remote = false) {
  return RpcServer::Start({.listen = address, .allows_remote = allows_remote}).status();
}

TEST(RpcServerTest, GarbageDoesNoHarm) {
  RecordingServer server;
  const auto before = Connect(server.address());
  before->Start();
  before->Send("a");
  ASSERT_THAT(before->Await(1), ElementsAre("a"));

  SendRaw(server.port(), "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  SendRaw(server.port(), std::string(100'000, '\xff'));
  SendRaw(server.port(), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string(100'000, '\xff'));

  before->Send("b");
  EXPECT_THAT(before->Await(2), ElementsAre("a", "b"));
  const auto after = Connect(server.address());
  after->Start();
  after->Send("c");
  EXPECT_THAT(after->Await(1), ElementsAre("c"));
}

TEST(RpcServerTest, ConnectionsThatSayNothingKeepNobodyOut) {
  RecordingServer server;
  std::vector<int> silent;
  silent.reserve(400);
  for (int i = 0; i < 400; ++i) silent.push_back(ConnectRaw(server.port()));

  const auto client = Connect(server.address());
  client->Start();
  client->Send("a");

  EXPECT_THAT(client->Await(1), ElementsAre("a"));
  for (const int fd : silent) close(fd);
}

TEST(RpcServerTest, AnUnknownMethodIsRefused) {
  RecordingServer server;
  const auto client = Connect(server.address(), {}, "/test.Frames/Other");
  client->Start();

  const arrow::Status status = client->AwaitClose();

  EXPECT_EQ(KindOf(status), ErrorKind::kUnavailable);
  EXPECT_THAT(status.message(), HasSubstr("no such method"));
}

TEST(RpcServerTest, StopEndsTheStreamsOnBothEnds) {
  RecordingServer server;
  const auto client = Connect(server.address());
  client->Start();
  client->Send("a");
  client->Await(1);

  server.server()->Stop();

  EXPECT_EQ(ErrorClassOf(server.AwaitStream()->AwaitClose()), "CONNECTION_LOST");
  EXPECT_EQ(ErrorClassOf(client->AwaitClose()), "CONNECTION_LOST");
}

TEST(RpcServerTest, StopLetsClosedStreamsFlush) {
  RecordingServer server({.echoes = false});
  const auto client = Connect(server.address());
  client->Start();
  const std::string big(1 << 20, 'x');
  for (int i = 0; i < 4; ++i) server.AwaitStream()->Send(big);
  server.AwaitStream()->Close();

  server.server()->Stop();

  EXPECT_TRUE(client->AwaitClose().ok());
  EXPECT_EQ(client->Await(4).size(), 4u);
}

TEST(RpcServerTest, AStreamNobodyKeepsIsClosed) {
  RpcServer::Options options;
  options.listen = "127.0.0.1:0";
  options.streams["/test.Frames/Dropped"] = [](const std::string&,
                                               const std::shared_ptr<FrameStream>&) {};
  const auto server = RpcServer::Start(std::move(options)).ValueOrDie();
  const auto client = Connect(server->address(), {}, "/test.Frames/Dropped");
  client->Start();

  EXPECT_TRUE(client->AwaitClose().ok());
}

TEST(RpcServerTest, APortInUseIsNotShared) {
  const RecordingServer server;

  const arrow::Status status = StatusOfListening(server.address());

  EXPECT_EQ(ErrorClassOf(status), "ADDRESS_IN_USE");
  EXPECT_EQ(KindOf(status), ErrorKind::kConflict);
}

TEST(RpcServerTest, AStoppedServersPortCanBeTakenAtOnce) {
  std::string address;
  {
    RecordingServer server;
    address = server.address();
    const auto client = Connect(address);
    client->Start();
    client->Send("a");
    client->Await(1);
  }
  EXPECT_TRUE(StatusOfListening(address).ok());
}

TEST(RpcServerTest, OnlyLoopbackAddressesAreTakenUnlessAllowed) {
  for (const char* address : {"0.0.0.0:0", "[::]:0", "192.0.2.1:0"}) {
    const arrow::Status status = StatusOfListening(address);
    EXPECT_EQ(ErrorClassOf(status), "INSECURE_BIND") << address;
    EXPECT_EQ(KindOf(status), ErrorKind::kUsage) << address;
    EXPECT_THAT(DetailOf(status)->hint, HasSubstr("--insecure-bind")) << address;
  }
  EXPECT_TRUE(StatusOfListening("localhost:0").ok());
  EXPECT_TRUE(StatusOfListening("0.0.0.0:0", /*allows_remote=*/true).ok());
}

TEST(RpcServerTest, SaysWhichPortItTook) {
  const RecordingServer server;
  EXPECT_THAT(server.address(), testing::StartsWith("127.0.0.1:"));
  EXPECT_GT(server.port(), 0);
}

TEST(RpcServerTest, AnAddressMustBeHostAndPort) {
  for (const char* address : {"", "7400", ":7400", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x",
                              "127.0.0.1:70000", "127.0.0.1:-1", "a/b:1", "no such host:1"}) {
    const arrow::Status status = StatusOfListening(address);
    EXPECT_EQ(ErrorClassOf(status), "INVALID_ADDRESS") << address;
    EXPECT_EQ(KindOf(status), ErrorKind::kUsage) << address;
  }
}

}  // namespace
}  // namespace tidemill::rpc

#include "driver/http/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <thread>
#include <vector>

#include "common/base/error.h"
#include "common/base/mutex.h"
#include "tests/api/raw_client.h"

namespace tidemill::driver {
namespace {

using std::chrono::milliseconds;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// Answers "METHOD path?query" to all but /missing (404), /never (no reply) and /large.
void Echo(const HttpRequest& request, const HttpServer::Reply& reply) {
  if (request.path == "/never") return;
  if (request.path == "/large") return reply({.body = std::string(size_t{8} << 20, 'x')});
  reply({.status = request.path == "/missing" ? 404 : 200,
         .content_type = "text/plain",
         .body = request.method + " " + request.path + "?" + request.query});
}

std::unique_ptr<HttpServer> Serve(HttpLimits limits = {}) {
  return HttpServer::Start({.listen = "127.0.0.1:0", .handler = Echo, .limits = limits})
      .ValueOrDie();
}

constexpr char kGet[] = "GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

TEST(HttpServerTest, AnswersRequestsOfOneConnectionOneAfterTheOther) {
  const auto server = Serve();
  RawClient client(server->address());

  for (int i = 0; i < 3; ++i) {
    client.Send(kGet);
    const std::string answer = client.ReadAnswer();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(answer, EndsWith("\r\n\r\nGET /a?b=c"));
  }
}

TEST(HttpServerTest, AnswersPipelinedRequestsInOrder) {
  const auto server = Serve();
  RawClient client(server->address());
  std::string requests;
  for (int i = 0; i < 1000; ++i)
    requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";

  std::thread sender([&] { client.Send(requests); });

  for (int i = 0; i < 1000; ++i)
    EXPECT_THAT(client.ReadAnswer(), EndsWith("GET /" + std::to_string(i) + "?"));
  sender.join();
}

TEST(HttpServerTest, ClosesAfterTheAnswerWhereTheClientSaysSo) {
  const auto server = Serve();
  RawClient client(server->address());
  client.Send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(client.ReadToEnd(), EndsWith("GET /?"));
  RawClient polite(server->address());
  polite.Send("GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(polite.ReadToEnd(), EndsWith("GET /?"));
}

TEST(HttpServerTest, AnswersHeadWithoutABody) {
  const auto server = Serve();
  RawClient client(server->address());
  client.Send("HEAD /a HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(client.ReadAnswer(true), HasSubstr("Content-Length: 8\r\n"));
  client.Send(kGet);
  EXPECT_THAT(client.ReadAnswer(), EndsWith("\r\n\r\nGET /a?b=c"));
}

TEST(HttpServerTest, PassesTheStatusOfTheHandler) {
  const auto server = Serve();
  RawClient client(server->address());
  client.Send("GET /missing HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(client.ReadAnswer(), StartsWith("HTTP/1.1 404 Not Found\r\n"));
}

struct Refusal {
  const char* request;
  const char* status;
};

TEST(HttpServerTest, RefusesWhatItDoesNotServeAndCloses) {
  const std::vector<Refusal> refusals = {
      {"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n", "405"},
      {"DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n", "405"},
      {"BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n", "405"},
      {"GET / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "413"},
      {"GET / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", "413"},
      {"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "413"},
      {"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "400"},
      {"GET / HTTP/9.9\r\n\r\n", "400"},
      {"GET /%zz HTTP/1.1\r\n\r\n", "400"},
      {"GET http://a/ HTTP/1.1\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", "403"},
      {"GET / HTTP/1.1\r\nbad header\r\n\r\n", "400"},
      {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 tls hello \r\n\r\n", "400"},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400"},
  };
  const auto server = Serve();

  for (const Refusal& refusal : refusals) {
    RawClient client(server->address());
    client.Send(refusal.request);
    EXPECT_THAT(client.ReadToEnd(), StartsWith(std::string("HTTP/1.1 ") + refusal.status))
        << refusal.request;
  }
}

TEST(HttpServerTest, RefusesAHeaderThatIsTooLarge) {
  const auto server = Serve();
  RawClient client(server->address());
  client.Send("GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n");
  EXPECT_THAT(client.ReadToEnd(), StartsWith("HTTP/1.1 431 "));
  RawClient endless(server->address());
  while (endless.Send(std::string(10'000, 'y'))) {
  }
}

TEST(HttpServerTest, OutlivesRandomBytes) {
  std::mt19937 random(7);
  const auto server = Serve({.client_timeout = milliseconds(200), .linger = milliseconds(50)});

  for (int i = 0; i < 200; ++i) {
    RawClient client(server->address());
    std::string bytes(random() % 400, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    if (i % 2 == 0) bytes = std::string(kGet).substr(0, random() % sizeof(kGet)) + bytes;
    client.Send(bytes + "\r\n\r\n");
  }

  RawClient client(server->address());
  client.Send(kGet);
  EXPECT_THAT(client.ReadAnswer(), StartsWith("HTTP/1.1 200 OK"));
}

TEST(HttpServerTest, ClosesOnAClientThatDripsItsRequest) {
  const auto server = Serve({.client_timeout = milliseconds(100)});
  RawClient client(server->address());
  client.Send("GET / HTTP/1.1\r\n");

  EXPECT_THAT(client.ReadToEnd(), IsEmpty());
  RawClient silent(server->address());
  EXPECT_THAT(silent.ReadToEnd(), IsEmpty());
}

TEST(HttpServerTest, GivesUpAClientThatDoesNotReadItsAnswers) {
  const auto server = Serve({.connections = 1, .client_timeout = milliseconds(100)});
  RawClient deaf(server->address());
  for (int i = 0; i < 8; ++i) deaf.Send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");

  // The one connection becomes free.
  std::string answer;
  while (answer.empty()) {
    RawClient client(server->address());
    client.Send(kGet);
    answer = client.ReadAnswer();
  }
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK"));
}

TEST(HttpServerTest, ClosesConnectionsBeyondTheLimit) {
  const auto server = Serve({.connections = 2});
  RawClient first(server->address());
  first.Send(kGet);
  EXPECT_THAT(first.ReadAnswer(), HasSubstr("200 OK"));
  RawClient second(server->address());
  second.Send(kGet);
  EXPECT_THAT(second.ReadAnswer(), HasSubstr("200 OK"));

  RawClient third(server->address());
  EXPECT_THAT(third.ReadToEnd(), IsEmpty());
  first.Send(kGet);
  EXPECT_THAT(first.ReadAnswer(), HasSubstr("200 OK"));
}

TEST(HttpServerTest, AnswersForAHandlerThatDoesNot) {
  const auto server = Serve({.reply_timeout = milliseconds(50)});
  RawClient client(server->address());
  client.Send("GET /never HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(client.ReadAnswer(), StartsWith("HTTP/1.1 504 "));
  client.Send(kGet);
  EXPECT_THAT(client.ReadAnswer(), StartsWith("HTTP/1.1 200 "));
}

TEST(HttpServerTest, TakesRepliesFromOtherThreadsAlsoAfterItsEnd) {
  Mutex mutex;
  CondVar arrived;
  std::vector<HttpServer::Reply> replies;
  const auto keep = [&](const HttpRequest&, HttpServer::Reply reply) {
    MutexLock lock(&mutex);
    replies.push_back(std::move(reply));
    arrived.NotifyAll();
  };
  auto server = HttpServer::Start({.listen = "127.0.0.1:0", .handler = keep}).ValueOrDie();
  RawClient client(server->address());
  client.Send(std::string(kGet) + kGet);

  HttpServer::Reply first;
  {
    MutexLock lock(&mutex);
    while (replies.empty()) arrived.Wait(&mutex);
    first = replies[0];
  }
  first({.body = "1"});
  first({.body = "2"});
  EXPECT_THAT(client.ReadAnswer(), EndsWith("\r\n\r\n1"));
  {
    MutexLock lock(&mutex);
    while (replies.size() < 2) arrived.Wait(&mutex);
  }
  server.reset();
  first({.body = "3"});
  replies[1]({.body = "4"});
  EXPECT_THAT(client.ReadToEnd(), IsEmpty());
}

TEST(HttpServerTest, ListensOnLoopbackOnlyUnlessToldOtherwise) {
  for (const char* listen : {"0.0.0.0:0", "[::]:0"}) {
    const auto refused = HttpServer::Start({.listen = listen, .handler = Echo}).status();
    EXPECT_EQ(ErrorClassOf(refused), "INSECURE_BIND") << listen;
    EXPECT_EQ(KindOf(refused), ErrorKind::kUsage);
    EXPECT_THAT(RenderError(refused), HasSubstr("--insecure-bind"));
  }
  for (const char* listen : {"", "nonsense", ":0", "127.0.0.1", "127.0.0.1:x"}) {
    const auto refused = HttpServer::Start({.listen = listen, .handler = Echo}).status();
    EXPECT_EQ(ErrorClassOf(refused), "INVALID_ADDRESS") << listen;
  }
  const auto open =
      HttpServer::Start({.listen = "127.0.0.1:0", .allows_remote = true, .handler = Echo});
  ASSERT_TRUE(open.ok()) << open.status();
  RawClient client((*open)->address());
  client.Send("GET / HTTP/1.1\r\nHost: driver.example\r\n\r\n");
  EXPECT_THAT(client.ReadAnswer(), StartsWith("HTTP/1.1 200 "));
}

TEST(HttpServerTest, SharesItsPortWithNobody) {
  const auto server = Serve();
  const auto second = HttpServer::Start({.listen = server->address(), .handler = Echo}).status();
  EXPECT_EQ(ErrorClassOf(second), "ADDRESS_IN_USE");
  EXPECT_EQ(KindOf(second), ErrorKind::kConflict);
}

}  // namespace
}  // namespace tidemill::driver

#include "driver/http/http_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/error.h"

namespace tidemill::driver {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(ParseTargetTest, SplitsTheQueryAndDecodesThePath) {
  const HttpRequest request = ParseTarget("GET", "/api/v1/jobs/a%20b%2Fc?x=%41").ValueOrDie();
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.path, "/api/v1/jobs/a b/c");
  EXPECT_EQ(request.query, "x=%41");
}

TEST(ParseTargetTest, RefusesWhatIsNoAbsolutePathOrHasABrokenEscape) {
  for (const char* target : {"", "*", "http://a/b", "a", "/%", "/%4", "/%4g", "/%zz", "/%00"}) {
    EXPECT_EQ(KindOf(ParseTarget("GET", target).status()), ErrorKind::kInvalid) << target;
  }
}

TEST(IsLocalHostTest, TakesAddressesAndLocalhostOnly) {
  for (const char* host : {"localhost", "localhost:7480", "127.0.0.1", "127.0.0.1:80", "[::1]:1"})
    EXPECT_TRUE(IsLocalHost(host)) << host;
  for (const char* host :
       {"", "example.com", "localhost.example.com", "127.0.0.1.example.com", "["})
    EXPECT_FALSE(IsLocalHost(host)) << host;
}

TEST(ResponseTextTest, HasSecurityHeadersAndLetsNoOtherPageIn) {
  const std::string text = ResponseText({.body = "{}"}, false, true);
  EXPECT_THAT(text, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(text, HasSubstr("Content-Length: 2\r\n"));
  EXPECT_THAT(text, HasSubstr("X-Content-Type-Options: nosniff\r\n"));
  EXPECT_THAT(text, HasSubstr("Cache-Control: no-store\r\n"));
  EXPECT_THAT(text, Not(HasSubstr("Access-Control")));
  EXPECT_THAT(text, EndsWith("\r\n\r\n{}"));
}

TEST(ResponseTextTest, AHeadAnswerHasTheLengthButNotTheBody) {
  const std::string text = ResponseText({.status = 404, .body = "12345"}, true, false);
  EXPECT_THAT(text, StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(text, HasSubstr("Content-Length: 5\r\n"));
  EXPECT_THAT(text, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(text, EndsWith("\r\n\r\n"));
}

}  // namespace
}  // namespace tidemill::driver

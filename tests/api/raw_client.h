#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>

namespace tidemill::driver {

// A TCP connection to a server on 127.0.0.1 that sends and reads bytes as they are.
class RawClient {
 public:
  explicit RawClient(const std::string& address) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in peer{};
    peer.sin_family = AF_INET;
    peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    peer.sin_port = htons(std::atoi(address.substr(address.rfind(':') + 1).c_str()));
    EXPECT_EQ(0, ::connect(fd_, reinterpret_cast<sockaddr*>(&peer), sizeof(peer)));
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    EXPECT_EQ(0, ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)));
  }
  ~RawClient() { ::close(fd_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // False once the server has closed.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(sent);
    }
    return true;
  }

  // One answer: head and, for a Content-Length, body. What came of it, where the server closes.
  std::string ReadAnswer(bool is_head = false) {
    std::string answer;
    while (answer.find("\r\n\r\n") == std::string::npos && ReadByte(&answer)) {
    }
    const size_t length = answer.find("Content-Length: ");
    if (is_head || length == std::string::npos) return answer;
    for (int left = std::atoi(answer.c_str() + length + 16); left > 0; --left) {
      if (!ReadByte(&answer)) break;
    }
    return answer;
  }

  std::string ReadToEnd() {
    std::string text;
    while (ReadByte(&text)) {
    }
    return text;
  }

 private:
  bool ReadByte(std::string* out) {
    char byte;
    const ssize_t read = ::recv(fd_, &byte, 1, 0);
    EXPECT_FALSE(read < 0 && errno == EAGAIN) << "the server neither answers nor closes";
    if (read != 1) return false;
    out->push_back(byte);
    return true;
  }

  const int fd_;
};

}  // namespace tidemill::driver

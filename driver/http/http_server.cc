#include "driver/http/http_server.h"

#include <fmt/format.h>
#include <pthread.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <optional>
#include <thread>
#include <utility>

#include "common/base/error.h"
#include "common/base/logging.h"
#include "common/base/mutex.h"
#include "common/rpc/listener.h"

namespace tidemill::driver {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::chrono::milliseconds kAcceptRetry{100};
constexpr size_t kMaxLingerBytes = size_t{1} << 20;

HttpResponse PlainText(int status, std::string text) {
  return {.status = status, .content_type = "text/plain", .body = std::move(text)};
}

}  // namespace

// What the connections share. But for the construction, only the server's thread touches it, and
// whoever drops the last reference after that thread has ended.
class HttpServer::Core : public std::enable_shared_from_this<HttpServer::Core> {
 public:
  explicit Core(Options options) : options_(std::move(options)), acceptor_(io_), retry_(io_) {}

  arrow::Status Listen(std::string* address);
  void Accept();

  asio::io_context& io() { return io_; }
  const Options& options() const { return options_; }
  void OnSessionBegin() { ++sessions_; }
  void OnSessionEnd() { --sessions_; }
  void LogRefused(const std::string& peer, std::string_view why);

 private:
  void OnAccepted(const error_code& error, tcp::socket socket);

  const Options options_;
  int sessions_ = 0;
  std::chrono::steady_clock::time_point next_log_{};
  int64_t unlogged_ = 0;
  asio::io_context io_;  // destroyed before what its sessions count in
  tcp::acceptor acceptor_;
  asio::steady_timer retry_;
};

// One connection. Whatever is under way holds the session; where nothing is, it dies and closes.
class HttpServer::Session : public std::enable_shared_from_this<HttpServer::Session> {
 public:
  // `core` must outlive this: its io_context owns the sessions.
  Session(Core* core, tcp::socket socket)
      : core_(core),
        limits_(core->options().limits),
        stream_(std::move(socket)),
        buffer_(2 * limits_.header_bytes),
        reply_timer_(core->io()) {
    core_->OnSessionBegin();
    error_code error;
    const tcp::endpoint peer = stream_.socket().remote_endpoint(error);
    if (!error) peer_ = fmt::format("{}:{}", peer.address().to_string(), peer.port());
  }
  ~Session() { core_->OnSessionEnd(); }

  void ReadRequest() {
    parser_.emplace();
    parser_->header_limit(static_cast<uint32_t>(limits_.header_bytes));
    stream_.expires_after(limits_.client_timeout);
    http::async_read_header(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](const error_code& error, size_t) { self->OnHeader(error); });
  }

 private:
  void OnHeader(const error_code& error) {
    if (error) {
      OnBadHeader(error);
      return;
    }
    const auto& header = parser_->get();
    is_head_ = header.method() == http::verb::head;
    keeps_alive_ = parser_->keep_alive();
    if (header.method() != http::verb::get && !is_head_) return Refuse(405, "GET or HEAD");
    if (parser_->chunked() || parser_->content_length().value_or(0) > 0) {
      return Refuse(413, "no request has a body");
    }
    const auto host = header[http::field::host];
    if (!core_->options().allows_remote && !host.empty() &&
        !IsLocalHost({host.data(), host.size()})) {
      return Refuse(403, "the Host header names another machine");
    }
    const auto method = header.method_string();
    const auto target = header.target();
    auto request = ParseTarget({method.data(), method.size()}, {target.data(), target.size()});
    if (!request.ok()) return Refuse(400, request.status().message());
    Handle(*request);
  }

  void OnBadHeader(const error_code& error) {
    is_head_ = false;
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
      return Refuse(431, fmt::format("headers of {} bytes at most", limits_.header_bytes));
    }
    if (error == http::error::body_limit) return Refuse(413, "no request has a body");
    if (error == beast::error::timeout) {
      // A connection that is only idle is no offence.
      if (parser_->got_some()) core_->LogRefused(peer_, "slow client");
      return;
    }
    const bool is_cut =
        error == http::error::end_of_stream || error == http::error::partial_message;
    const bool is_syntax =
        error.category() == http::make_error_code(http::error::end_of_stream).category();
    if (is_syntax && !is_cut) Refuse(400, error.message());
  }

  void Refuse(int status, std::string why) {
    core_->LogRefused(peer_, why);
    keeps_alive_ = false;
    Send(PlainText(status, std::move(why) + "\n"));
  }

  void Handle(const HttpRequest& request) {
    const uint64_t number = ++request_;
    is_waiting_ = true;
    // Holds the session until the reply.
    reply_timer_.expires_after(limits_.reply_timeout);
    reply_timer_.async_wait([self = shared_from_this(), number](const error_code& error) {
      if (!error) self->OnReply(number, PlainText(504, "the driver does not answer\n"));
    });
    auto reply = [core = core_->weak_from_this(), session = weak_from_this(),
                  number](HttpResponse response) {
      const std::shared_ptr<Core> alive = core.lock();
      if (alive == nullptr) return;
      asio::post(alive->io(), [session, number, response = std::move(response)]() mutable {
        if (auto self = session.lock()) self->OnReply(number, std::move(response));
      });
    };
    core_->options().handler(request, std::move(reply));
  }

  void OnReply(uint64_t number, HttpResponse response) {
    if (!is_waiting_ || number != request_) return;
    is_waiting_ = false;
    reply_timer_.cancel();
    Send(response);
  }

  void Send(const HttpResponse& response) {
    text_ = ResponseText(response, is_head_, keeps_alive_);
    stream_.expires_after(limits_.client_timeout);
    asio::async_write(
        stream_, asio::buffer(text_),
        [self = shared_from_this()](const error_code& error, size_t) { self->OnSent(error); });
  }

  void OnSent(const error_code& error) {
    if (error == beast::error::timeout) core_->LogRefused(peer_, "a client that does not read");
    if (error) return;
    text_ = std::string();
    if (keeps_alive_) {
      ReadRequest();
    } else {
      Linger();
    }
  }

  // Takes what the client still sends until it closes: a socket that is closed with unread bytes
  // resets the connection, and the client may lose the answer.
  void Linger() {
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    stream_.expires_after(limits_.linger);
    ReadAndDrop();
  }

  void ReadAndDrop() {
    buffer_.clear();
    stream_.async_read_some(buffer_.prepare(limits_.header_bytes),
                            [self = shared_from_this()](const error_code& error, size_t bytes) {
                              self->dropped_bytes_ += bytes;
                              if (!error && self->dropped_bytes_ < kMaxLingerBytes)
                                self->ReadAndDrop();
                            });
  }

  Core* const core_;
  const HttpLimits limits_;
  std::string peer_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::empty_body>> parser_;
  bool is_head_ = false;
  bool keeps_alive_ = false;
  uint64_t request_ = 0;     // number of the request under way
  bool is_waiting_ = false;  // for the handler's reply
  asio::steady_timer reply_timer_;
  std::string text_;  // of the answer that is being sent
  size_t dropped_bytes_ = 0;
};

arrow::Status HttpServer::Core::Listen(std::string* address) {
  ARROW_ASSIGN_OR_RAISE(rpc::Listener listener,
                        rpc::Listen(options_.listen, options_.allows_remote));
  error_code error;
  acceptor_.assign(listener.is_v6 ? tcp::v6() : tcp::v4(), listener.socket.fd(), error);
  if (error) {
    return MakeError(ErrorKind::kGeneral, "IO_ERROR",
                     fmt::format("cannot listen on {}: {}", options_.listen, error.message()));
  }
  (void)listener.socket.Release();  // The acceptor's now.
  *address = std::move(listener.address);
  return arrow::Status::OK();
}

void HttpServer::Core::Accept() {
  acceptor_.async_accept([this](const error_code& error, tcp::socket socket) {
    OnAccepted(error, std::move(socket));
  });
}

void HttpServer::Core::OnAccepted(const error_code& error, tcp::socket socket) {
  if (error) {
    // Out of descriptors, mostly; the connection waits in the backlog.
    LogRefused("", error.message());
    retry_.expires_after(kAcceptRetry);
    retry_.async_wait([this](const error_code& cancelled) {
      if (!cancelled) Accept();
    });
    return;
  }
  if (sessions_ >= options_.limits.connections) {
    LogRefused("", "too many connections");
  } else {
    std::make_shared<Session>(this, std::move(socket))->ReadRequest();
  }
  Accept();
}

void HttpServer::Core::LogRefused(const std::string& peer, std::string_view why) {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_log_) {
    ++unlogged_;
    return;
  }
  LogWarn("http_refused").With("peer", peer).With("why", why).With("unlogged", unlogged_);
  unlogged_ = 0;
  next_log_ = now + std::chrono::seconds(1);
}

struct HttpServer::Running {
  Mutex mutex;
  std::shared_ptr<Core> core GUARDED_BY(mutex);
  std::thread thread GUARDED_BY(mutex);
};

HttpServer::HttpServer(std::string address, std::unique_ptr<Running> running)
    : address_(std::move(address)), running_(std::move(running)) {}

HttpServer::~HttpServer() { Stop(); }

arrow::Result<std::unique_ptr<HttpServer>> HttpServer::Start(Options options) {
  auto core = std::make_shared<Core>(std::move(options));
  std::string address;
  ARROW_RETURN_NOT_OK(core->Listen(&address));
  core->Accept();
  auto running = std::make_unique<Running>();
  {
    MutexLock lock(&running->mutex);
    running->thread = std::thread([core] {
      pthread_setname_np(pthread_self(), "http");
      core->io().run();
    });
    running->core = std::move(core);
  }
  LogInfo("http_listening").With("address", address);
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(address), std::move(running)));
}

void HttpServer::Stop() {
  std::shared_ptr<Core> core;
  {
    MutexLock lock(&running_->mutex);
    core = std::move(running_->core);
    if (core == nullptr) return;
    core->io().stop();
    running_->thread.join();
  }
  // The connections close with the core, here or where a reply is just being posted.
}

}  // namespace tidemill::driver

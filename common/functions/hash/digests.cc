#include <arrow/type.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <memory>
#include <string>
#include <utility>

#include "common/base/check.h"
#include "common/base/error.h"
#include "common/functions/codec/radix_text.h"
#include "common/functions/columns.h"
#include "common/functions/hash/hash.h"
#include "common/functions/signature.h"
#include "common/functions/text_writer.h"

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

struct Free {
  void operator()(EVP_MD* algorithm) const { EVP_MD_free(algorithm); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// A digest that is set up with its first value and used for many: OpenSSL would look its algorithm
// up under a lock for each of them. *Thread-compatible.*
class Digest {
 public:
  explicit Digest(const char* name) : name_(name) {}

  // Borrowed until the next call.
  std::string_view Of(std::string_view bytes) {
    if (algorithm_ == nullptr) SetUp();
    unsigned int size = 0;
    // These fail on lack of memory alone.
    TIDEMILL_CHECK(EVP_DigestInit_ex2(context_.get(), algorithm_.get(), nullptr) == 1 &&
                   EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1 &&
                   EVP_DigestFinal_ex(context_.get(), out_.data(), &size) == 1);
    return {reinterpret_cast<const char*>(out_.data()), size};
  }

 private:
  void SetUp() {
    algorithm_.reset(EVP_MD_fetch(nullptr, name_, nullptr));
    context_.reset(EVP_MD_CTX_new());
    TIDEMILL_CHECK(algorithm_ != nullptr && context_ != nullptr);
  }

  const char* const name_;
  std::unique_ptr<EVP_MD, Free> algorithm_;
  std::unique_ptr<EVP_MD_CTX, Free> context_;
  std::array<unsigned char, EVP_MAX_MD_SIZE> out_{};
};

Kernel DigestKernel(const char* algorithm, int64_t size) {
  return [=](const EvalContext& context, Args args, int64_t rows) {
    const TextColumn bytes(args[0]);
    Digest digest(algorithm);
    return ComputeText(context, args, rows, arrow::utf8(), rows * 2 * size,
                       [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                         ARROW_RETURN_NOT_OK(AppendHex(digest.Of(bytes[row]), kLowerHex, out));
                         return true;
                       });
  };
}

// sha2(bytes, bits): NULL for a number of bits that there is no digest of.
arrow::Result<arrow::Datum> Sha2(const EvalContext& context, Args args, int64_t rows) {
  const TextColumn bytes(args[0]);
  const FixedColumn<int32_t> bits(args[1]);
  Digest digest224("SHA224"), digest256("SHA256"), digest384("SHA384"), digest512("SHA512");
  auto digest_of = [&](int32_t wanted) -> Digest* {
    switch (wanted) {
      case 0:
      case 256:
        return &digest256;
      case 224:
        return &digest224;
      case 384:
        return &digest384;
      case 512:
        return &digest512;
      default:
        return nullptr;
    }
  };
  return ComputeText(context, args, rows, arrow::utf8(), rows * 64,
                     [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                       Digest* digest = digest_of(bits[row]);
                       if (digest == nullptr) return false;
                       ARROW_RETURN_NOT_OK(AppendHex(digest->Of(bytes[row]), kLowerHex, out));
                       return true;
                     });
}

// OpenSSL's name of a digest that hmac takes, empty for all else.
std::string HmacDigestName(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    if (c != '-') plain += c >= 'a' && c <= 'z' ? static_cast<char>(c & ~0x20) : c;
  }
  for (const std::string_view known : {"MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512"}) {
    if (plain == known) return plain;
  }
  return "";
}

// The algorithms of a column of names; the last one is remembered.
class HmacAlgorithms {
 public:
  explicit HmacAlgorithms(const arrow::Datum& names) : names_(names) {}

  arrow::Result<const EVP_MD*> Find(int64_t row) {
    const std::string_view name = names_[row];
    if (last_ != nullptr && name == last_name_) return last_.get();
    const std::string known = HmacDigestName(name);
    if (known.empty()) {
      return MakeError(ErrorKind::kJobFailed, "INVALID_PARAMETER_VALUE.HMAC_ALGORITHM",
                       fmt::format("The value of parameter(s) `algorithm` in `hmac` is invalid: "
                                   "expects MD5, SHA-1, SHA-224, SHA-256, SHA-384 or SHA-512, but "
                                   "got {}.",
                                   name));
    }
    last_.reset(EVP_MD_fetch(nullptr, known.c_str(), nullptr));
    last_name_ = std::string(name);
    TIDEMILL_CHECK(last_ != nullptr);
    return last_.get();
  }

 private:
  const TextColumn names_;
  std::string last_name_;
  std::unique_ptr<EVP_MD, Free> last_;
};

// hmac(key, message[, algorithm])
arrow::Result<arrow::Datum> Hmac(const EvalContext& context, Args args, int64_t rows) {
  const TextColumn keys(args[0]), messages(args[1]);
  const arrow::Datum sha256(std::make_shared<arrow::StringScalar>("SHA-256"));
  HmacAlgorithms algorithms(args.size() == 3 ? args[2] : sha256);
  return ComputeText(
      context, args, rows, arrow::binary(), rows * 32,
      [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
        ARROW_ASSIGN_OR_RAISE(const EVP_MD* algorithm, algorithms.Find(row));
        const std::string_view key = keys[row], message = messages[row];
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned int size = 0;
        TIDEMILL_CHECK(HMAC(algorithm, key.data(), static_cast<int>(key.size()),
                            reinterpret_cast<const unsigned char*>(message.data()), message.size(),
                            digest, &size) != nullptr);
        ARROW_RETURN_NOT_OK(out->Append({reinterpret_cast<const char*>(digest), size}));
        return true;
      });
}

using CrcTables = std::array<std::array<uint32_t, 256>, 8>;

// Table t holds the remainders of a byte that t more bytes follow.
constexpr CrcTables MakeCrcTables() {
  CrcTables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1) ^ ((rest & 1) != 0 ? 0xEDB88320U : 0);
    tables[0][byte] = rest;
  }
  for (size_t t = 1; t < tables.size(); ++t) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t before = tables[t - 1][byte];
      tables[t][byte] = (before >> 8) ^ tables[0][before & 0xFF];
    }
  }
  return tables;
}

// CRC-32 of IEEE 802.3, as java.util.zip.CRC32; eight bytes at a time.
uint32_t Crc32Of(std::string_view bytes) {
  static constexpr CrcTables kTables = MakeCrcTables();
  uint32_t rest = 0xFFFFFFFFU;
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    uint64_t word;
    std::memcpy(&word, bytes.data(), 8);
    word ^= rest;
    rest = 0;
    for (size_t i = 0; i < 8; ++i) rest ^= kTables[7 - i][(word >> (8 * i)) & 0xFF];
  }
  for (const char c : bytes) {
    rest = (rest >> 8) ^ kTables[0][(rest ^ static_cast<unsigned char>(c)) & 0xFF];
  }
  return ~rest;
}

arrow::Result<arrow::Datum> Crc32(const EvalContext& context, Args args, int64_t rows) {
  const TextColumn bytes(args[0]);
  return ComputeFixedChecked<int64_t>(context, args, rows, arrow::int64(),
                                      [&](int64_t row, int64_t* out) -> arrow::Result<bool> {
                                        *out = Crc32Of(bytes[row]);
                                        return true;
                                      });
}

FunctionInfo DigestFunction(const std::string& name, const char* algorithm, int64_t size) {
  return FromSignature({.name = name,
                        .usage = fmt::format("{}(expr)", name),
                        .params = {arrow::binary()},
                        .result = arrow::utf8(),
                        .kernel = DigestKernel(algorithm, size),
                        .is_total = true});
}

}  // namespace

void AddDigestFunctions(FunctionCatalog* catalog) {
  catalog->Add(DigestFunction("md5", "MD5", 16));
  catalog->Add(DigestFunction("sha", "SHA1", 20), {"sha1"});
  catalog->Add(FromSignature({.name = "sha2",
                              .usage = "sha2(expr, bitLength)",
                              .params = {arrow::binary(), arrow::int32()},
                              .result = arrow::utf8(),
                              .kernel = Sha2,
                              .is_total = true}));
  catalog->Add(FromSignature({.name = "hmac",
                              .usage = "hmac(key, message[, algorithm])",
                              .params = {arrow::binary(), arrow::binary(), arrow::utf8()},
                              .required = 2,
                              .result = arrow::binary(),
                              .kernel = Hmac}));
  catalog->Add(FromSignature({.name = "crc32",
                              .usage = "crc32(expr)",
                              .params = {arrow::binary()},
                              .result = arrow::int64(),
                              .kernel = Crc32,
                              .is_total = true}));
}

}  // namespace tidemill

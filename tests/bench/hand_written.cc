// W1 and W2 as one would write them by hand for just these files, on one thread: how fast this
// machine could be.
//
// usage: hand_written w1|w2 FOLDER [--rows FILE]     prints the summary of works.py; FILE: its
// rows, as CSV
//
// Nothing here is durable, and what the files never have (a null, say) ends the run.
#include <fcntl.h>
#include <simdjson.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>
#ifdef __AVX2__
#include <immintrin.h>
#endif

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr size_t kBlockBytes = 4 << 20;
constexpr size_t kPadding = 64;  // read, not used, by loads of whole vectors
static_assert(kPadding >= simdjson::SIMDJSON_PADDING);

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "hand_written: %s\n", what.c_str());
  std::exit(1);
}

// Reads files into one buffer and calls `use` with blocks of whole lines, each ended by '\n'.
class BlockReader {
 public:
  template <typename Use>
  void ForEach(const std::string& folder, const std::string& extension, Use use) {
    std::vector<std::string> paths;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() == extension) paths.push_back(entry.path());
    }
    if (paths.empty()) Fail("no files: " + folder + "/*" + extension);
    std::sort(paths.begin(), paths.end());
    for (const std::string& path : paths) ReadFile(path, use);
  }

 private:
  template <typename Use>
  void ReadFile(const std::string& path, Use& use) {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) Fail("open " + path + ": " + std::strerror(errno));
    size_t kept = 0;  // of a line that ends in the next block
    while (true) {
      if (kept == buffer_.size() - kPadding) buffer_.resize(2 * buffer_.size());
      if (buffer_.size() > UINT32_MAX) Fail("a line is too long for offsets of 32 bits: " + path);
      const ssize_t got = read(file, buffer_.data() + kept, buffer_.size() - kPadding - kept);
      if (got < 0) Fail("read " + path + ": " + std::strerror(errno));
      if (got == 0) break;
      const std::string_view filled(buffer_.data(), kept + static_cast<size_t>(got));
      const size_t whole = filled.rfind('\n') + 1;
      if (whole > 0) use(filled.substr(0, whole));
      kept = filled.size() - whole;
      std::memmove(buffer_.data(), buffer_.data() + whole, kept);
    }
    close(file);
    if (kept == 0) return;
    buffer_[kept] = '\n';
    use(std::string_view(buffer_.data(), kept + 1));
  }

  std::vector<char> buffer_ = std::vector<char>(kBlockBytes + kPadding);
};

// Groups in the order of their first rows, found by open addressing in an index of their numbers.
template <typename Group>
class Groups {
 public:
  void PrefetchSlot(uint64_t hash) const { __builtin_prefetch(&index_[hash & mask_]); }

  // A guess, for the slot may be that of another group.
  void PrefetchGroup(uint64_t hash) const {
    __builtin_prefetch(groups_.data() + index_[hash & mask_], 1);
  }

  // `is(group)` is asked where hashes are equal; `make()` gives a group with its hash.
  template <typename Is, typename Make>
  Group& FindOrAdd(uint64_t hash, Is is, Make make) {
    uint64_t slot = hash & mask_;
    for (; index_[slot] != kNone; slot = (slot + 1) & mask_) {
      Group& group = groups_[index_[slot]];
      if (group.hash == hash && is(group)) return group;
    }
    index_[slot] = static_cast<uint32_t>(groups_.size());
    groups_.push_back(make());
    if (2 * groups_.size() > index_.size()) Grow();
    return groups_.back();
  }

  // A copy that lives as long as the groups.
  std::string_view Keep(std::string_view text) { return texts_.emplace_back(text); }

  const std::vector<Group>& all() const { return groups_; }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;

  void Grow() {
    index_.assign(2 * index_.size(), kNone);
    mask_ = index_.size() - 1;
    for (uint32_t number = 0; number < groups_.size(); ++number) {
      uint64_t slot = groups_[number].hash & mask_;
      while (index_[slot] != kNone) slot = (slot + 1) & mask_;
      index_[slot] = number;
    }
  }

  std::vector<uint32_t> index_ = std::vector<uint32_t>(1 << 16, kNone);
  uint64_t mask_ = index_.size() - 1;
  std::vector<Group> groups_;
  std::deque<std::string> texts_;
};

// A file of rows as DuckDB reads them; texts are quoted.
class RowFile {
 public:
  RowFile(const std::string& path, const char* header) : file_(std::fopen(path.c_str(), "w")) {
    if (file_ == nullptr) Fail("open " + path + ": " + std::strerror(errno));
    std::fprintf(file_, "%s\n", header);
  }
  ~RowFile() {
    if (std::fclose(file_) != 0) Fail(std::string("write rows: ") + std::strerror(errno));
  }
  RowFile(const RowFile&) = delete;
  RowFile& operator=(const RowFile&) = delete;

  FILE* file() { return file_; }

  void Text(std::string_view text) {
    std::fputc('"', file_);
    for (const char one : text) {
      if (one == '"') std::fputc('"', file_);
      std::fputc(one, file_);
    }
    std::fputc('"', file_);
  }

 private:
  FILE* const file_;
};

struct Word {
  uint64_t hash;
  int64_t count;
  std::string_view text;
};

// W1: delimiters of a block into an array, then the words between them by batches, whose hashes are
// known and whose places in memory are on their way before the first of them is looked up.
class WordCount {
 public:
  void Add(std::string_view block) {
    if (capacity_ < block.size() + kPadding) {
      capacity_ = block.size() + kPadding;
      delimiters_ = std::make_unique_for_overwrite<uint32_t[]>(capacity_);
    }
    const size_t found = FindDelimiters(block);
    uint32_t begin = 0;
    for (size_t first = 0; first < found; first += kBatch) {
      begin = AddBatch(block, first, std::min(kBatch, found - first), begin);
    }
  }

  void PrintSummary() const {
    int64_t rows = 0;
    for (const Word& word : words_.all()) rows += word.count;
    std::printf("%zu %lld\n", words_.all().size(), static_cast<long long>(rows));
  }

  void Write(const std::string& path) const {
    RowFile rows(path, "word,count");
    for (const Word& word : words_.all()) {
      rows.Text(word.text);
      std::fprintf(rows.file(), ",%lld\n", static_cast<long long>(word.count));
    }
  }

 private:
  static constexpr size_t kBatch = 2048;

  // Of blanks and line ends; returns how many.
  size_t FindDelimiters(std::string_view block) {
    uint32_t* out = delimiters_.get();
    size_t at = 0;
#ifdef __AVX2__
    const __m256i blank = _mm256_set1_epi8(' ');
    const __m256i line_end = _mm256_set1_epi8('\n');
    for (; at + 32 <= block.size(); at += 32) {
      const __m256i text = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(&block[at]));
      const __m256i hits =
          _mm256_or_si256(_mm256_cmpeq_epi8(text, blank), _mm256_cmpeq_epi8(text, line_end));
      auto bits = static_cast<uint32_t>(_mm256_movemask_epi8(hits));
      for (; bits != 0; bits &= bits - 1) {
        *out++ = static_cast<uint32_t>(at) + static_cast<uint32_t>(std::countr_zero(bits));
      }
    }
#endif
    for (; at < block.size(); ++at) {
      if (block[at] == ' ' || block[at] == '\n') *out++ = static_cast<uint32_t>(at);
    }
    return static_cast<size_t>(out - delimiters_.get());
  }

  // Of up to eight bytes without collisions: both steps can be undone. Reads eight bytes in any
  // case.
  static uint64_t HashOf(std::string_view text) {
    if (text.size() > 8) return XXH3_64bits(text.data(), text.size());
    uint64_t number;
    std::memcpy(&number, text.data(), sizeof(number));
    if (text.size() < 8) number &= (uint64_t{1} << 8 * text.size()) - 1;
    number *= 0x9E3779B97F4A7C15;
    return number ^ number >> 32;
  }

  // Returns where the next word begins.
  uint32_t AddBatch(std::string_view block, size_t first, size_t count, uint32_t begin) {
    for (size_t i = 0; i < count; ++i) {
      const uint32_t end = delimiters_[first + i];
      texts_[i] = block.substr(begin, end - begin);
      hashes_[i] = HashOf(texts_[i]);
      words_.PrefetchSlot(hashes_[i]);
      begin = end + 1;
    }
    for (size_t i = 0; i < count; ++i) words_.PrefetchGroup(hashes_[i]);
    for (size_t i = 0; i < count; ++i) AddWord(texts_[i], hashes_[i]);
    return begin;
  }

  void AddWord(std::string_view text, uint64_t hash) {
    const auto is = [&](const Word& word) {
      return word.text.size() == text.size() &&
             (text.size() <= 8 || std::memcmp(word.text.data(), text.data(), text.size()) == 0);
    };
    const auto make = [&] { return Word{hash, 0, words_.Keep(text)}; };
    ++words_.FindOrAdd(hash, is, make).count;
  }

  size_t capacity_ = 0;
  std::unique_ptr<uint32_t[]> delimiters_;
  std::array<std::string_view, kBatch> texts_;
  std::array<uint64_t, kBatch> hashes_;
  Groups<Word> words_;
};

struct PageMinute {
  uint64_t hash;
  int64_t minute;
  std::string_view page;
  int64_t count;
  double sum;
  double max;
};

// W2: a block is one parse of many documents, each of which is read where its three columns are and
// no further.
class PageMinutes {
 public:
  PageMinutes() { parser_.threaded = false; }

  void Add(std::string_view block) {
    simdjson::ondemand::document_stream events;
    Check(parser_.iterate_many(block.data(), block.size(), block.size()).get(events));
    for (auto event : events) {
      std::string_view time;
      std::string_view page;
      double latency;
      Check(event["event_time"].get(time));
      Check(event["page"].get(page));
      Check(event["latency_ms"].get(latency));
      AddEvent(MinuteOf(time), page, latency);
    }
    if (events.truncated_bytes() > 0) Fail("the last document of a block is not complete");
  }

  void PrintSummary() const {
    int64_t rows = 0;
    double mean = 0;
    double most = 0;
    for (const PageMinute& group : groups_.all()) {
      rows += group.count;
      mean = std::max(mean, group.sum / static_cast<double>(group.count));
      most = std::max(most, group.max);
    }
    std::printf("%zu %lld %.17g %.17g\n", groups_.all().size(), static_cast<long long>(rows), mean,
                most);
  }

  void Write(const std::string& path) const {
    RowFile rows(path, "start,page,n,mean,most");
    for (const PageMinute& group : groups_.all()) {
      WriteMinute(rows.file(), group.minute);
      rows.Text(group.page);
      std::fprintf(rows.file(), ",%lld,%.17g,%.17g\n", static_cast<long long>(group.count),
                   group.sum / static_cast<double>(group.count), group.max);
    }
  }

 private:
  static void Check(simdjson::error_code error) {
    if (error) Fail(std::string("JSON: ") + simdjson::error_message(error));
  }

  static int Number(std::string_view text) {
    int number = 0;
    for (const char digit : text) number = 10 * number + (digit - '0');
    return number;
  }

  // Minutes since 1970 of 2026-01-31T12:34:56.789Z; files are in order of time, so the date is
  // mostly known.
  int64_t MinuteOf(std::string_view text) {
    if (text.size() < 20 || text[10] != 'T' || text.back() != 'Z')
      Fail("not a time: " + std::string(text));
    const std::string_view date = text.substr(0, 10);
    if (date != date_) {
      const std::chrono::year_month_day day(std::chrono::year(Number(date.substr(0, 4))),
                                            std::chrono::month(Number(date.substr(5, 2))),
                                            std::chrono::day(Number(date.substr(8, 2))));
      if (!day.ok()) Fail("not a date: " + std::string(date));
      date_ = date;
      date_minute_ = std::chrono::sys_days(day).time_since_epoch() / std::chrono::minutes(1);
    }
    return date_minute_ + int64_t{60} * Number(text.substr(11, 2)) + Number(text.substr(14, 2));
  }

  static void WriteMinute(FILE* file, int64_t minute) {
    const std::chrono::sys_time<std::chrono::minutes> time{std::chrono::minutes(minute)};
    const auto midnight = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day day(midnight);
    const std::chrono::hh_mm_ss hour(time - midnight);
    std::fprintf(file, "%04d-%02u-%02u %02d:%02d:00,", static_cast<int>(day.year()),
                 static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()),
                 static_cast<int>(hour.hours().count()), static_cast<int>(hour.minutes().count()));
  }

  void AddEvent(int64_t minute, std::string_view page, double latency) {
    const uint64_t hash =
        XXH3_64bits_withSeed(page.data(), page.size(), static_cast<uint64_t>(minute));
    const auto is = [&](const PageMinute& group) {
      return group.minute == minute && group.page == page;
    };
    const auto make = [&] { return PageMinute{hash, minute, groups_.Keep(page), 0, 0, latency}; };
    PageMinute& group = groups_.FindOrAdd(hash, is, make);
    ++group.count;
    group.sum += latency;
    group.max = std::max(group.max, latency);
  }

  simdjson::ondemand::parser parser_;
  std::string date_;
  int64_t date_minute_ = 0;
  Groups<PageMinute> groups_;
};

template <typename Work>
void Run(const std::string& folder, const std::string& extension, const std::string& rows) {
  const auto work = std::make_unique<Work>();
  BlockReader().ForEach(folder, extension, [&](std::string_view block) { work->Add(block); });
  work->PrintSummary();
  if (!rows.empty()) work->Write(rows);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const bool writes_rows = arguments.size() == 4 && arguments[2] == "--rows";
  const bool is_known = !arguments.empty() && (arguments[0] == "w1" || arguments[0] == "w2");
  if (!is_known || !(arguments.size() == 2 || writes_rows)) {
    std::fprintf(stderr, "usage: hand_written w1|w2 FOLDER [--rows FILE]\n");
    return 2;
  }
  const std::string rows = writes_rows ? arguments[3] : "";
  if (arguments[0] == "w1") Run<WordCount>(arguments[1], ".txt", rows);
  if (arguments[0] == "w2") Run<PageMinutes>(arguments[1], ".json", rows);
}

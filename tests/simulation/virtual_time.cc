#include "tests/simulation/virtual_time.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "common/base/hash.h"

namespace tidemill::testing {

namespace {

constexpr Micros kStart{1'700'000'000'000'000};

}  // namespace

VirtualTime::VirtualTime(uint64_t seed) : seed_(seed), now_(kStart) {}

// What tasks own may look at the time, or post, while it dies.
VirtualTime::~VirtualTime() {
  while (!queue_.empty() || !held_.empty()) {
    const auto queue = std::exchange(queue_, {});
    const auto held = std::exchange(held_, {});
  }
}

Micros VirtualTime::elapsed() const { return now_ - kStart; }

uint64_t VirtualTime::Next() { return SplitMix64(seed_, draws_++); }

Micros VirtualTime::Draw(Micros low, Micros high) {
  if (high <= low) return low;
  return low + Micros(static_cast<int64_t>(Draw(static_cast<uint64_t>((high - low).count()))));
}

bool VirtualTime::Chance(double probability) {
  return probability > 0 && static_cast<double>(Next() >> 11) * 0x1.0p-53 < probability;
}

void VirtualTime::At(Micros when, const ProcessPtr& process, Task task) {
  if (process != nullptr && process->is_dead) return;
  queue_.emplace(Key{std::max(when, now_), sequence_++}, Entry{process, std::move(task)});
}

void VirtualTime::After(Micros delay, const ProcessPtr& process, Task task) {
  At(now_ + delay, process, std::move(task));
}

bool VirtualTime::RunOne() {
  while (!queue_.empty()) {
    auto node = queue_.extract(queue_.begin());
    Entry entry = std::move(node.mapped());
    if (entry.process != nullptr && entry.process->is_dead) continue;
    if (entry.process != nullptr && entry.process->is_paused) {
      held_[entry.process].emplace(node.key(), std::move(entry));
      continue;
    }
    now_ = std::max(now_, node.key().first);
    ++tasks_run_;
    entry.task();
    return true;
  }
  return false;
}

void VirtualTime::Kill(const ProcessPtr& process, std::string_view why) {
  if (process->is_dead) return;
  process->is_dead = true;
  Trace(fmt::format("kill {}: {}", process->name, why));
}

void VirtualTime::Bury(const ProcessPtr& process) {
  std::vector<Entry> dropped;  // Destroyed when the queue is whole again: what dies may post.
  for (auto entry = queue_.begin(); entry != queue_.end();) {
    if (entry->second.process != process) {
      ++entry;
      continue;
    }
    dropped.push_back(std::move(entry->second));
    entry = queue_.erase(entry);
  }
  if (auto held = held_.extract(process); !held.empty()) {
    for (auto& [key, entry] : held.mapped()) dropped.push_back(std::move(entry));
  }
}

void VirtualTime::Pause(const ProcessPtr& process) {
  process->is_paused = true;
  Trace(fmt::format("pause {}", process->name));
}

void VirtualTime::Resume(const ProcessPtr& process) {
  if (!process->is_paused) return;
  process->is_paused = false;
  Trace(fmt::format("resume {}", process->name));
  // Under their old times, so that they stay before what was posted after them.
  if (auto held = held_.extract(process); !held.empty()) queue_.merge(held.mapped());
}

bool VirtualTime::Step(const ProcessPtr& process) {
  if (process == nullptr) return true;
  if (process->is_dead) return false;
  if (process->steps_to_death > 0 && --process->steps_to_death == 0) Kill(process, "at a step");
  return !process->is_dead;
}

void VirtualTime::Trace(std::string_view event) {
  const std::string line = fmt::format("{:>12.6f} {}", elapsed().count() / 1e6, event);
  trace_hash_ = Hash64(line) ^ (trace_hash_ * 0x9E3779B97F4A7C15ULL);
  if (prints_) std::fprintf(stderr, "%s\n", line.c_str());
}

void SimulatedExecutor::Post(Task task) {
  if (is_stopped_ || process_->is_dead) return;
  if (kind_ == Kind::kSerial) {
    // Mostly at once; now and then the thread has to wait for a processor.
    const bool is_slow = time_->Draw(64) == 0;
    last_ = std::max(last_ + Micros(1),
                     time_->now() + (is_slow ? time_->Draw(Micros(10), Micros(3'000)) : Micros(1)));
    return time_->At(last_, process_, std::move(task));
  }
  const bool is_slow = time_->Draw(32) == 0;
  time_->After(
      is_slow ? time_->Draw(Micros(500), Micros(20'000)) : time_->Draw(Micros(20), Micros(400)),
      process_, std::move(task));
}

void SimulatedExecutor::PostAfter(std::chrono::nanoseconds delay, Task task) {
  if (is_stopped_) return;
  time_->After(std::chrono::ceil<Micros>(delay), process_, std::move(task));
}

}  // namespace tidemill::testing

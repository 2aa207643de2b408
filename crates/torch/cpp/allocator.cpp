// Memory of CPU tensors. Batches differ in size from step to step; malloc answers that with a heap that creeps and with pages that are
// returned and faulted in again. Large blocks are kept here by size class instead, and handed out again.
#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <mutex>
#include <new>
#include <unordered_map>
#include <vector>

#include "guard.h"

namespace {

constexpr size_t SMALL = size_t{64} << 10; // below, malloc is as good
constexpr size_t ALIGNMENT = 64;           // a cache line and an AVX-512 vector
constexpr size_t HUGE_PAGE = size_t{2} << 20;
constexpr int STEPS = 4; // size classes per doubling: at most a fifth of a block is padding

struct SizeClass {
  size_t index;
  size_t bytes;
};

// The smallest class that holds `bytes` >= SMALL: SMALL * 2^e * (1 + s / STEPS).
SizeClass class_of(size_t bytes) {
  const int doublings = std::bit_width((bytes - 1) / SMALL) - 1;
  const size_t base = doublings < 0 ? SMALL : SMALL << doublings;
  const size_t step = base / STEPS;
  const size_t steps = doublings < 0 ? 0 : (bytes - base + step - 1) / step;
  return {static_cast<size_t>(std::max(doublings, 0)) * STEPS + steps, base + steps * step};
}

// Blocks by class. What is live and kept together never exceeds the most that was ever live by more than a quarter: a rare batch
// shape cannot leave its blocks behind for good.
class Blocks {
public:
  void *take(size_t bytes) {
    const SizeClass size = class_of(bytes);
    TORCH_CHECK_WITH(OutOfMemoryError, size.index < kept.size(), "cannot hold a tensor of ", bytes, " bytes");
    if (void *block = reuse(size)) return block;
    shrink([&] { return std::max(peak, live + size.bytes) / 4 * 5 - size.bytes; });
    void *block = map(size.bytes);
    if (!block) {
      shrink([] { return size_t{0}; });
      block = map(size.bytes);
    }
    TORCH_CHECK_WITH(OutOfMemoryError, block, "not enough memory for a tensor of ", bytes,
                     " bytes; smaller batches (maxTokens) or a smaller model need less");
    const std::lock_guard lock(mutex);
    try {
      classes.emplace(block, size);
    } catch (...) {
      munmap(block, size.bytes);
      throw;
    }
    count(size.bytes);
    return block;
  }

  // False for a block that is not from here.
  bool give(void *block) noexcept {
    const std::lock_guard lock(mutex);
    const auto found = classes.find(block);
    if (found == classes.end()) return false;
    const SizeClass size = found->second;
    live -= size.bytes;
    try {
      kept[size.index].push_back({block, size.bytes, ++clock});
      cached += size.bytes;
    } catch (const std::bad_alloc &) {
      classes.erase(found);
      munmap(block, size.bytes);
    }
    return true;
  }

  // Returns everything kept to the system, as after a session: the next may be of any other size.
  void release() {
    shrink([] { return size_t{0}; });
    const std::lock_guard lock(mutex);
    peak = live;
  }

private:
  struct Kept {
    void *block;
    size_t bytes;
    uint64_t since;
  };

  // The kept block of that class which was used last: the likeliest to be in a processor's cache.
  void *reuse(const SizeClass &size) {
    const std::lock_guard lock(mutex);
    auto &own = kept[size.index];
    if (own.empty()) return nullptr;
    void *block = own.back().block;
    own.pop_back();
    cached -= size.bytes;
    count(size.bytes);
    return block;
  }

  void count(size_t bytes) {
    live += bytes;
    peak = std::max(peak, live);
  }

  static void *map(size_t bytes) {
    void *block = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) return nullptr;
    // Where the system has huge pages for those who ask, a matrix needs few entries of the translation buffer.
    if (bytes >= 2 * HUGE_PAGE) madvise(block, bytes, MADV_HUGEPAGE);
    return block;
  }

  // Returns kept blocks, those unused for longest first, until live and kept bytes together are within the limit or none is kept. The
  // system's part, which is slow for large blocks, holds up no other thread.
  template <typename Limit> void shrink(const Limit &limit) {
    std::vector<Kept> out;
    {
      const std::lock_guard lock(mutex);
      while (cached > 0 && live + cached > limit()) {
        std::deque<Kept> *oldest = nullptr;
        for (auto &own : kept)
          if (!own.empty() && (!oldest || own.front().since < oldest->front().since)) oldest = &own;
        out.push_back(oldest->front());
        classes.erase(oldest->front().block);
        cached -= oldest->front().bytes;
        oldest->pop_front();
      }
    }
    for (const Kept &one : out) munmap(one.block, one.bytes);
  }

  std::mutex mutex;
  std::array<std::deque<Kept>, 36 * STEPS> kept; // up to 2^52 bytes; the back of each was used last
  std::unordered_map<void *, SizeClass> classes; // of every block, live or kept
  size_t live = 0, cached = 0, peak = 0;
  uint64_t clock = 0;
};

// Never destroyed: tensors of other threads may outlive every static object.
Blocks &blocks() {
  static Blocks *const all = new Blocks;
  return *all;
}

void free_block(void *block) {
  if (block && !blocks().give(block)) std::free(block);
}

struct CachingAllocator final : at::Allocator {
  at::DataPtr allocate(size_t bytes) override {
    void *block = nullptr;
    if (bytes >= SMALL) {
      block = blocks().take(bytes);
    } else if (bytes > 0) {
      block = std::aligned_alloc(ALIGNMENT, (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
      TORCH_CHECK_WITH(OutOfMemoryError, block, "not enough memory for a tensor of ", bytes, " bytes");
    }
    return {block, block, bytes >= SMALL ? &free_block : &std::free, at::Device(at::DeviceType::CPU)};
  }
  at::DeleterFnPtr raw_deleter() const override { return &free_block; }
  void copy_data(void *target, const void *source, size_t bytes) const override { std::memcpy(target, source, bytes); }
};

} // namespace

SAGETRAIN_EXPORT sagetrain_status sagetrain_cache_memory() {
  return sagetrain::guard([] {
    // c10 forbids to set it while others allocate: once, by the first engine, and for good.
    static const bool set = [] {
      c10::SetCPUAllocator(new CachingAllocator, 1);
      return true;
    }();
    (void)set;
  });
}

SAGETRAIN_EXPORT sagetrain_status sagetrain_release_memory() {
  return sagetrain::guard([] { blocks().release(); });
}

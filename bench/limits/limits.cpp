// What this machine can do at most: arithmetic from registers, memory bandwidth, page faults.
// Compiled at run time with -O3 -march=native (see __init__.py) and called through ctypes; every
// function returns a rate (operations or bytes per second) over `threads` threads.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include <sys/mman.h>
#if defined(__AVX__)
#include <immintrin.h>
#endif

namespace {

#if defined(__AVX512F__)
constexpr std::size_t kVectorBytes = 64;
#elif defined(__AVX__)
constexpr std::size_t kVectorBytes = 32;
#else
constexpr std::size_t kVectorBytes = 16;
#endif

// 12 independent sums hide 4 cycles of latency on 2 ports and leave registers for the operands.
constexpr int kAccumulators = 12;

double seconds_now() {
  using Clock = std::chrono::steady_clock;
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

// Runs `work(thread)` on all threads at once and returns the wall time from the common start.
template <class Work>
double timed_on_all_threads(int threads, const Work& work) {
  std::atomic<int> waiting{0};
  std::atomic<bool> go{false};
  std::vector<std::thread> pool;
  for (int thread = 1; thread < threads; ++thread) {
    pool.emplace_back([&, thread] {
      ++waiting;
      while (!go) {
      }
      work(thread);
    });
  }
  while (waiting != threads - 1) {
  }
  const double start = seconds_now();
  go = true;
  work(0);
  for (auto& member : pool) member.join();
  return seconds_now() - start;
}

// One batch of chained multiply-adds. The order of floating-point operations is fixed, so the
// compiler can neither fold nor drop them; being a function of its own keeps the sums in registers.
template <class Scalar>
__attribute__((noinline)) Scalar multiply_add_batch(std::int64_t steps, Scalar factor_of_all) {
  typedef Scalar Vector __attribute__((vector_size(kVectorBytes)));
  const Vector factor = Vector{} + factor_of_all;
  Vector sums[kAccumulators];
  for (int k = 0; k < kAccumulators; ++k) sums[k] = Vector{} + Scalar(k);
  for (std::int64_t step = 0; step < steps; ++step) {
    for (int k = 0; k < kAccumulators; ++k) sums[k] = sums[k] * factor + factor;
  }
  Vector total{};
  for (const auto& sum : sums) total += sum;
  return total[0];
}

template <class Scalar>
double fma_rate(int threads, double seconds) {
  constexpr double kOperationsPerStep = 2.0 * kAccumulators * kVectorBytes / sizeof(Scalar);
  constexpr std::int64_t kBatch = 1 << 16;
  std::vector<double> operations(static_cast<std::size_t>(threads));
  std::vector<Scalar> results(static_cast<std::size_t>(threads));
  const double wall = timed_on_all_threads(threads, [&](int thread) {
    Scalar result = 0;
    double count = 0;
    const double end = seconds_now() + seconds;
    while (seconds_now() < end) {
      result += multiply_add_batch<Scalar>(kBatch, Scalar(0.5));
      count += kOperationsPerStep * kBatch;
    }
    results[static_cast<std::size_t>(thread)] = result;
    operations[static_cast<std::size_t>(thread)] = count;
  });
  double total = 0;
  for (const double count : operations) total += count;
  return total / wall;
}

// Each thread reads its own slice once with a sum in 8 vectors; `touched` outlives the call.
volatile std::uint64_t touched;

void read_slice(const std::uint64_t* data, std::size_t words) {
  typedef std::uint64_t Vector __attribute__((vector_size(kVectorBytes)));
  constexpr std::size_t kWords = 8 * kVectorBytes / 8;
  Vector sums[8] = {};
  for (std::size_t i = 0; i + kWords <= words; i += kWords) {
    const auto* block = reinterpret_cast<const Vector*>(data + i);
    for (int k = 0; k < 8; ++k) sums[k] ^= block[k];
  }
  std::uint64_t total = 0;
  for (const auto& sum : sums) total ^= sum[0];
  touched = total;
}

// Streaming stores where the machine has them: no read of the line to be overwritten.
void write_slice(std::uint64_t* data, std::size_t words) {
#if defined(__AVX__)
  const __m256i ones = _mm256_set1_epi64x(1);
  for (std::size_t i = 0; i + 4 <= words; i += 4) {
    _mm256_stream_si256(reinterpret_cast<__m256i*>(data + i), ones);
  }
  _mm_sfence();
#else
  std::memset(data, 1, words * sizeof(std::uint64_t));
#endif
}

struct Mapping {
  explicit Mapping(std::size_t size) : bytes(size) {
    void* raw = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    data = raw == MAP_FAILED ? nullptr : static_cast<std::uint64_t*>(raw);
  }
  ~Mapping() {
    if (data != nullptr) munmap(data, bytes);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  std::size_t bytes;
  std::uint64_t* data;
};

// Best bytes/second of `repeats` passes of `pass(slice, words)` over `bytes` of touched memory.
template <class Pass>
double bandwidth(int threads, std::size_t bytes, int repeats, const Pass& pass) {
  const Mapping memory(bytes);
  if (memory.data == nullptr) return 0.0;
  std::memset(memory.data, 1, bytes);
  const std::size_t words = bytes / 8 / static_cast<std::size_t>(threads) / 64 * 64;
  double best = 0;
  for (int repeat = 0; repeat < repeats; ++repeat) {
    const double wall = timed_on_all_threads(
        threads, [&](int thread) { pass(memory.data + words * static_cast<std::size_t>(thread), words); });
    best = std::max(best, 8.0 * static_cast<double>(words) * threads / wall);
  }
  return best;
}

}  // namespace

extern "C" {

double fma_float32(int threads, double seconds) { return fma_rate<float>(threads, seconds); }

double fma_float64(int threads, double seconds) { return fma_rate<double>(threads, seconds); }

double memory_read(int threads, std::size_t bytes, int repeats) {
  return bandwidth(threads, bytes, repeats, read_slice);
}

double memory_write(int threads, std::size_t bytes, int repeats) {
  return bandwidth(threads, bytes, repeats, write_slice);
}

// First write to fresh pages, as any result that is a new array must pay it. Large pages are asked
// for where the system has them, as NumPy does for its large arrays.
double fresh_write(int threads, std::size_t bytes, int repeats) {
  double best = 0;
  for (int repeat = 0; repeat < repeats; ++repeat) {
    const Mapping memory(bytes);
    if (memory.data == nullptr) return 0.0;
#if defined(MADV_HUGEPAGE)
    madvise(memory.data, bytes, MADV_HUGEPAGE);
#endif
    const std::size_t share = bytes / static_cast<std::size_t>(threads);
    const double wall = timed_on_all_threads(threads, [&](int thread) {
      std::memset(reinterpret_cast<char*>(memory.data) + share * static_cast<std::size_t>(thread), 1, share);
    });
    best = std::max(best, static_cast<double>(share) * threads / wall);
  }
  return best;
}
}

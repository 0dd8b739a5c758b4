#include "allocations.hpp"

#include <atomic>
#include <cstddef>

// GCC says by a macro that a sanitizer is on, Clang by a feature, which Eigen's headers define for GCC too.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define DYNAPLAN_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define DYNAPLAN_SANITIZED
#endif
#endif

// The executable's malloc takes the place of the C library's for everything it is linked with, operator new and the
// OpenMP runtime included. Sanitizers bring their own malloc, which must not be taken away from them.
#if defined(__GLIBC__) && !defined(DYNAPLAN_SANITIZED)

namespace {

std::atomic<long> count{0};

}  // namespace

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t number, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
  ++count;
  return __libc_malloc(size);
}

void* calloc(std::size_t number, std::size_t size) {
  ++count;
  return __libc_calloc(number, size);
}

void* realloc(void* memory, std::size_t size) {
  ++count;
  return __libc_realloc(memory, size);
}

void* memalign(std::size_t alignment, std::size_t size) {
  ++count;
  return __libc_memalign(alignment, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) {
  ++count;
  return __libc_memalign(alignment, size);
}

int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  ++count;
  *memory = __libc_memalign(alignment, size);
  return *memory != nullptr ? 0 : 12;
}
}

long dynaplan_test::allocations() { return count; }

#else

long dynaplan_test::allocations() { return 0; }

#endif

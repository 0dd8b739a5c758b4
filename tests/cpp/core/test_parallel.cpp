#include <doctest/doctest.h>

#include <atomic>
#include <vector>

#include "dynaplan/core/error.hpp"
#include "dynaplan/core/parallel.hpp"

using namespace dynaplan;

TEST_CASE("every item runs once, on a thread of the team") {
  for (const int threads : {1, 2, 4}) {
    std::vector<std::atomic<int>> runs(1000);
    std::atomic<bool> thread_in_range{true};
    parallel_for(1000, threads, [&](Index item, int thread) {
      ++runs[static_cast<std::size_t>(item)];
      if (thread < 0 || thread >= threads) thread_in_range = false;
    });
    CHECK(thread_in_range);
    for (const auto& count : runs) REQUIRE(count == 1);
  }
}

TEST_CASE("an exception of an item reaches the caller and the next loop works") {
  for (const int threads : {1, 2}) {
    const auto body = [](Index item, int) {
      if (item == 37) throw ValueError("item 37");
    };
    CHECK_THROWS_WITH_AS(parallel_for(100, threads, body), "item 37", ValueError);
    std::atomic<int> runs{0};
    parallel_for(100, threads, [&](Index, int) { ++runs; });
    CHECK(runs == 100);
  }
}

TEST_CASE("threads are checked and never more than items") {
  CHECK_THROWS_AS(usable_threads(5, 0), ValueError);
  CHECK(usable_threads(3, 8) == 3);
  CHECK(usable_threads(0, 8) == 1);
}

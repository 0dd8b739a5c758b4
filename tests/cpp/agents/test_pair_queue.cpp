#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "dynaplan/agents/pair_queue.hpp"
#include "dynaplan/agents/predecessors.hpp"
#include "dynaplan/core/word_stream.hpp"

using namespace dynaplan;

TEST_CASE("the queue gives what a search through all its pairs would give") {
  constexpr Index kPairs = 40;
  PairQueue queue(kPairs);
  std::map<Index, double> expected;
  WordStream stream(1);
  for (int turn = 0; turn < 20000; ++turn) {
    if (stream.below(5) < 3) {
      const Index pair = stream.below(kPairs);
      const auto priority = static_cast<double>(stream.below(6));  // few of them: ties are common
      queue.push(pair, priority);
      const auto known = expected.find(pair);
      expected[pair] = known == expected.end() ? priority : std::max(known->second, priority);
    } else if (!expected.empty()) {
      auto first = expected.begin();
      for (auto one = expected.begin(); one != expected.end(); ++one) {
        if (one->second > first->second) first = one;
      }
      CHECK(queue.pop() == first->first);
      CHECK(!queue.contains(first->first));
      expected.erase(first);
    }
    REQUIRE(queue.empty() == expected.empty());
    REQUIRE(queue.pairs().size() == expected.size());
  }
}

TEST_CASE("predecessors follow pairs that lead elsewhere later") {
  constexpr Index kStates = 6;
  constexpr Index kPairs = 24;
  Predecessors predecessors(kStates, kPairs);
  std::vector<Index> leads_to(kPairs, -1);
  WordStream stream(2);
  for (int turn = 0; turn < 3000; ++turn) {
    const Index pair = stream.below(kPairs);
    const Index state = stream.below(kStates);
    predecessors.link(pair, state);
    leads_to[static_cast<std::size_t>(pair)] = state;
    for (Index s = 0; s < kStates; ++s) {
      std::vector<Index> found;
      for (Index p = predecessors.first(s); p >= 0; p = predecessors.after(p)) found.push_back(p);
      std::sort(found.begin(), found.end());
      std::vector<Index> wanted;
      for (Index p = 0; p < kPairs; ++p) {
        if (leads_to[static_cast<std::size_t>(p)] == s) wanted.push_back(p);
      }
      REQUIRE(found == wanted);
    }
  }
}

#include <cstdio>

#include "processor_level.hpp"

// Prints the highest level this machine runs; run once by CMake when the levels are chosen.
int main() {
  const int level = dynaplan::processor::level();
  if (level >= 2) std::printf("v%d", level);
  return level >= 2 ? 0 : 1;
}

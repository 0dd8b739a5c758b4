#include "dynaplan/core/word_stream.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

WordStream::WordStream(std::uint64_t seed, std::uint64_t place)
    : seed_(seed), first_(place - place % kStreamWords), used_(place % kStreamWords) {
  fill_words(seed_, first_, words_.data());
}

void WordStream::refill() {
  first_ += kStreamWords;
  used_ = 0;
  fill_words(seed_, first_, words_.data());
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

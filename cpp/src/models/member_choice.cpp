#include "dynaplan/models/member_choice.hpp"

#include <algorithm>
#include <utility>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

using Word = std::uint32_t;

// Four random words of the stream for `step`. They count down from the last candidate, which none ever is, so that
// they share no counter with the noise.
std::array<Word, 4> words(const Stream& stream, Index group, Index step) {
  const Word iteration = stream.iteration * 4U + static_cast<Word>(Purpose::kDynamics);
  return philox({~static_cast<Word>(group), static_cast<Word>(step), iteration, stream.call}, key_of(stream.seed));
}

}  // namespace

Index lasting_member(const Draw& draw, Index members) {
  if (members == 1) return 0;
  if (draw.particles >= members) return draw.particle * members / draw.particles;
  return (draw.particle + below(words(draw.stream, 0, 0)[0], members)) % members;
}

Index dealt_member(const Draw& draw, Index members) {
  if (members == 1) return 0;
  // The particle's place in a random order of all particles (or members, if they are more) is the number of random
  // words below its own: a permutation without memory for one.
  const Index places = std::max(draw.particles, members);
  const auto drawn = [&](Index i) { return words(draw.stream, 1 + i / 4, draw.step)[static_cast<std::size_t>(i % 4)]; };
  const std::pair<Word, Index> own{drawn(draw.particle), draw.particle};
  Index place = 0;
  for (Index i = 0; i < places; i += 4) {
    const std::array<Word, 4> group = words(draw.stream, 1 + i / 4, draw.step);
    for (Index j = i; j < std::min(i + 4, places); ++j) {
      place += std::pair{group[static_cast<std::size_t>(j - i)], j} < own ? 1 : 0;
    }
  }
  // Where the members do not go evenly into the particles, chance decides which ones serve once more.
  const Index start = below(words(draw.stream, 0, draw.step)[1], members);
  return (place * members / places + start) % members;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

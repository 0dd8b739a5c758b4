#include "dynaplan/rollout/moment_matching.hpp"

#include <algorithm>
#include <cmath>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// For each lane the number of particles that are alive.
template <class T>
void count_alive(ConstBlock<T> alive, Index particles, Index lanes, T* count) {
  std::fill_n(count, lanes, alive.data != nullptr ? T(0) : static_cast<T>(particles));
  for (Index p = 0; p < alive.dim; ++p) {
    for (Index k = 0; k < lanes; ++k) count[k] += alive.row(p)[k];
  }
}

// Divides each row by the lanes' counts, or by 1 where they are less.
template <class T>
void divide(const T* count, T less, Block<T> sum) {
  for (Index i = 0; i < sum.dim; ++i) {
    for (Index k = 0; k < sum.lanes; ++k) sum.row(i)[k] /= std::max(count[k] - less, T(1));
  }
}

// A choice, not a product: an ended particle's state may be nan and must not count.
template <class T>
T if_alive(const T* alive, Index lane, T value) {
  return alive == nullptr || alive[lane] != T(0) ? value : T(0);
}

// Brings the particles that are alive to within half a turn of the first one of their lane.
template <class T>
void gather(const Angle& angle, ConstBlock<T> alive, const Draw& draw, const ParticleStates<T>& states, Index lane) {
  const auto value = [&](Index p) -> T& { return states.of(p).row(angle.state)[lane]; };
  const auto lives = [&](Index p) { return alive.data == nullptr || alive.row(p)[lane] != T(0); };
  Index first = 0;
  while (first < draw.particles && !lives(first)) ++first;
  for (Index p = first + 1; p < draw.particles; ++p) {
    if (!lives(p)) continue;
    const T middle = value(first);
    value(p) = middle + static_cast<T>(short_way(value(p) - middle, angle.period));
  }
}

// A particle that has ended stays where it is.
template <class T>
void redraw_particle(ConstBlock<T> mean, ConstBlock<T> deviation, ConstBlock<T> normals, const T* lives,
                     Block<T> particle) {
  for (Index i = 0; i < particle.dim; ++i) {
    T* const value = particle.row(i);
    for (Index k = 0; k < particle.lanes; ++k) {
      const T redrawn = mean.row(i)[k] + deviation.row(i)[k] * normals.row(i)[k];
      value[k] = lives == nullptr || lives[k] != T(0) ? redrawn : value[k];
    }
  }
}

// The values of an angle are gathered within half a period of the first that lives, in each lane.
template <class T>
void gather_angles(const Angles& angles, ConstBlock<T> alive, const Draw& draw, const ParticleStates<T>& states) {
  for (const Angle& angle : angles) {
    for (Index k = 0; k < states.first.lanes; ++k) gather(angle, alive, draw, states, k);
  }
}

}  // namespace

template <class T>
std::size_t match_moments_bytes(Index state_dim, Index lanes) {
  return Workspace::bytes<T>(lanes) + 3 * Workspace::bytes<T>(state_dim * lanes);
}

template <class T>
void match_moments(const ParticleStates<T>& states, ConstBlock<T> alive, const Angles* angles, const Draw& draw,
                   Workspace& workspace) {
  const Workspace::Scope scope(workspace);
  const Index dim = states.first.dim;
  const Index lanes = states.first.lanes;
  T* const count = workspace.take<T>(lanes);
  const Block<T> mean = workspace.take_block<T>(dim, lanes);
  const Block<T> deviation = workspace.take_block<T>(dim, lanes);
  const Block<T> normals = workspace.take_block<T>(dim, lanes);
  const auto alive_row = [&](Index p) { return alive.data != nullptr ? alive.row(p) : nullptr; };
  count_alive(alive, draw.particles, lanes, count);
  if (angles != nullptr) gather_angles(*angles, alive, draw, states);
  std::fill_n(mean.data, dim * lanes, T(0));
  std::fill_n(deviation.data, dim * lanes, T(0));
  const auto for_each_particle = [&](const auto& visit) {
    for (Index p = 0; p < draw.particles; ++p) {
      for (Index i = 0; i < dim; ++i) {
        const T* const lives = alive_row(p);
        T* const value = states.of(p).row(i);
        for (Index k = 0; k < lanes; ++k) visit(lives, value, i, k);
      }
    }
  };
  for_each_particle(
      [&](const T* lives, const T* value, Index i, Index k) { mean.row(i)[k] += if_alive(lives, k, value[k]); });
  divide(count, T(0), mean);
  for_each_particle([&](const T* lives, const T* value, Index i, Index k) {
    const T difference = value[k] - mean.row(i)[k];
    deviation.row(i)[k] += if_alive(lives, k, difference * difference);
  });
  // By one less than the particles: by their number, the variance would shrink with every redraw.
  divide(count, T(1), deviation);
  for (Index i = 0; i < dim * lanes; ++i) deviation.data[i] = std::sqrt(deviation.data[i]);

  Draw redraw = draw;
  for (Index p = 0; p < draw.particles; ++p) {
    redraw.particle = p;
    fill_normal(redraw, Purpose::kMoment, normals);
    redraw_particle<T>(mean, deviation, normals, alive_row(p), states.of(p));
    if (angles != nullptr) wrap(*angles, states.of(p));
  }
}

template std::size_t match_moments_bytes<float>(Index, Index);
template std::size_t match_moments_bytes<double>(Index, Index);
template void match_moments<float>(const ParticleStates<float>&, ConstBlock<float>, const Angles*, const Draw&,
                                   Workspace&);
template void match_moments<double>(const ParticleStates<double>&, ConstBlock<double>, const Angles*, const Draw&,
                                    Workspace&);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#include "dynaplan/planners/sequence_noise.hpp"

#include <algorithm>
#include <cmath>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// Column j is one wave over the horizon: the constant, then a cosine and a sine of each frequency; of the highest
// frequency of an even horizon there is only a cosine. The constant has the amplitude of the lowest frequency, where
// f^-exponent would have none.
Eigen::MatrixXd waves(Index horizon, double exponent) {
  constexpr double kPi = 3.14159265358979323846;
  const auto steps = static_cast<double>(horizon);
  Eigen::MatrixXd columns(horizon, horizon);
  for (Index j = 0; j < horizon; ++j) {
    const Index wave = (j + 1) / 2;
    const bool alone = j == 0 || 2 * wave == horizon;
    const double amplitude =
        std::pow(static_cast<double>(wave > 0 ? wave : 1), -0.5 * exponent) * (alone ? 1.0 : std::sqrt(2.0));
    for (Index t = 0; t < horizon; ++t) {
      const double angle = 2.0 * kPi * static_cast<double>(wave * t) / steps;
      columns(t, j) = amplitude * (j % 2 == 0 && j > 0 ? std::sin(angle) : std::cos(angle));
    }
  }
  return columns / columns.row(0).norm();  // every row has the same
}

// Entry (t, j): the weight of knot j at step t.
Eigen::MatrixXd lines(Index horizon, Index knots) {
  Eigen::MatrixXd weights = Eigen::MatrixXd::Zero(horizon, knots);
  const double steps = std::max(1.0, static_cast<double>(horizon - 1));
  for (Index t = 0; t < horizon; ++t) {
    const double place = static_cast<double>(t) / steps * static_cast<double>(knots - 1);
    const Index before = std::min(static_cast<Index>(place), std::max<Index>(knots - 2, 0));
    const double share = place - static_cast<double>(before);
    weights(t, before) = 1.0 - share;
    if (before + 1 < knots) weights(t, before + 1) = share;
  }
  return weights;
}

}  // namespace

template <class T>
SequenceNoise<T>::SequenceNoise(const Eigen::MatrixXd& sums)
    : sums_(sums.cast<T>(), PackedAffine<T>::Vector::Zero(sums.rows())) {}

template <class T>
SequenceNoise<T> SequenceNoise<T>::coloured(Index horizon, double exponent) {
  return SequenceNoise<T>(waves(horizon, exponent));
}

template <class T>
SequenceNoise<T> SequenceNoise<T>::between_knots(Index horizon, Index knots) {
  return SequenceNoise<T>(lines(horizon, knots));
}

template <class T>
void SequenceNoise<T>::apply(ConstBlock<T> normals, Block<T> out) const {
  const Index action_dim = out.dim / sums_.outputs();
  for (Index a = 0; a < action_dim; ++a) {
    const ConstBlock<T> of_action{normals.row(a), inputs(), normals.lanes, action_dim * normals.stride};
    const Block<T> to{out.row(a), sums_.outputs(), out.lanes, action_dim * out.stride};
    sums_.apply(&of_action, 1, to);
  }
}

template class SequenceNoise<float>;
template class SequenceNoise<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

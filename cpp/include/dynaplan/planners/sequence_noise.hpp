#pragma once

#include <type_traits>

#include "dynaplan/networks/affine.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// How independent standard normals become noise along the horizon: each step is a fixed sum of them.
template <class T>
class SequenceNoise {
 public:
  /// Power that falls with frequency f as f^-exponent, of unit variance at every step (Timmer & Koenig 1995). The
  /// larger the exponent, the longer a sequence keeps to one side; 0 is white.
  static SequenceNoise coloured(Index horizon, double exponent);

  /// Straight lines between `knots` normals, the first and the last at the ends of the horizon.
  static SequenceNoise between_knots(Index horizon, Index knots);

  /// Normals that an action takes.
  Index inputs() const { return sums_.inputs(); }

  /// `normals` (inputs * A, K) to noise (H * A, K); in both, the rows of an action are A apart.
  void apply(ConstBlock<T> normals, Block<T> out) const;

 private:
  explicit SequenceNoise(const Eigen::MatrixXd& sums);

  PackedAffine<T> sums_;  // (H, inputs)
};

/// The same noise for planning in either type.
struct NoiseInBothTypes {
  SequenceNoise<float> single;
  SequenceNoise<double> exact;

  template <class T>
  const SequenceNoise<T>& as() const {
    if constexpr (std::is_same_v<T, float>) {
      return single;
    } else {
      return exact;
    }
  }
};

extern template class SequenceNoise<float>;
extern template class SequenceNoise<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

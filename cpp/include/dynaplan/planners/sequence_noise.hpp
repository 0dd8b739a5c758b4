#pragma once

#include <Eigen/Core>
#include <type_traits>
#include <vector>

#include "dynaplan/core/random.hpp"
#include "dynaplan/core/workspace.hpp"
#include "dynaplan/networks/affine.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// How the noise of a search runs along the horizon: the same for every planner that draws it. With any of these it has
/// unit variance at every step.
struct NoiseSettings {
  /// Power falls with frequency f as f^-exponent (Timmer & Koenig 1995): one exponent for all actions, or one for each.
  /// The larger, the longer a sequence keeps to one side; 0 is white.
  std::vector<double> noise_exponent{0.0};
  /// It is drawn at so many steps, evenly spaced from the first to the last, and joined by lines; 0: at every step.
  Index knots = 0;
  /// Steps, odd, through which parabolas are fitted that smooth it (Savitzky & Golay 1964); 1: it is not smoothed.
  Index smoothing_window = 1;

  void validate(Index horizon) const;
  /// Throws ShapeError unless there is one exponent, or one for each action.
  void require_actions(Index action_dim) const;
  bool is_white() const;
};

/// What makes independent normals the noise of an action, (H, inputs): one for all actions, or one for each. None where
/// the noise is white.
std::vector<Eigen::MatrixXd> noise_sums(Index horizon, const NoiseSettings& settings);

/// Noise of unit variance along the horizon: each step is a fixed sum of independent standard normals.
template <class T>
class SequenceNoise {
 public:
  explicit SequenceNoise(const std::vector<Eigen::MatrixXd>& sums);

  bool is_white() const { return sums_.empty(); }

  /// The noise of candidates `first ...` to `out` (H * A, K). The workspace has room for another such tile.
  void draw(const Stream& stream, Index first, Block<T> out, Workspace& workspace) const;

  /// `normals` (inputs * A, K) to noise (H * A, K); in both, the rows of an action are A apart.
  void apply(ConstBlock<T> normals, Block<T> out) const;

 private:
  std::vector<PackedAffine<T>> sums_;
};

/// The same noise for planning in either type.
class NoiseInBothTypes {
 public:
  explicit NoiseInBothTypes(const std::vector<Eigen::MatrixXd>& sums) : single_(sums), exact_(sums) {}

  template <class T>
  const SequenceNoise<T>& as() const {
    if constexpr (std::is_same_v<T, float>) {
      return single_;
    } else {
      return exact_;
    }
  }

 private:
  SequenceNoise<float> single_;
  SequenceNoise<double> exact_;
};

extern template class SequenceNoise<float>;
extern template class SequenceNoise<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

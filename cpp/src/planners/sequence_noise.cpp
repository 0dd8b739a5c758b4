#include "dynaplan/planners/sequence_noise.hpp"

#include <algorithm>
#include <cmath>

#include "dynaplan/core/check.hpp"
#include "dynaplan/core/dense.hpp"
#include "dynaplan/planners/action_widths.hpp"

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

// Each row becomes the value at its step of the parabola through the `window` rows about it; beyond the ends the first
// and the last row are repeated.
Eigen::MatrixXd smoothed(Index window, const Eigen::MatrixXd& rows) {
  const Index reach = window / 2;
  const auto width = static_cast<double>(reach);
  Eigen::MatrixXd sums = Eigen::MatrixXd::Zero(rows.rows(), rows.cols());
  double total = 0.0;
  for (Index j = -reach; j <= reach; ++j) {
    const auto away = static_cast<double>(j);
    const double weight = 3.0 * width * (width + 1.0) - 1.0 - 5.0 * away * away;
    for (Index t = 0; t < rows.rows(); ++t) {
      sums.row(t) += weight * rows.row(std::clamp<Index>(t + j, 0, rows.rows() - 1));
    }
    total += weight;
  }
  return sums / total;
}

Eigen::MatrixXd sums_of(Index horizon, double exponent, const NoiseSettings& settings) {
  const Index drawn = settings.knots > 0 ? settings.knots : horizon;
  Eigen::MatrixXd sums = Eigen::MatrixXd::Identity(drawn, drawn);
  if (exponent > 0.0) sums = waves(drawn, exponent);
  if (settings.knots > 0) sums = product(lines(horizon, drawn), sums);
  if (settings.smoothing_window > 1) sums = smoothed(settings.smoothing_window, sums);
  // No row is zero: lines and parabolas keep the waves' constant.
  if (settings.knots > 0 || settings.smoothing_window > 1) sums.rowwise().normalize();
  return sums;
}

}  // namespace

void NoiseSettings::validate(Index horizon) const {
  if (noise_exponent.empty()) throw_shape_error("noise_exponent", "none", "one for all actions, or one for each");
  for (std::size_t i = 0; i < noise_exponent.size(); ++i) {
    if (noise_exponent.size() == 1) {
      require_not_negative("noise_exponent", noise_exponent[i]);
    } else if (!(noise_exponent[i] >= 0.0) || !std::isfinite(noise_exponent[i])) {
      throw_entry_error("noise_exponent", static_cast<Index>(i), noise_exponent[i], "finite and at least 0");
    }
  }
  require(knots >= 0 && knots <= horizon, "knots", knots, "from 0 to the horizon");
  require(smoothing_window == 1 || (smoothing_window >= 5 && smoothing_window % 2 == 1), "smoothing_window",
          smoothing_window, "odd and at least 5, as a parabola goes through any three steps, or 1 for none");
  require(smoothing_window < 2 * horizon, "smoothing_window", smoothing_window, "less than twice the horizon");
}

void NoiseSettings::require_actions(Index action_dim) const {
  require_one_or_each("noise_exponent", static_cast<Index>(noise_exponent.size()), action_dim);
}

bool NoiseSettings::is_white() const {
  return knots == 0 && smoothing_window == 1 &&
         std::all_of(noise_exponent.begin(), noise_exponent.end(), [](double one) { return one == 0.0; });
}

std::vector<Eigen::MatrixXd> noise_sums(Index horizon, const NoiseSettings& settings) {
  std::vector<Eigen::MatrixXd> sums;
  if (settings.is_white()) return sums;
  for (const double exponent : settings.noise_exponent) sums.push_back(sums_of(horizon, exponent, settings));
  return sums;
}

template <class T>
SequenceNoise<T>::SequenceNoise(const std::vector<Eigen::MatrixXd>& sums) {
  for (const Eigen::MatrixXd& one : sums) {
    sums_.emplace_back(one.cast<T>(), PackedAffine<T>::Vector::Zero(one.rows()));
  }
}

template <class T>
void SequenceNoise<T>::draw(const Stream& stream, Index first, Block<T> out, Workspace& workspace) const {
  if (is_white()) {
    fill_normal(stream, Purpose::kActions, first, 0, out);
    return;
  }
  const Workspace::Scope scope(workspace);
  const Index action_dim = out.dim / sums_.front().outputs();
  const Block<T> normals = workspace.take_block<T>(sums_.front().inputs() * action_dim, out.lanes);
  fill_normal(stream, Purpose::kActions, first, 0, normals);
  apply(normals, out);
}

template <class T>
void SequenceNoise<T>::apply(ConstBlock<T> normals, Block<T> out) const {
  const Index action_dim = out.dim / sums_.front().outputs();
  for (Index a = 0; a < action_dim; ++a) {
    const PackedAffine<T>& sums = sums_[sums_.size() > 1 ? static_cast<std::size_t>(a) : 0];
    const ConstBlock<T> of_action{normals.row(a), sums.inputs(), normals.lanes, action_dim * normals.stride};
    const Block<T> to{out.row(a), sums.outputs(), out.lanes, action_dim * out.stride};
    sums.apply(&of_action, 1, to);
  }
}

template class SequenceNoise<float>;
template class SequenceNoise<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

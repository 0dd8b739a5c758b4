#include "dynaplan/models/gaussian_posterior.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "dynaplan/core/dense.hpp"
#include "dynaplan/core/error.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

constexpr double kLogTwoPi = 1.8378770664093454836;
constexpr Index kVector = kVectorLanes<double>;

struct Root {
  Eigen::MatrixXd lower;
  double diagonal;  // added to the kernel
};

// The Cholesky factor of kernel + diagonal; what rounding took from a diagonal that is next to nothing is given back.
Root root_of(Eigen::MatrixXd kernel, double diagonal) {
  const Eigen::VectorXd own = kernel.diagonal();
  double jitter = 0.0;
  for (int attempt = 0; attempt < 8 && std::isfinite(diagonal); ++attempt) {
    kernel.diagonal() = own.array() + (diagonal + jitter);
    if (auto lower = lower_factor_of(kernel)) return {std::move(*lower), diagonal + jitter};
    jitter = std::max(10.0 * jitter, 1e-10);
  }
  throw NumericalError("transitions: the covariance of a state's changes is not positive definite in float64");
}

KernelRows kernel_rows(const Eigen::MatrixXd& inputs, const Eigen::VectorXd& scales) {
  return inputs * scales.asDiagonal();
}

}  // namespace

PackedLower::PackedLower(const Eigen::MatrixXd& lower) : size_(lower.rows()) {
  const Index groups = (size_ + kRows - 1) / kRows;
  packed_.reserve(static_cast<std::size_t>(kRows * kRows * groups * (groups + 1) / 2));
  for (Index first = 0; first < size_; first += kRows) {
    for (Index j = 0; j < std::min(first + kRows, size_); ++j) {
      for (Index i = first; i < first + kRows; ++i) packed_.push_back(i < size_ && j <= i ? lower(i, j) : 0.0);
    }
  }
}

template <int Vectors>
void PackedLower::squared_norms_at(ConstBlock<double> x, Index lane, double* out) const {
  using Vector = LaneVector<double>;
  Vector norm[Vectors]{};
  const double* weight = packed_.data();
  for (Index first = 0; first < size_; first += kRows) {
    Vector sum[kRows][Vectors]{};
    for (Index j = 0; j < std::min(first + kRows, size_); ++j, weight += kRows) {
      for (int v = 0; v < Vectors; ++v) {
        const Vector value = load_lanes(x.row(j) + lane + v * kVector);
        for (Index i = 0; i < kRows; ++i) sum[i][v] += weight[i] * value;
      }
    }
    for (const auto& row : sum) {
      for (int v = 0; v < Vectors; ++v) norm[v] += row[v] * row[v];
    }
  }
  for (int v = 0; v < Vectors; ++v) store_lanes(out + lane + v * kVector, norm[v]);
}

void PackedLower::squared_norms(ConstBlock<double> x, double* out) const {
  Index lane = 0;
  for (; lane + 2 * kVector <= x.lanes; lane += 2 * kVector) squared_norms_at<2>(x, lane, out);
  for (; lane < x.lanes; lane += kVector) squared_norms_at<1>(x, lane, out);
}

GaussianPosterior::GaussianPosterior(const Eigen::MatrixXd& inputs, const Eigen::VectorXd& targets,
                                     const GaussianKernel& kernel)
    : scales_(kernel.inverse_length_scales * std::sqrt(0.5)),
      signal_std_(kernel.signal_std),
      rows_(kernel_rows(inputs, scales_)),
      inverse_root_(Eigen::MatrixXd()) {
  const double ratio = kernel.noise_std / kernel.signal_std;
  const Root root = root_of(squared_exponential(rows_), ratio * ratio);
  const Eigen::MatrixXd inverse = inverse_of_lower(root.lower);
  const Eigen::VectorXd white = product(inverse, targets);
  weights_ = transposed_product(inverse, white);
  log_marginal_likelihood_ = -0.5 * (white / signal_std_).squaredNorm() - root.lower.diagonal().array().log().sum() -
                             static_cast<double>(targets.size()) * (std::log(signal_std_) + 0.5 * kLogTwoPi);
  const Eigen::ArrayXd precision = inverse.colwise().squaredNorm().transpose();
  left_out_shares_ = (precision.inverse() - root.diagonal).max(0.0).min(1.0);
  inverse_root_ = PackedLower(inverse);
}

std::size_t GaussianPosterior::workspace_bytes(Index lanes) const {
  return Workspace::bytes<double>(rows_.cols() * lanes) + Workspace::bytes<double>(rows_.rows() * lanes);
}

Block<double> GaussianPosterior::scaled(ConstBlock<double> inputs, Workspace& workspace) const {
  const Block<double> to = workspace.take_block<double>(inputs.dim, inputs.lanes);
  for (Index d = 0; d < inputs.dim; ++d) lanes_of(to, d) = scales_(d) * lanes_of(inputs.row(d), inputs.lanes);
  return to;
}

void GaussianPosterior::mean(ConstBlock<double> inputs, Workspace& workspace, double* mean) const {
  const Workspace::Scope scope(workspace);
  const ConstBlock<double> at = scaled(inputs, workspace);
  for (Index lane = 0; lane < at.lanes; lane += kVector) {
    LaneVector<double> sum{};
    for_kernel(rows_, at, lane, [&](Index i, LaneVector<double> value) { sum += weights_[i] * value; });
    store_lanes(mean + lane, sum);
  }
}

void GaussianPosterior::mean_and_share(ConstBlock<double> inputs, Workspace& workspace, double* mean,
                                       double* share) const {
  const Workspace::Scope scope(workspace);
  const ConstBlock<double> at = scaled(inputs, workspace);
  const Block<double> kernel = workspace.take_block<double>(rows_.rows(), at.lanes);
  for (Index lane = 0; lane < at.lanes; lane += kVector) {
    LaneVector<double> sum{};
    for_kernel(rows_, at, lane, [&](Index i, LaneVector<double> value) {
      store_lanes(kernel.row(i) + lane, value);
      sum += weights_[i] * value;
    });
    store_lanes(mean + lane, sum);
  }
  inverse_root_.squared_norms(kernel, share);
  for (Index k = 0; k < at.lanes; ++k) share[k] = std::max(0.0, 1.0 - share[k]);
}

void GaussianPosterior::mean_and_slopes(ConstBlock<double> inputs, Workspace& workspace, double* mean,
                                        Block<double> slopes) const {
  const Workspace::Scope scope(workspace);
  const ConstBlock<double> at = scaled(inputs, workspace);
  for (Index d = 0; d < slopes.dim; ++d) std::fill_n(slopes.row(d), slopes.lanes, 0.0);
  for (Index lane = 0; lane < at.lanes; lane += kVector) {
    LaneVector<double> sum{};
    for_kernel(rows_, at, lane, [&](Index i, LaneVector<double> value) {
      sum += weights_[i] * value;  // as `mean` has it: weights cancel, and a sum rounded otherwise would show
      for (Index d = 0; d < at.dim; ++d) {
        double* const slope = slopes.row(d) + lane;
        const LaneVector<double> pull = weights_[i] * (rows_(i, d) - load_lanes(at.row(d) + lane));
        store_lanes(slope, load_lanes(slope) + value * pull);
      }
    });
    store_lanes(mean + lane, sum);
  }
  for (Index d = 0; d < slopes.dim; ++d) lanes_of(slopes, d) *= 2.0 * scales_(d);
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

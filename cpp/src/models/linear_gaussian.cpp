#include "dynaplan/models/linear_gaussian.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// L with L L^T = covariance, which may be singular: a zero pivot gives a zero column.
Eigen::MatrixXd lower_factor(const Eigen::MatrixXd& covariance) {
  const Index dim = covariance.rows();
  Eigen::MatrixXd rest = covariance;
  Eigen::MatrixXd lower = Eigen::MatrixXd::Zero(dim, dim);
  for (Index j = 0; j < dim; ++j) {
    if (!(rest(j, j) > 1e-15 * covariance(j, j))) continue;
    lower.col(j).tail(dim - j) = rest.col(j).tail(dim - j) / std::sqrt(rest(j, j));
    rest.bottomRightCorner(dim - j, dim - j) -= lower.col(j).tail(dim - j) * lower.col(j).tail(dim - j).transpose();
  }
  return lower;
}

}  // namespace

// The packed products of a prediction, made once a call.
class LinearGaussian::Predictor {
 public:
  explicit Predictor(const LinearGaussian& model)
      : model_(model),
        mean_(model.parameters_.weights, model.parameters_.intercept),
        unseen_(transposed(model.parameters_.null_basis)) {
    for (const Eigen::MatrixXd& spread : model.parameters_.spreads) spreads_.push_back(transposed(spread));
  }

  std::size_t workspace_bytes(Index lanes) const {
    Index rows = unseen_.outputs();
    for (const PackedAffine<double>& spread : spreads_) rows = std::max(rows, spread.outputs());
    return Workspace::bytes<double>(model_.features_.products_count() * lanes) + Workspace::bytes<double>(lanes) +
           Workspace::bytes<double>(model_.state_dim_ * lanes) + Workspace::bytes<double>(rows * lanes) +
           Workspace::bytes<double>(model_.state_dim_ * lanes) + 2 * Workspace::bytes<double>(lanes);
  }

  void run(const QueryBlock& block, Workspace& workspace, double* mean, double* epistemic) const {
    const Index lanes = block.lanes();
    const Block<double> products = workspace.take_block<double>(model_.features_.products_count(), lanes);
    const Block<double> ones = workspace.take_block<double>(model_.has_intercept_ ? 1 : 0, lanes);
    const Block<double> next = workspace.take_block<double>(model_.state_dim_, lanes);
    model_.features_.products<double>(block.states, block.actions, products);
    std::fill_n(ones.data, ones.dim * lanes, 1.0);
    const ConstBlock<double> features[] = {block.states, block.actions, products, ones};
    mean_.apply(features, 3, next);
    block.write(next, mean);
    if (epistemic == nullptr) return;
    const Block<double> variance = workspace.take_block<double>(model_.state_dim_, lanes);
    double* const unseen = workspace.take<double>(lanes);
    double* const size = workspace.take<double>(lanes);
    for (Index d = 0; d < model_.state_dim_; ++d) {
      if (d > 0 && spreads_.size() == 1) {
        std::copy_n(variance.row(0), lanes, variance.row(d));
      } else {
        squared_norm(spreads_[static_cast<std::size_t>(d)], features, lanes, workspace, variance.row(d));
      }
    }
    squared_norm(unseen_, features, lanes, workspace, unseen);
    std::fill_n(size, lanes, 0.0);
    for (const ConstBlock<double>& part : features) add_squares(part, size);
    write_epistemic(variance, unseen, size, block.count, epistemic + block.first * model_.state_dim_);
  }

 private:
  static PackedAffine<double> transposed(const Eigen::MatrixXd& matrix) {
    return {matrix.transpose(), Eigen::VectorXd::Zero(matrix.cols())};
  }

  static void add_squares(ConstBlock<double> block, double* sum) {
    for (Index i = 0; i < block.dim; ++i) {
      for (Index k = 0; k < block.lanes; ++k) sum[k] += block.row(i)[k] * block.row(i)[k];
    }
  }

  static void squared_norm(const PackedAffine<double>& matrix, const ConstBlock<double>* features, Index lanes,
                           Workspace& workspace, double* sum) {
    const Workspace::Scope scope(workspace);
    const Block<double> projected = workspace.take_block<double>(matrix.outputs(), lanes);
    matrix.apply(features, 4, projected);
    std::fill_n(sum, lanes, 0.0);
    add_squares(projected, sum);
  }

  void write_epistemic(ConstBlock<double> variance, const double* unseen, const double* size, Index count,
                       double* out) const {
    const double unseen_square = model_.parameters_.unseen_share * model_.parameters_.unseen_share;
    for (Index k = 0; k < count; ++k) {
      const bool known = model_.parameters_.noise_known && !(unseen[k] > unseen_square * size[k]);
      for (Index d = 0; d < model_.state_dim_; ++d) {
        out[k * model_.state_dim_ + d] = known ? model_.parameters_.noise_covariance(d, d) * variance.row(d)[k]
                                               : std::numeric_limits<double>::infinity();
      }
    }
  }

  const LinearGaussian& model_;
  PackedAffine<double> mean_;
  std::vector<PackedAffine<double>> spreads_;
  PackedAffine<double> unseen_;
};

LinearGaussian::LinearGaussian(Index state_dim, const PolynomialFeatures& features, bool has_intercept,
                               LinearGaussianParameters parameters)
    : state_dim_(state_dim),
      features_(features),
      has_intercept_(has_intercept),
      parameters_(std::move(parameters)),
      noise_factor_(lower_factor(parameters_.noise_covariance)) {}

void LinearGaussian::predict(const StepQuery& query, double* mean, double* aleatoric, double* epistemic) const {
  const Predictor predictor(*this);
  for_blocks(
      query, kMaxLanes, [&](Index lanes) { return predictor.workspace_bytes(lanes); },
      [&](const QueryBlock& block, Workspace& workspace) { predictor.run(block, workspace, mean, epistemic); });
  for (Index i = 0; aleatoric != nullptr && i < query.count * state_dim_; ++i) {
    const Index d = i % state_dim_;
    aleatoric[i] = parameters_.noise_covariance(d, d);
  }
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

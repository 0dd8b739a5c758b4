#include "dynaplan/models/gaussian_process.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "dynaplan/core/check.hpp"
#include "dynaplan/core/error.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

GaussianProcessParameters validated(GaussianProcessParameters parameters) {
  parameters.validate();
  return parameters;
}

// How the changes of a state weigh in `disagreement`: a signal that depends on nothing says nothing of inputs.
double disagreement_weight(const Eigen::VectorXd& deviations, const GaussianKernel& kernel) {
  const double size = deviations.cwiseAbs().maxCoeff();
  if (size == 0.0 || (kernel.inverse_length_scales.array() == 0.0).all()) return 0.0;
  const double ratio = kernel.signal_std / size;
  return ratio * ratio / (deviations / size).array().square().mean();
}

}  // namespace

void GaussianProcessParameters::validate() const {
  const auto dims = static_cast<Index>(states.size());
  require_dim("states", dims);
  require_in("rows", inputs.rows(), 1, kMaxRows);
  require_shape("changes", changes.rows(), changes.cols(), inputs.rows(), dims);
  if (inputs.cols() <= dims) throw_shape_error("inputs", text_of(inputs.cols()) + " columns", "states and actions");
  require_finite_matrix("inputs", inputs);
  require_finite_matrix("changes", changes);
  for (const GaussianKernel& kernel : states) {
    require_size("inverse_length_scales", kernel.inverse_length_scales.size(), inputs.cols());
    for (const double scale : kernel.inverse_length_scales) require_not_negative("inverse_length_scales", scale);
    require_positive("signal_std", kernel.signal_std);
    require_positive("noise_std", kernel.noise_std);
  }
}

GaussianProcess::GaussianProcess(GaussianProcessParameters parameters, int threads, const Interrupt* interrupt)
    : parameters_(validated(std::move(parameters))),
      centre_(parameters_.inputs.colwise().mean()),
      mean_change_(parameters_.changes.colwise().mean()),
      posteriors_(parameters_.states.size()),
      disagreement_weights_(state_dim()) {
  const Eigen::MatrixXd inputs = parameters_.inputs.rowwise() - centre_;
  const auto condition = [&](Index d, int /*thread*/) {
    const GaussianKernel& kernel = parameters_.states[static_cast<std::size_t>(d)];
    const Eigen::VectorXd deviations = parameters_.changes.col(d).array() - mean_change_(d);
    posteriors_[static_cast<std::size_t>(d)] = std::make_unique<const GaussianPosterior>(inputs, deviations, kernel);
    disagreement_weights_(d) = disagreement_weight(deviations, kernel) / static_cast<double>(state_dim());
  };
  parallel_for(state_dim(), usable_threads(state_dim(), threads), condition, interrupt);
  if (interrupt != nullptr && interrupt->requested()) throw Error("fit: interrupted");
}

Eigen::VectorXd GaussianProcess::noise_std() const {
  Eigen::VectorXd noise(state_dim());
  for (Index d = 0; d < state_dim(); ++d) noise(d) = parameters_.states[static_cast<std::size_t>(d)].noise_std;
  return noise;
}

Eigen::VectorXd GaussianProcess::left_out_disagreement() const {
  Eigen::VectorXd found(rows());
  for (Index row = 0; row < rows(); ++row) {
    found(row) = disagreement([&](Index d) { return posterior(d).left_out_shares()(row); });
  }
  return found;
}

template <class T>
GaussianProcessDynamics<T>::GaussianProcessDynamics(std::shared_ptr<const GaussianProcess> process,
                                                    Eigen::VectorXd noise_std)
    : process_(std::move(process)), noise_std_(std::move(noise_std)) {
  require_size("noise_std", noise_std_.size(), process_->state_dim());
}

template <class T>
std::size_t GaussianProcessDynamics<T>::workspace_bytes(Index lanes) const {
  const Index states = state_dim();
  return Workspace::bytes<double>((states + action_dim()) * lanes) + process_->posterior(0).workspace_bytes(lanes) +
         2 * Workspace::bytes<double>(states * lanes) + Workspace::bytes<T>(states * lanes);
}

template <class T>
Block<double> GaussianProcessDynamics<T>::centred(ConstBlock<T> state, ConstBlock<T> action,
                                                  Workspace& workspace) const {
  const Block<double> inputs = workspace.take_block<double>(state.dim + action.dim, state.lanes);
  process_->centre(state, action, inputs);
  return inputs;
}

template <class T>
void GaussianProcessDynamics<T>::step(ConstBlock<T> state, ConstBlock<T> action, const Draw& draw, Workspace& workspace,
                                      Block<T> next) const {
  const Workspace::Scope scope(workspace);
  const ConstBlock<double> inputs = centred(state, action, workspace);
  const Block<double> change = workspace.take_block<double>(1, state.lanes);
  const Block<double> share = workspace.take_block<double>(1, state.lanes);
  const Block<T> normals = workspace.take_block<T>(state_dim(), state.lanes);
  const bool draws = draw.propagation != Propagation::kMean;
  if (draws) fill_normal(draw, Purpose::kDynamics, normals);
  for (Index d = 0; d < state_dim(); ++d) {
    const GaussianPosterior& posterior = process_->posterior(d);
    auto of_change = lanes_of(change, 0);
    if (draws) {
      posterior.mean_and_share(inputs, workspace, change.data, share.data);
      // The root of the sum of two squares, in units in which neither overflows.
      const double ratio = noise_std_(d) / posterior.signal_std();
      of_change += posterior.signal_std() * (lanes_of(share, 0) + ratio * ratio).sqrt() *
                   lanes_of(normals, d).template cast<double>();
    } else {
      posterior.mean(inputs, workspace, change.data);
    }
    lanes_of(next, d) =
        (lanes_of(state.row(d), state.lanes).template cast<double>() + (of_change + process_->mean_change(d)))
            .template cast<T>();
  }
}

template <class T>
void GaussianProcessDynamics<T>::disagreement(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace,
                                              T* out) const {
  const Workspace::Scope scope(workspace);
  const ConstBlock<double> inputs = centred(state, action, workspace);
  const Block<double> mean = workspace.take_block<double>(1, state.lanes);
  const Block<double> shares = workspace.take_block<double>(state_dim(), state.lanes);
  for (Index d = 0; d < state_dim(); ++d) {
    process_->posterior(d).mean_and_share(inputs, workspace, mean.data, shares.row(d));
  }
  for (Index k = 0; k < state.lanes; ++k) {
    out[k] = static_cast<T>(process_->disagreement([&](Index d) { return shares.row(d)[k]; }));
  }
}

template <class T>
std::size_t GaussianProcessDynamics<T>::jacobians_workspace_bytes(Index lanes) const {
  return 2 * Workspace::bytes<double>((state_dim() + action_dim()) * lanes) + Workspace::bytes<double>(lanes) +
         process_->posterior(0).workspace_bytes(lanes);
}

template <class T>
void GaussianProcessDynamics<T>::jacobians(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace,
                                           JacobianBlock<T> out) const {
  const Workspace::Scope scope(workspace);
  const Index states = state_dim();
  const ConstBlock<double> inputs = centred(state, action, workspace);
  const Block<double> slopes = workspace.take_block<double>(inputs.dim, state.lanes);
  const Block<double> change = workspace.take_block<double>(1, state.lanes);
  for (Index d = 0; d < states; ++d) {
    process_->posterior(d).mean_and_slopes(inputs, workspace, change.data, slopes);
    lanes_of(slopes, d) += 1.0;  // of the state itself
    lanes_of(out.next, d) =
        (lanes_of(state.row(d), state.lanes).template cast<double>() + (lanes_of(change, 0) + process_->mean_change(d)))
            .template cast<T>();
    for (Index i = 0; i < inputs.dim; ++i) {
      const bool is_state = i < states;
      const Index row = is_state ? d * states + i : d * action_dim() + i - states;
      lanes_of(is_state ? out.state : out.action, row) = lanes_of(slopes, i).template cast<T>();
    }
  }
}

template class GaussianProcessDynamics<float>;
template class GaussianProcessDynamics<double>;

void predict(const GaussianProcess& process, const StepQuery& query, double* mean, double* epistemic) {
  // So that between two looks for an interrupt no more is done than some tenth of a second takes.
  constexpr Index kManyRows = 500;
  const Index max_lanes = process.rows() > kManyRows ? kMaxLanes / 4 : kMaxLanes;
  const Index states = process.state_dim();
  const auto bytes = [&](Index lanes) {
    return 2 * Workspace::bytes<double>(states * lanes) +
           Workspace::bytes<double>((states + process.action_dim()) * lanes) +
           process.posterior(0).workspace_bytes(lanes);
  };
  const auto use = [&](const QueryBlock& block, Workspace& workspace) {
    const Block<double> next = workspace.take_block<double>(states, block.lanes());
    const Block<double> variance = workspace.take_block<double>(states, block.lanes());
    const Block<double> inputs = workspace.take_block<double>(states + process.action_dim(), block.lanes());
    process.centre<double>(block.states, block.actions, inputs);
    for (Index d = 0; d < states; ++d) {
      const GaussianPosterior& posterior = process.posterior(d);
      posterior.mean_and_share(inputs, workspace, next.row(d), variance.row(d));
      lanes_of(next, d) = lanes_of(block.states, d) + (lanes_of(next, d) + process.mean_change(d));
      lanes_of(variance, d) *= posterior.signal_std() * posterior.signal_std();
    }
    block.write(next, mean);
    block.write(variance, epistemic);
  };
  for_blocks(query, max_lanes, bytes, use);
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#include "dynaplan/models/network_dynamics.hpp"

#include <algorithm>
#include <cmath>

#include "dynaplan/models/member_choice.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

template <class T>
void scale_block(T factor, Block<T> block) {
  for (Index i = 0; i < block.dim; ++i) {
    for (Index k = 0; k < block.lanes; ++k) block.row(i)[k] *= factor;
  }
}

template <class T>
void fill_block(T value, Block<T> block) {
  for (Index i = 0; i < block.dim; ++i) std::fill_n(block.row(i), block.lanes, value);
}

// Takes the `count`-th value into a mean and a sum of squares about it (Welford 1962), so that members that nearly
// agree lose no digits.
template <class T>
void add_to_spread(ConstBlock<T> value, std::size_t count, Block<T> mean, Block<T> squares) {
  const T share = T(1) / static_cast<T>(count);
  for (Index d = 0; d < mean.dim; ++d) {
    T* const mean_row = mean.row(d);
    for (Index k = 0; k < mean.lanes; ++k) {
      const T apart = value.row(d)[k] - mean_row[k];
      mean_row[k] += share * apart;
      squares.row(d)[k] += apart * (value.row(d)[k] - mean_row[k]);
    }
  }
}

// A power of two that brings a scale to about 1 where its square might overflow or vanish in float32; else 1.
double unit_of(double scale) {
  constexpr int kSafe = 30;
  const int exponent = std::ilogb(scale);
  return std::abs(exponent) > kSafe ? std::ldexp(1.0, -exponent) : 1.0;
}

template <class T>
void multiply_rows(const std::vector<T>& factors, Block<T> block) {
  for (std::size_t d = 0; d < factors.size(); ++d) {
    if (factors[d] != T(1)) lanes_of(block, static_cast<Index>(d)) *= factors[d];
  }
}

const NetworkShape& validated_shape(const NetworkParameters& parameters) {
  parameters.validate();
  return parameters.shape;
}

}  // namespace

template <class T>
NetworkDynamics<T>::NetworkDynamics(const NetworkParameters& parameters)
    : shape_(validated_shape(parameters)), encoding_(shape_, parameters.scaling) {
  for (const NetworkMember<float>& member : parameters.members) {
    const FoldedNetwork folded = folded_network<T>(shape_.activation, parameters.scaling, member);
    members_.emplace_back(folded);
    rows_.emplace_back(folded);
  }
  for (Index d = 0; d < shape_.state_dim; ++d) {
    const double unit = unit_of(parameters.scaling.target_scale(d));
    const double scale = unit * parameters.scaling.target_scale(d);
    target_units_.push_back(static_cast<T>(unit));
    inverse_target_variance_.push_back(static_cast<T>(1.0 / (scale * scale)));
  }
}

template <class T>
std::size_t NetworkDynamics<T>::workspace_bytes(Index lanes) const {
  return Workspace::bytes<T>(shape_.inputs() * lanes) + members_.front().features_bytes(lanes) +
         rows_.front().workspace_bytes() + 4 * Workspace::bytes<T>(shape_.targets() * lanes);
}

template <class T>
Index NetworkDynamics<T>::member_of(const Draw& draw) const {
  return draw.propagation == Propagation::kTsInf ? lasting_member(draw, members()) : dealt_member(draw, members());
}

template <class T>
ConstBlock<T> NetworkDynamics<T>::encoded(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace) const {
  const Block<T> inputs = workspace.take_block<T>(shape_.inputs(), state.lanes);
  encoding_.apply(state, action, inputs);
  return inputs;
}

// Means and, unless null, variances of what one member predicts, by whichever kernel is faster for so many lanes.
template <class T>
void NetworkDynamics<T>::run(std::size_t member, ConstBlock<T> inputs, Index wanted, Workspace& workspace,
                             Block<T> mean, const Block<T>* variance) const {
  const Workspace::Scope scope(workspace);
  if (wanted > 0 && wanted <= RowNetwork<T>::kMaxLanes) {
    rows_[member].run(inputs, wanted, workspace, mean, variance);
    return;
  }
  const ConstBlock<T> features = members_[member].features(inputs, workspace);
  members_[member].mean(features, mean);
  if (variance != nullptr) members_[member].variance(features, *variance);
}

template <class T>
void NetworkDynamics<T>::mean_of_members(ConstBlock<T> inputs, Index wanted, Workspace& workspace,
                                         Block<T> mean) const {
  const Block<T> one = workspace.take_block<T>(mean.dim, mean.lanes);
  for (std::size_t m = 0; m < members_.size(); ++m) {
    run(m, inputs, wanted, workspace, m == 0 ? mean : one, nullptr);
    if (m > 0) add_block<T>(one, mean);
  }
  if (members_.size() > 1) scale_block(T(1) / static_cast<T>(members_.size()), mean);
}

// What one member predicts, with its noise.
template <class T>
void NetworkDynamics<T>::draw_next(std::size_t member, ConstBlock<T> inputs, const Draw& draw, Workspace& workspace,
                                   Block<T> next) const {
  if (!shape_.probabilistic) {
    run(member, inputs, draw.candidates, workspace, next, nullptr);
    return;
  }
  const Block<T> variance = workspace.take_block<T>(next.dim, next.lanes);
  const Block<T> normals = workspace.take_block<T>(next.dim, next.lanes);
  run(member, inputs, draw.candidates, workspace, next, &variance);
  fill_normal(draw, Purpose::kDynamics, normals);
  for (Index d = 0; d < next.dim; ++d) {
    lanes_of(next, d) += lanes_of(variance.row(d), next.lanes).sqrt() * lanes_of(normals.row(d), next.lanes);
  }
}

template <class T>
void NetworkDynamics<T>::step(ConstBlock<T> state, ConstBlock<T> action, const Draw& draw, Workspace& workspace,
                              Block<T> next) const {
  const Workspace::Scope scope(workspace);
  const ConstBlock<T> inputs = encoded(state, action, workspace);
  if (draw.propagation == Propagation::kMean) {
    mean_of_members(inputs, draw.candidates, workspace, next);
  } else {
    draw_next(static_cast<std::size_t>(member_of(draw)), inputs, draw, workspace, next);
  }
  add_block(state, next.rows(0, shape_.state_dim));
}

// Mean and variance of the members' means, those of the first targets times `units`, and, if wanted, the mean of their
// noise variances.
template <class T>
void NetworkDynamics<T>::spread_of_members(ConstBlock<T> inputs, Index wanted, const std::vector<T>& units,
                                           Workspace& workspace, Block<T> mean, Block<T> variance,
                                           const Block<T>* noise) const {
  const Block<T> one = workspace.take_block<T>(mean.dim, mean.lanes);
  const Block<T> noise_of_one = workspace.take_block<T>(mean.dim, mean.lanes);
  run(0, inputs, wanted, workspace, mean, noise);
  multiply_rows(units, mean);
  fill_block(T(0), variance);
  for (std::size_t m = 1; m < members_.size(); ++m) {
    run(m, inputs, wanted, workspace, one, noise != nullptr ? &noise_of_one : nullptr);
    multiply_rows(units, one);
    add_to_spread<T>(one, m + 1, mean, variance);
    if (noise != nullptr) add_block<T>(noise_of_one, *noise);
  }
  const T share = T(1) / static_cast<T>(members_.size());
  scale_block(share, variance);
  if (noise != nullptr) scale_block(share, *noise);
}

template <class T>
void NetworkDynamics<T>::moments(ConstBlock<T> state, ConstBlock<T> action, Index wanted, Workspace& workspace,
                                 Block<T> mean, Block<T> aleatoric, Block<T> epistemic) const {
  const Workspace::Scope scope(workspace);
  spread_of_members(encoded(state, action, workspace), wanted, {}, workspace, mean, epistemic, &aleatoric);
  add_block(state, mean.rows(0, shape_.state_dim));
}

template <class T>
void NetworkDynamics<T>::sample(ConstBlock<T> state, ConstBlock<T> action, const Stream& stream, Index first_candidate,
                                Workspace& workspace, Block<T> next) const {
  const Workspace::Scope scope(workspace);
  const ConstBlock<T> inputs = encoded(state, action, workspace);
  const Block<T> mean = workspace.take_block<T>(next.dim, next.lanes);
  const Block<T> variance = workspace.take_block<T>(next.dim, next.lanes);
  const Block<T> normals = workspace.take_block<T>(next.dim, next.lanes);
  const Block<float> choice = workspace.take_block<float>(1, next.lanes);
  fill_normal(stream, Purpose::kDynamics, first_candidate, 0, normals);
  fill_uniform(stream, Purpose::kDynamics, first_candidate, normal_rows(next.dim), choice);
  const auto count = static_cast<float>(members_.size());
  for (std::size_t m = 0; m < members_.size(); ++m) {
    run(m, inputs, 0, workspace, mean, &variance);
    for (Index d = 0; d < next.dim; ++d) {
      for (Index k = 0; k < next.lanes; ++k) {
        // Below 2^24 members, the product with a number below 1 is below the count.
        if (static_cast<std::size_t>(choice.data[k] * count) != m) continue;
        const T start = d < shape_.state_dim ? state.row(d)[k] : T(0);
        next.row(d)[k] = start + mean.row(d)[k] + std::sqrt(variance.row(d)[k]) * normals.row(d)[k];
      }
    }
  }
}

template <class T>
void NetworkDynamics<T>::disagreement(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace, T* out) const {
  const Workspace::Scope scope(workspace);
  const ConstBlock<T> inputs = encoded(state, action, workspace);
  const Block<T> mean = workspace.take_block<T>(shape_.targets(), state.lanes);
  const Block<T> variance = workspace.take_block<T>(shape_.targets(), state.lanes);
  spread_of_members(inputs, 0, target_units_, workspace, mean, variance, nullptr);
  std::fill_n(out, state.lanes, T(0));
  for (Index d = 0; d < shape_.state_dim; ++d) {
    const T weight = inverse_target_variance_[static_cast<std::size_t>(d)] / static_cast<T>(shape_.state_dim);
    for (Index k = 0; k < state.lanes; ++k) out[k] += weight * variance.row(d)[k];
  }
  for (Index k = 0; k < state.lanes; ++k) out[k] = std::sqrt(out[k]);
}

template <class T>
std::size_t NetworkDynamics<T>::jacobians_workspace_bytes(Index lanes) const {
  const Index rows = 2 * shape_.inputs() + shape_.targets() + shape_.state_dim + shape_.action_dim;
  return Workspace::bytes<T>(rows * lanes) + 5 * Workspace::kAlignment + members_.front().gradient_bytes(lanes);
}

// Adds what one member predicts for one target, as derivatives with respect to states and actions.
template <class T>
void NetworkDynamics<T>::add_gradient(const PackedNetwork<T>& member, Index target, ConstBlock<T> inputs,
                                      ConstBlock<T> slopes, Workspace& workspace, JacobianBlock<T> out) const {
  const Workspace::Scope scope(workspace);
  const Block<T> of_inputs = workspace.take_block<T>(shape_.inputs(), inputs.lanes);
  const Block<T> of_state = workspace.take_block<T>(shape_.state_dim, inputs.lanes);
  const Block<T> of_action = workspace.take_block<T>(shape_.action_dim, inputs.lanes);
  member.gradient(target, slopes, workspace, of_inputs);
  encoding_.pull_back(inputs, of_inputs, of_state, of_action);
  add_block<T>(of_state, out.state.rows(target * shape_.state_dim, shape_.state_dim));
  add_block<T>(of_action, out.action.rows(target * shape_.action_dim, shape_.action_dim));
}

template <class T>
void NetworkDynamics<T>::jacobians(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace,
                                   JacobianBlock<T> out) const {
  const Workspace::Scope scope(workspace);
  const ConstBlock<T> inputs = encoded(state, action, workspace);
  const Block<T> one = workspace.take_block<T>(shape_.targets(), state.lanes);
  for (const Block<T>& sum : {out.next, out.state, out.action}) fill_block(T(0), sum);
  for (const PackedNetwork<T>& member : members_) {
    const Workspace::Scope of_member(workspace);
    const ConstBlock<T> slopes = member.slopes(inputs, workspace, one);
    add_block<T>(one.rows(0, shape_.state_dim), out.next);
    for (Index d = 0; d < shape_.state_dim; ++d) add_gradient(member, d, inputs, slopes, workspace, out);
  }
  for (const Block<T>& sum : {out.next, out.state, out.action}) scale_block(T(1) / static_cast<T>(members()), sum);
  add_block(state, out.next);
  for (Index d = 0; d < shape_.state_dim; ++d) lanes_of(out.state, d * shape_.state_dim + d) += T(1);
}

template class NetworkDynamics<float>;
template class NetworkDynamics<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

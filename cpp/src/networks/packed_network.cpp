#include "dynaplan/networks/packed_network.hpp"

#include <algorithm>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

template <class T>
PackedNetwork<T>::PackedNetwork(const FoldedNetwork& network)
    : activation_(network.activation),
      mean_(network.mean.packed<PackedAffine<T>>()),
      log_odds_(network.log_odds.packed<PackedAffine<T>>()),
      variance_low_(network.variance_low.cast<T>()),
      variance_range_(network.variance_range.cast<T>()),
      mean_weights_(network.mean.weights.cast<T>()) {
  for (const FoldedLayer& layer : network.hidden) {
    hidden_.push_back(layer.packed<PackedAffine<T>>());
    const FoldedLayer transposed{layer.weights.transpose(), Eigen::VectorXd::Zero(layer.weights.cols())};
    transposed_.push_back(transposed.packed<PackedAffine<T>>());
    widest_ = std::max(widest_, layer.weights.rows());
    units_ += layer.weights.rows();
  }
}

template <class T>
std::size_t PackedNetwork<T>::features_bytes(Index lanes) const {
  return 2 * Workspace::bytes<T>(widest_ * lanes);
}

template <class T>
ConstBlock<T> PackedNetwork<T>::features(ConstBlock<T> encoded, Workspace& workspace) const {
  const Block<T> tiles[] = {workspace.take_block<T>(widest_, encoded.lanes),
                            workspace.take_block<T>(widest_, encoded.lanes)};
  ConstBlock<T> input = encoded;
  for (std::size_t l = 0; l < hidden_.size(); ++l) {
    const Block<T> output = tiles[l % 2].rows(0, hidden_[l].outputs());
    hidden_[l].apply(&input, 1, activation_, output);
    input = output;
  }
  return input;
}

template <class T>
void PackedNetwork<T>::mean(ConstBlock<T> features, Block<T> out) const {
  mean_.apply(&features, 1, out);
}

template <class T>
void PackedNetwork<T>::variance(ConstBlock<T> features, Block<T> out) const {
  log_odds_.apply(&features, 1, out);
  for (Index d = 0; d < out.dim; ++d) {
    T* const row = out.row(d);
    if (variance_low_.size() == 0) {
      std::fill_n(row, out.lanes, T(0));
      continue;
    }
    const T low = variance_low_(d);
    const T range = variance_range_(d);
    for (Index k = 0; k < out.lanes; k += kVectorLanes<T>) {
      store_lanes(row + k, low + range * fast_sigmoid<T>(load_lanes<T>(row + k)));
    }
  }
}

template <class T>
std::size_t PackedNetwork<T>::gradient_bytes(Index lanes) const {
  return Workspace::bytes<T>(units_ * lanes) + 2 * Workspace::bytes<T>(widest_ * lanes);
}

template <class T>
ConstBlock<T> PackedNetwork<T>::slopes(ConstBlock<T> encoded, Workspace& workspace, Block<T> out) const {
  const Block<T> all = workspace.take_block<T>(units_, encoded.lanes);
  const Workspace::Scope scope(workspace);
  const Block<T> tiles[] = {workspace.take_block<T>(widest_, encoded.lanes),
                            workspace.take_block<T>(widest_, encoded.lanes)};
  ConstBlock<T> input = encoded;
  Index first = 0;
  for (std::size_t l = 0; l < hidden_.size(); ++l) {
    const Index units = hidden_[l].outputs();
    const Block<T> output = tiles[l % 2].rows(0, units);
    const Block<T> slopes = all.rows(first, units);
    hidden_[l].apply(&input, 1, output);
    for (Index i = 0; i < units; ++i) lanes_of(slopes, i) = T(1);
    multiply_derivative<T>(activation_, output, slopes);
    activate<T>(activation_, output, output);
    input = output;
    first += units;
  }
  mean_.apply(&input, 1, out);
  return all;
}

template <class T>
void PackedNetwork<T>::gradient(Index target, ConstBlock<T> slopes, Workspace& workspace, Block<T> out) const {
  const Workspace::Scope scope(workspace);
  const Block<T> tiles[] = {workspace.take_block<T>(widest_, out.lanes), workspace.take_block<T>(widest_, out.lanes)};
  Block<T> gradient = hidden_.empty() ? out : tiles[0].rows(0, hidden_.back().outputs());
  for (Index i = 0; i < gradient.dim; ++i) lanes_of(gradient, i) = mean_weights_(target, i);
  Index first = slopes.dim;
  for (std::size_t l = hidden_.size(); l-- > 0;) {
    first -= gradient.dim;
    for (Index i = 0; i < gradient.dim; ++i) {
      lanes_of(gradient, i) *= lanes_of(slopes.row(first + i), slopes.lanes);
    }
    const ConstBlock<T> input = gradient;
    gradient = l == 0 ? out : tiles[(hidden_.size() - l) % 2].rows(0, hidden_[l - 1].outputs());
    transposed_[l].apply(&input, 1, gradient);
  }
}

template class PackedNetwork<float>;
template class PackedNetwork<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

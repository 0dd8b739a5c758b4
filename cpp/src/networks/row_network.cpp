#include "dynaplan/networks/row_network.hpp"

#include <algorithm>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// Numbers of one trajectory to lanes `lane ... end` of a block.
template <class T>
void write_lanes(const T* values, Index lane, Index end, Block<T> out) {
  for (Index d = 0; d < out.dim; ++d) std::fill(out.row(d) + lane, out.row(d) + end, values[d]);
}

}  // namespace

template <class T>
RowNetwork<T>::RowNetwork(const FoldedNetwork& network)
    : activation_(network.activation),
      mean_(network.mean.packed<RowAffine<T>>()),
      log_odds_(network.log_odds.packed<RowAffine<T>>()),
      variance_low_(network.variance_low.cast<T>()),
      variance_range_(network.variance_range.cast<T>()) {
  for (const FoldedLayer& layer : network.hidden) {
    hidden_.push_back(layer.packed<RowAffine<T>>());
    widest_ = std::max(widest_, hidden_.back().padded_outputs());
  }
  inputs_ = (hidden_.empty() ? mean_ : hidden_.front()).inputs();
}

template <class T>
std::size_t RowNetwork<T>::workspace_bytes() const {
  return Workspace::bytes<T>(inputs_) + 2 * Workspace::bytes<T>(widest_) + Workspace::bytes<T>(mean_.padded_outputs());
}

template <class T>
const T* RowNetwork<T>::features(T* input, Workspace& workspace) const {
  T* const tiles[] = {workspace.take<T>(widest_), workspace.take<T>(widest_)};
  for (std::size_t l = 0; l < hidden_.size(); ++l) {
    const Index units = hidden_[l].padded_outputs();
    const Block<T> row{tiles[l % 2], 1, units, units};
    hidden_[l].apply(input, row.data);
    activate<T>(activation_, row, row);
    input = row.data;
  }
  return input;
}

template <class T>
void RowNetwork<T>::write_variance(T* log_odds, Index lane, Index end, Block<T> out) const {
  for (Index d = 0; d < padded_lanes<T>(out.dim); d += kVectorLanes<T>) {
    store_lanes(log_odds + d, fast_sigmoid<T>(load_lanes<T>(log_odds + d)));
  }
  for (Index d = 0; d < out.dim; ++d) log_odds[d] = variance_low_(d) + variance_range_(d) * log_odds[d];
  write_lanes(log_odds, lane, end, out);
}

template <class T>
void RowNetwork<T>::run(ConstBlock<T> encoded, Index wanted, Workspace& workspace, Block<T> mean,
                        const Block<T>* variance) const {
  for (Index k = 0; k < wanted; ++k) {
    const Workspace::Scope scope(workspace);
    const Index end = k + 1 == wanted ? encoded.lanes : k + 1;
    T* const input = workspace.take<T>(inputs_);
    T* const result = workspace.take<T>(mean_.padded_outputs());
    for (Index i = 0; i < inputs_; ++i) input[i] = encoded.row(i)[k];
    const T* const last_hidden = features(input, workspace);
    mean_.apply(last_hidden, result);
    write_lanes(result, k, end, mean);
    if (variance == nullptr) continue;
    if (variance_low_.size() > 0) {
      log_odds_.apply(last_hidden, result);
      write_variance(result, k, end, *variance);
    } else {
      std::fill_n(result, mean.dim, T(0));
      write_lanes(result, k, end, *variance);
    }
  }
}

template class RowNetwork<float>;
template class RowNetwork<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

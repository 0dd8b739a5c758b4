#include "dynaplan/networks/network_encoding.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

template <class T>
NetworkEncoding<T>::NetworkEncoding(const NetworkShape& shape, const NetworkScaling& scaling)
    : state_dim_(shape.state_dim), angles_(shape.angles) {
  for (const double mean : scaling.input_mean) mean_.push_back(static_cast<T>(mean));
  for (std::size_t a = 0; a < angles_.size(); ++a) rates_.push_back(static_cast<T>(kTurn / shape.period(a)));
}

template <class T>
void NetworkEncoding<T>::apply(ConstBlock<T> state, ConstBlock<T> action, Block<T> out) const {
  const Index lanes = out.lanes;
  const auto mean = [&](Index input) { return mean_[static_cast<std::size_t>(input)]; };
  std::size_t angle = 0;
  for (Index i = 0; i < state_dim_; ++i) {
    const auto x = lanes_of(state.row(i), lanes);
    if (angle < angles_.size() && angles_[angle] == i) {
      const Index cosine = state_dim_ + static_cast<Index>(angle);
      const auto radians = rates_[angle] * x;
      lanes_of(out, i) = radians.sin() - mean(i);
      lanes_of(out, cosine) = radians.cos() - mean(cosine);
      ++angle;
    } else {
      lanes_of(out, i) = x - mean(i);
    }
  }
  const Index first_action = state_dim_ + static_cast<Index>(angles_.size());
  for (Index j = 0; j < action.dim; ++j) {
    lanes_of(out, first_action + j) = lanes_of(action.row(j), lanes) - mean(first_action + j);
  }
}

template <class T>
void NetworkEncoding<T>::pull_back(ConstBlock<T> encoded, ConstBlock<T> of_inputs, Block<T> to_state,
                                   Block<T> to_action) const {
  const Index lanes = of_inputs.lanes;
  copy_block(of_inputs.rows(0, state_dim_), to_state);
  for (std::size_t angle = 0; angle < angles_.size(); ++angle) {
    const Index i = angles_[angle];
    const Index c = state_dim_ + static_cast<Index>(angle);
    const auto sine = lanes_of(encoded.row(i), lanes) + mean_[static_cast<std::size_t>(i)];
    const auto cosine = lanes_of(encoded.row(c), lanes) + mean_[static_cast<std::size_t>(c)];
    lanes_of(to_state, i) =
        rates_[angle] * (lanes_of(of_inputs.row(i), lanes) * cosine - lanes_of(of_inputs.row(c), lanes) * sine);
  }
  copy_block(of_inputs.rows(of_inputs.dim - to_action.dim, to_action.dim), to_action);
}

template class NetworkEncoding<float>;
template class NetworkEncoding<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#include "dynaplan/agents/sac_update.hpp"

#include <algorithm>

#include "dynaplan/agents/squashed_gaussian.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

template <class T>
void clear_beyond(Index count, Block<T> block) {
  for (Index i = 0; i < block.dim; ++i) std::fill(block.row(i) + count, block.row(i) + block.lanes, T(0));
}

template <class T>
double sum_of(const T* values, Index count) {
  double sum = 0.0;
  for (Index k = 0; k < count; ++k) sum += static_cast<double>(values[k]);
  return sum;
}

}  // namespace

template <class T>
SacUpdate<T>::SacUpdate(const SacShape& shape, const SacObjective& objective, Index samples)
    : shape_(shape),
      objective_(objective),
      samples_(samples),
      capacity_(padded_lanes<T>(samples) + kVectorLanes<T>),
      actor_(ParameterLayout<T>(shape.actor_sizes()), shape.activation, samples),
      critics_{{ParameterLayout<T>(shape.critic_sizes()), shape.activation, samples},
               {ParameterLayout<T>(shape.critic_sizes()), shape.activation, samples}},
      batch_(Numbers<T>::Zero((2 * shape.state_dim + 3 * shape.action_dim + 2) * capacity_)),
      policy_(Numbers<T>::Zero((3 * shape.action_dim + 2) * capacity_)),
      sums_(static_cast<std::size_t>(chunks_of(samples))),
      critic_blocks_(blocks_of(critics_[0], 2)),
      actor_blocks_(blocks_of(actor_, 1)),
      scratch_size_(0) {
  for (const NetworkTape<T>* tape : {&actor_, &critics_[0]}) {
    for (const LayerPlace& layer : tape->layout().layers()) {
      scratch_size_ = std::max(scratch_size_, NetworkTape<T>::kRows * (layer.stride + 1));
    }
  }
  scratch_size_ = padded_lanes<T>(scratch_size_);
}

template <class T>
std::vector<typename SacUpdate<T>::RowBlock> SacUpdate<T>::blocks_of(const NetworkTape<T>& tape, int networks) {
  constexpr Index kRows = NetworkTape<T>::kRows;
  std::vector<RowBlock> blocks;
  const std::vector<LayerPlace>& layers = tape.layout().layers();
  for (int network = 0; network < networks; ++network) {
    for (std::size_t l = 0; l < layers.size(); ++l) {
      for (Index first = 0; first < layers[l].outputs; first += kRows) {
        blocks.push_back({network, l, first, std::min(kRows, layers[l].outputs - first)});
      }
    }
  }
  return blocks;
}

template <class T>
SacBatch<T> SacUpdate<T>::batch(Index number) {
  const Chunk chunk = chunk_of<T>(samples_, number);
  const Index dims[] = {shape_.state_dim,  shape_.action_dim, 1, 1, shape_.state_dim,
                        shape_.action_dim, shape_.action_dim};
  Block<T> blocks[7];
  Index row = 0;
  for (int i = 0; i < 7; ++i) {
    blocks[i] = {batch_.data() + row * capacity_ + chunk.first, dims[i], chunk.lanes, capacity_};
    row += dims[i];
  }
  Block<T> transitions = blocks[0];
  transitions.dim = row - dims[5] - dims[6];
  return {transitions, blocks[0], blocks[1], blocks[2], blocks[3], blocks[4], blocks[5], blocks[6]};
}

template <class T>
void SacUpdate<T>::fill_critic_inputs(ConstBlock<T> states, ConstBlock<T> actions, const Chunk& chunk) {
  for (NetworkTape<T>& critic : critics_) {
    copy_block(states, critic.inputs(chunk).rows(0, shape_.state_dim));
    copy_block(actions, critic.inputs(chunk).rows(shape_.state_dim, shape_.action_dim));
  }
}

// r + discount (min(q_1, q_2)(s', a') - temperature log_prob(a')), without what follows where the episode terminated.
template <class T>
void SacUpdate<T>::targets(const SacNetworks<T>& networks, const Chunk& chunk, Block<T> out) {
  const SacBatch<T> batch = this->batch(chunk.first / kMaxLanes);
  const Index action_dim = shape_.action_dim;
  const Block<T> drawn = part(policy_, action_dim + 1, chunk);
  const Block<T> actions = drawn.rows(0, action_dim);
  copy_block<T>(batch.next_states, actor_.inputs(chunk));
  actor_.forward(networks.actor.parameters.data(), chunk);
  sample_squashed_gaussian<T>(actor_.outputs(chunk), batch.next_noise, actions, drawn.row(action_dim));
  fill_critic_inputs(batch.next_states, actions, chunk);
  for (int k = 0; k < 2; ++k) critics_[k].forward(networks.critics[k].slow.data(), chunk);
  const auto temperature = static_cast<T>(networks.temperature.value());
  const auto value = lanes_of(critics_[0].outputs(chunk), 0).min(lanes_of(critics_[1].outputs(chunk), 0));
  lanes_of(out, 0) = lanes_of(batch.rewards, 0) + (T(1) - lanes_of(batch.terminated, 0)) *
                                                      static_cast<T>(objective_.discount) *
                                                      (value - temperature * lanes_of(drawn, action_dim));
}

template <class T>
void SacUpdate<T>::critic_pass(const SacNetworks<T>& networks, Index number) {
  const Chunk chunk = chunk_of<T>(samples_, number);
  const SacBatch<T> batch = this->batch(number);
  const Block<T> target = part(policy_, 3 * shape_.action_dim + 2, chunk).rows(shape_.action_dim + 1, 1);
  targets(networks, chunk, target);
  fill_critic_inputs(batch.states, batch.actions, chunk);
  Sums& sums = sums_[static_cast<std::size_t>(number)];
  sums.critic_loss = 0.0;
  for (int k = 0; k < 2; ++k) {
    NetworkTape<T>& critic = critics_[k];
    critic.forward_for_backward(networks.critics[k].parameters.data(), chunk);
    const Block<T> gradient = critic.output_gradient(chunk);
    lanes_of(gradient, 0) = lanes_of(critic.outputs(chunk), 0) - lanes_of(target, 0);
    for (Index i = 0; i < chunk.count; ++i) {
      const auto error = static_cast<double>(gradient.row(0)[i]);
      sums.critic_loss += 0.5 * error * error;
    }
    lanes_of(gradient, 0) *= T(1) / static_cast<T>(samples_);
    clear_beyond(chunk.count, gradient);
    critic.backward(networks.critics[k].parameters.data(), chunk);
    critic.turn_inputs(chunk);
  }
}

template <class T>
void SacUpdate<T>::actor_pass(const SacNetworks<T>& networks, Index number) {
  const Chunk chunk = chunk_of<T>(samples_, number);
  const SacBatch<T> batch = this->batch(number);
  const Index action_dim = shape_.action_dim;
  const Block<T> memory = part(policy_, 3 * action_dim + 2, chunk);
  const Block<T> actions = memory.rows(0, action_dim);
  T* const log_prob = memory.row(action_dim);
  const Block<T> by_actions[2] = {memory.rows(action_dim + 2, action_dim), memory.rows(2 * action_dim + 2, action_dim)};

  copy_block<T>(batch.states, actor_.inputs(chunk));
  actor_.forward_for_backward(networks.actor.parameters.data(), chunk);
  sample_squashed_gaussian<T>(actor_.outputs(chunk), batch.noise, actions, log_prob);
  fill_critic_inputs(batch.states, actions, chunk);
  for (int k = 0; k < 2; ++k) critics_[k].forward_for_backward(networks.critics[k].parameters.data(), chunk);

  // The smaller critic alone has a gradient, in each lane.
  const T* const q0 = critics_[0].outputs(chunk).row(0);
  const T* const q1 = critics_[1].outputs(chunk).row(0);
  const T slope = T(-1) / static_cast<T>(samples_);
  for (Index i = 0; i < chunk.lanes; ++i) {
    const bool first = q0[i] <= q1[i];
    critics_[0].output_gradient(chunk).row(0)[i] = first ? slope : T(0);
    critics_[1].output_gradient(chunk).row(0)[i] = first ? T(0) : slope;
  }
  for (int k = 0; k < 2; ++k) {
    const T* const parameters = networks.critics[k].parameters.data();
    critics_[k].backward(parameters, chunk);
    critics_[k].input_gradient(parameters, chunk, shape_.state_dim, by_actions[k]);
  }
  for (Index i = 0; i < action_dim; ++i) lanes_of(by_actions[0], i) += lanes_of(by_actions[1], i);

  const double temperature = networks.temperature.value();
  const Block<T> gradient = actor_.output_gradient(chunk);
  squashed_gaussian_gradient<T>(actor_.outputs(chunk), batch.noise, actions, by_actions[0],
                                static_cast<T>(temperature / static_cast<double>(samples_)), gradient);
  clear_beyond(chunk.count, gradient);
  actor_.backward(networks.actor.parameters.data(), chunk);
  actor_.turn_inputs(chunk);

  Sums& sums = sums_[static_cast<std::size_t>(number)];
  sums.log_prob = sum_of(log_prob, chunk.count);
  sums.value = 0.0;
  for (Index i = 0; i < chunk.count; ++i) sums.value += static_cast<double>(std::min(q0[i], q1[i]));
  sums.actor_loss = temperature * sums.log_prob - sums.value;
}

template <class T>
double SacUpdate<T>::mean(double Sums::* what) const {
  double sum = 0.0;
  for (const Sums& chunk : sums_) sum += chunk.*what;
  return sum / static_cast<double>(samples_);
}

template <class T>
double SacUpdate<T>::critic_loss() const {
  return mean(&Sums::critic_loss);
}

template <class T>
double SacUpdate<T>::mean_value() const {
  return mean(&Sums::value);
}

template <class T>
double SacUpdate<T>::actor_loss() const {
  return mean(&Sums::actor_loss);
}

template <class T>
double SacUpdate<T>::mean_log_prob() const {
  return mean(&Sums::log_prob);
}

template <class T>
void SacUpdate<T>::step(const NetworkTape<T>& tape, const RowBlock& block, const AdamStep<T>& adam, T polyak,
                        T* scratch, LearnedNetwork<T>& network) {
  const LayerPlace& layer = tape.layout().layers()[block.layer];
  const Index weights = block.rows * layer.stride;
  tape.weight_gradient(block.layer, block.first, block.rows, scratch, scratch + weights);
  network.step(layer.weights + block.first * layer.stride, weights, scratch, adam, polyak);
  network.step(layer.bias + block.first, block.rows, scratch + weights, adam, polyak);
}

template <class T>
void SacUpdate<T>::step_critic(const RowBlock& block, const AdamStep<T>& adam, T polyak, T* scratch,
                               SacNetworks<T>& networks) const {
  step(critics_[block.network], block, adam, polyak, scratch, networks.critics[block.network]);
}

template <class T>
void SacUpdate<T>::step_actor(const RowBlock& block, const AdamStep<T>& adam, T* scratch,
                              SacNetworks<T>& networks) const {
  step(actor_, block, adam, T(0), scratch, networks.actor);
}

template class SacUpdate<float>;
template class SacUpdate<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

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
std::vector<typename SacUpdate<T>::Range> ranges_of(Index size, int networks) {
  std::vector<typename SacUpdate<T>::Range> ranges;
  for (int network = 0; network < networks; ++network) {
    for (Index start = 0; start < size; start += SacUpdate<T>::kRange) {
      ranges.push_back({network, start, std::min(SacUpdate<T>::kRange, size - start)});
    }
  }
  return ranges;
}

}  // namespace

template <class T>
SacUpdate<T>::SacUpdate(const SacShape& shape, const SacObjective& objective, Index samples, int threads)
    : shape_(shape),
      objective_(objective),
      samples_(samples),
      capacity_(padded_lanes<T>(samples) + kVectorLanes<T>),
      batch_(Numbers<T>::Zero((2 * shape.state_dim + 3 * shape.action_dim + 2) * capacity_)),
      shards_(static_cast<std::size_t>(std::min(chunks_of(samples), kMaxShards))) {
  const Index actor_size = ParameterLayout<T>(shape.actor_sizes()).size();
  const Index critic_size = ParameterLayout<T>(shape.critic_sizes()).size();
  for (Shard& shard : shards_) {
    for (Numbers<T>& gradient : shard.critic_gradients) gradient = Numbers<T>::Zero(critic_size);
    shard.actor_gradient = Numbers<T>::Zero(actor_size);
  }
  const auto used = static_cast<int>(std::min<Index>(threads, shards()));
  for (int thread = 0; thread < used; ++thread) tapes_.push_back(tapes());
  critic_ranges_ = ranges_of<T>(critic_size, 2);
  actor_ranges_ = ranges_of<T>(actor_size, 1);
}

template <class T>
typename SacUpdate<T>::Tapes SacUpdate<T>::tapes() const {
  const Index samples = std::min(samples_, (chunks() + shards() - 1) / shards() * kMaxLanes);
  const auto tape = [&](const std::vector<Index>& sizes) {
    return NetworkTape<T>(ParameterLayout<T>(sizes), shape_.activation, samples, SingleOutput::kByLane);
  };
  return {tape(shape_.actor_sizes()),
          {tape(shape_.critic_sizes()), tape(shape_.critic_sizes())},
          Numbers<T>::Zero((3 * shape_.action_dim + 2) * kMaxLanes)};
}

template <class T>
Index SacUpdate<T>::shard_samples(Index shard) const {
  return std::min(samples_, first_chunk(shard + 1) * kMaxLanes) - first_chunk(shard) * kMaxLanes;
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
void SacUpdate<T>::fill_critic_inputs(Tapes& tapes, ConstBlock<T> states, ConstBlock<T> actions,
                                      const Chunk& chunk) const {
  for (NetworkTape<T>& critic : tapes.critics) {
    copy_block(states, critic.inputs(chunk).rows(0, shape_.state_dim));
    copy_block(actions, critic.inputs(chunk).rows(shape_.state_dim, shape_.action_dim));
  }
}

// r + discount (min(q_1, q_2)(s', a') - temperature log_prob(a')), without what follows where the episode terminated.
template <class T>
void SacUpdate<T>::targets(const SacNetworks<T>& networks, const SacBatch<T>& batch, const Chunk& chunk, Tapes& tapes,
                           Block<T> out) const {
  const Block<T> actions = tapes.rows(0, shape_.action_dim, chunk);
  const Block<T> log_prob = tapes.rows(shape_.action_dim, 1, chunk);
  copy_block<T>(batch.next_states, tapes.actor.inputs(chunk));
  tapes.actor.forward(networks.actor.parameters.data(), chunk);
  sample_squashed_gaussian<T>(tapes.actor.outputs(chunk), batch.next_noise, actions, log_prob.data);
  fill_critic_inputs(tapes, batch.next_states, actions, chunk);
  for (int k = 0; k < 2; ++k) tapes.critics[k].forward(networks.critics[k].target.data(), chunk);
  const auto temperature = static_cast<T>(networks.temperature.value());
  const auto value = lanes_of(tapes.critics[0].outputs(chunk), 0).min(lanes_of(tapes.critics[1].outputs(chunk), 0));
  lanes_of(out, 0) = lanes_of(batch.rewards, 0) + (T(1) - lanes_of(batch.terminated, 0)) *
                                                      static_cast<T>(objective_.discount) *
                                                      (value - temperature * lanes_of(log_prob, 0));
}

template <class T>
void SacUpdate<T>::critic_chunk(const SacNetworks<T>& networks, const SacBatch<T>& batch, const Chunk& chunk,
                                Tapes& tapes, Sums& sums) const {
  const Block<T> target = tapes.rows(shape_.action_dim + 1, 1, chunk);
  targets(networks, batch, chunk, tapes, target);
  fill_critic_inputs(tapes, batch.states, batch.actions, chunk);
  for (int k = 0; k < 2; ++k) {
    NetworkTape<T>& critic = tapes.critics[k];
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
    critic.transpose_inputs(chunk);
  }
}

template <class T>
void SacUpdate<T>::critic_pass(const SacNetworks<T>& networks, Index number, int thread) {
  Tapes& tapes = tapes_[static_cast<std::size_t>(thread)];
  Shard& shard = shards_[static_cast<std::size_t>(number)];
  const Index samples = shard_samples(number);
  shard.sums = {};
  for (Index chunk = first_chunk(number); chunk < first_chunk(number + 1); ++chunk) {
    critic_chunk(networks, batch(chunk), chunk_of<T>(samples, chunk - first_chunk(number)), tapes, shard.sums);
  }
  for (int k = 0; k < 2; ++k) tapes.critics[k].weight_gradient(samples, shard.critic_gradients[k].data());
}

template <class T>
void SacUpdate<T>::actor_chunk(const SacNetworks<T>& networks, const SacBatch<T>& batch, const Chunk& chunk,
                               Tapes& tapes, Sums& sums) const {
  const Index action_dim = shape_.action_dim;
  const Block<T> actions = tapes.rows(0, action_dim, chunk);
  T* const log_prob = tapes.rows(action_dim, 1, chunk).data;
  const Block<T> by_actions[2] = {tapes.rows(action_dim + 2, action_dim, chunk),
                                  tapes.rows(2 * action_dim + 2, action_dim, chunk)};

  copy_block<T>(batch.states, tapes.actor.inputs(chunk));
  tapes.actor.forward_for_backward(networks.actor.parameters.data(), chunk);
  sample_squashed_gaussian<T>(tapes.actor.outputs(chunk), batch.noise, actions, log_prob);
  fill_critic_inputs(tapes, batch.states, actions, chunk);
  for (int k = 0; k < 2; ++k) {
    tapes.critics[k].forward_for_backward(networks.critics[k].parameters.data(), chunk);
  }

  // The smaller critic alone has a gradient, in each lane.
  const T* const q0 = tapes.critics[0].outputs(chunk).row(0);
  const T* const q1 = tapes.critics[1].outputs(chunk).row(0);
  const T slope = T(-1) / static_cast<T>(samples_);
  for (Index i = 0; i < chunk.lanes; ++i) {
    const bool first = q0[i] <= q1[i];
    tapes.critics[0].output_gradient(chunk).row(0)[i] = first ? slope : T(0);
    tapes.critics[1].output_gradient(chunk).row(0)[i] = first ? T(0) : slope;
  }
  for (int k = 0; k < 2; ++k) {
    const T* const parameters = networks.critics[k].parameters.data();
    tapes.critics[k].backward(parameters, chunk);
    tapes.critics[k].input_gradient(parameters, chunk, shape_.state_dim, by_actions[k]);
  }
  for (Index i = 0; i < action_dim; ++i) lanes_of(by_actions[0], i) += lanes_of(by_actions[1], i);

  const double temperature = networks.temperature.value();
  const Block<T> gradient = tapes.actor.output_gradient(chunk);
  squashed_gaussian_gradient<T>(tapes.actor.outputs(chunk), batch.noise, actions, by_actions[0],
                                static_cast<T>(temperature / static_cast<double>(samples_)), gradient);
  clear_beyond(chunk.count, gradient);
  tapes.actor.backward(networks.actor.parameters.data(), chunk);
  tapes.actor.transpose_inputs(chunk);

  for (Index i = 0; i < chunk.count; ++i) {
    const auto value = static_cast<double>(std::min(q0[i], q1[i]));
    sums.value += value;
    sums.log_prob += static_cast<double>(log_prob[i]);
    sums.actor_loss += temperature * static_cast<double>(log_prob[i]) - value;
  }
}

template <class T>
void SacUpdate<T>::actor_pass(const SacNetworks<T>& networks, Index number, int thread) {
  Tapes& tapes = tapes_[static_cast<std::size_t>(thread)];
  Shard& shard = shards_[static_cast<std::size_t>(number)];
  const Index samples = shard_samples(number);
  shard.sums.value = shard.sums.log_prob = shard.sums.actor_loss = 0.0;
  for (Index chunk = first_chunk(number); chunk < first_chunk(number + 1); ++chunk) {
    actor_chunk(networks, batch(chunk), chunk_of<T>(samples, chunk - first_chunk(number)), tapes, shard.sums);
  }
  tapes.actor.weight_gradient(samples, shard.actor_gradient.data());
}

template <class T>
double SacUpdate<T>::mean(double Sums::* what) const {
  double sum = 0.0;
  for (const Shard& shard : shards_) sum += shard.sums.*what;
  return sum / static_cast<double>(samples_);
}

template <class T>
void SacUpdate<T>::critic_gradient(const Range& range, T* out) const {
  Eigen::Map<Numbers<T>> sum(out, range.count);
  sum = shards_.front().critic_gradients[range.network].segment(range.start, range.count);
  for (std::size_t s = 1; s < shards_.size(); ++s) {
    sum += shards_[s].critic_gradients[range.network].segment(range.start, range.count);
  }
}

template <class T>
void SacUpdate<T>::actor_gradient(const Range& range, T* out) const {
  Eigen::Map<Numbers<T>> sum(out, range.count);
  sum = shards_.front().actor_gradient.segment(range.start, range.count);
  for (std::size_t s = 1; s < shards_.size(); ++s) {
    sum += shards_[s].actor_gradient.segment(range.start, range.count);
  }
}

template <class T>
void SacUpdate<T>::step_critic(const Range& range, const AdamStep<T>& adam, T polyak, T* scratch,
                               SacNetworks<T>& networks) const {
  critic_gradient(range, scratch);
  networks.critics[range.network].step(range.start, range.count, scratch, adam, polyak);
}

template <class T>
void SacUpdate<T>::step_actor(const Range& range, const AdamStep<T>& adam, T* scratch, SacNetworks<T>& networks) const {
  actor_gradient(range, scratch);
  networks.actor.step(range.start, range.count, scratch, adam, T(0));
}

template class SacUpdate<float>;
template class SacUpdate<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#pragma once

#include <vector>

#include "dynaplan/agents/network_tape.hpp"
#include "dynaplan/agents/sac_networks.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// What a chunk of a batch is made of, samples in lanes; lanes beyond the samples hold any finite numbers.
template <class T>
struct SacBatch {
  Block<T> transitions;  // the five that follow, one below the other
  Block<T> states;       // (S, K)
  Block<T> actions;      // (A, K), in [-1, 1]
  Block<T> rewards;      // (1, K)
  Block<T> terminated;   // (1, K), 1 where no reward follows; a time limit is no such end
  Block<T> next_states;  // (S, K)
  Block<T> next_noise;   // (A, K), standard normals for the actions at the next states
  Block<T> noise;        // (A, K), those for the actions at the states
};

struct SacObjective {
  double discount = 0.99;
  double target_entropy = -1.0;
};

/// One update of soft actor-critic on one batch (Haarnoja et al. 2018, "Soft actor-critic algorithms and
/// applications", algorithm 1), in passes over chunks and steps over blocks of rows of weights. Within a pass or a step
/// the items are independent, so that any threads may take them; sums run in an order of their own, so that the bits
/// do not depend on it. Holds the memory; a call allocates nothing.
///
///   critic_pass (each chunk), step_critics (each block), actor_pass (each chunk), step_actor (each block)
template <class T>
class SacUpdate {
 public:
  SacUpdate(const SacShape& shape, const SacObjective& objective, Index samples);

  Index chunks() const { return chunks_of(samples_); }
  /// To be filled before `critic_pass` of the chunk.
  SacBatch<T> batch(Index chunk);

  /// Forward and backward through the critics: their loss is half the sum of their mean squared errors.
  void critic_pass(const SacNetworks<T>& networks, Index chunk);
  double critic_loss() const;
  /// Mean of the smaller of both critics over the batch.
  double mean_value() const;

  /// Forward through actor and critics and back to the actor: its loss is the mean of temperature x log_prob - value.
  void actor_pass(const SacNetworks<T>& networks, Index chunk);
  double actor_loss() const;
  double mean_log_prob() const;
  /// The derivative of the temperature's loss, -ln(temperature) x mean(log_prob + target_entropy), by that logarithm.
  double temperature_gradient() const { return -(mean_log_prob() + objective_.target_entropy); }

  /// Some rows of one layer of one network.
  struct RowBlock {
    int network;
    std::size_t layer;
    Index first;
    Index rows;
  };
  const std::vector<RowBlock>& critic_blocks() const { return critic_blocks_; }
  const std::vector<RowBlock>& actor_blocks() const { return actor_blocks_; }
  /// Numbers of scratch that a step needs.
  Index scratch_size() const { return scratch_size_; }
  /// Gradient, Adam and Polyak averaging of one block while it is in the nearest cache.
  void step_critic(const RowBlock& block, const AdamStep<T>& adam, T polyak, T* scratch,
                   SacNetworks<T>& networks) const;
  void step_actor(const RowBlock& block, const AdamStep<T>& adam, T* scratch, SacNetworks<T>& networks) const;

  const NetworkTape<T>& actor_tape() const { return actor_; }
  const NetworkTape<T>& critic_tape(int critic) const { return critics_[critic]; }

 private:
  /// What a chunk adds to the sums over the batch.
  struct Sums {
    double critic_loss = 0.0;
    double value = 0.0;
    double actor_loss = 0.0;
    double log_prob = 0.0;
  };
  Block<T> part(Numbers<T>& numbers, Index dim, const Chunk& chunk) const {
    return {numbers.data() + chunk.first, dim, chunk.lanes, capacity_};
  }
  void fill_critic_inputs(ConstBlock<T> states, ConstBlock<T> actions, const Chunk& chunk);
  void targets(const SacNetworks<T>& networks, const Chunk& chunk, Block<T> out);
  double mean(double Sums::* what) const;
  static std::vector<RowBlock> blocks_of(const NetworkTape<T>& tape, int networks);
  static void step(const NetworkTape<T>& tape, const RowBlock& block, const AdamStep<T>& adam, T polyak, T* scratch,
                   LearnedNetwork<T>& network);

  SacShape shape_;
  SacObjective objective_;
  Index samples_;
  Index capacity_;
  NetworkTape<T> actor_;
  NetworkTape<T> critics_[2];
  Numbers<T> batch_;        // rows in the order of SacBatch, which for the transitions is that of TransitionStore
  Numbers<T> policy_;       // actions drawn from the actor (A), their log_prob, targets, derivatives by actions (2 A)
  std::vector<Sums> sums_;  // of each chunk
  std::vector<RowBlock> critic_blocks_;
  std::vector<RowBlock> actor_blocks_;
  Index scratch_size_;
};

extern template class SacUpdate<float>;
extern template class SacUpdate<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#pragma once

#include <vector>

#include "dynaplan/agents/sac_networks.hpp"
#include "dynaplan/networks/network_tape.hpp"

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

/// Chunks of a batch that one thread takes at a time, with all that is computed from them in its own caches. There are
/// as many shards as chunks, but at most so many, since each has gradients of its own.
inline constexpr Index kMaxShards = 8;

/// One update of soft actor-critic on one batch (Haarnoja et al. 2018, "Soft actor-critic algorithms and
/// applications", algorithm 1), in passes over shards and steps over ranges of parameters. Within a pass or a step the
/// items are independent, so that any threads may take them; sums run in an order of their own, so that the bits do
/// not depend on it. Holds the memory; a call allocates nothing.
///
///   critic_pass (each shard), step_critic (each range), actor_pass (each shard), step_actor (each range)
template <class T>
class SacUpdate {
 public:
  SacUpdate(const SacShape& shape, const SacObjective& objective, Index samples, int threads);

  Index chunks() const { return chunks_of(samples_); }
  Index shards() const { return static_cast<Index>(shards_.size()); }
  /// The chunks of a shard: those from `first_chunk(shard)` to before `first_chunk(shard + 1)`.
  Index first_chunk(Index shard) const { return shard * chunks() / shards(); }
  /// To be filled before `critic_pass` of the shard that the chunk is in.
  SacBatch<T> batch(Index number);

  /// Forward and backward through the critics: their loss is half the sum of their mean squared errors.
  void critic_pass(const SacNetworks<T>& networks, Index number, int thread);
  double critic_loss() const { return mean(&Sums::critic_loss); }

  /// Forward through actor and critics and back to the actor: its loss is the mean of temperature x log_prob - value.
  void actor_pass(const SacNetworks<T>& networks, Index number, int thread);
  double actor_loss() const { return mean(&Sums::actor_loss); }
  double mean_log_prob() const { return mean(&Sums::log_prob); }
  /// Mean of the smaller of both critics at the actor's own actions.
  double mean_value() const { return mean(&Sums::value); }
  /// The derivative of the temperature's loss, -ln(temperature) x mean(log_prob + target_entropy), by that logarithm.
  double temperature_gradient() const { return -(mean_log_prob() + objective_.target_entropy); }

  /// Some parameters of one network.
  struct Range {
    int network;
    Index start;
    Index count;
  };
  const std::vector<Range>& critic_ranges() const { return critic_ranges_; }
  const std::vector<Range>& actor_ranges() const { return actor_ranges_; }
  static constexpr Index kRange = 2048;
  /// The gradients of a range after the pass, summed over the shards.
  void critic_gradient(const Range& range, T* out) const;
  void actor_gradient(const Range& range, T* out) const;
  /// Gradient, Adam and Polyak averaging of one range while it is in the nearest cache; `scratch` has kRange numbers.
  void step_critic(const Range& range, const AdamStep<T>& adam, T polyak, T* scratch, SacNetworks<T>& networks) const;
  void step_actor(const Range& range, const AdamStep<T>& adam, T* scratch, SacNetworks<T>& networks) const;

 private:
  struct Sums {
    double critic_loss = 0.0;
    double value = 0.0;
    double actor_loss = 0.0;
    double log_prob = 0.0;
  };
  /// The results of a shard.
  struct Shard {
    Sums sums;
    Numbers<T> critic_gradients[2];
    Numbers<T> actor_gradient;
  };
  /// The memory of a thread.
  struct Tapes {
    NetworkTape<T> actor;
    NetworkTape<T> critics[2];
    Numbers<T> policy;  // of a chunk: actions drawn, their log_prob, targets, derivatives by the actions, twice

    Block<T> rows(Index first, Index count, const Chunk& chunk) {
      return {policy.data() + first * kMaxLanes, count, chunk.lanes, kMaxLanes};
    }
  };
  Tapes tapes() const;
  Index shard_samples(Index shard) const;
  void fill_critic_inputs(Tapes& tapes, ConstBlock<T> states, ConstBlock<T> actions, const Chunk& chunk) const;
  void targets(const SacNetworks<T>& networks, const SacBatch<T>& batch, const Chunk& chunk, Tapes& tapes,
               Block<T> out) const;
  void critic_chunk(const SacNetworks<T>& networks, const SacBatch<T>& batch, const Chunk& chunk, Tapes& tapes,
                    Sums& sums) const;
  void actor_chunk(const SacNetworks<T>& networks, const SacBatch<T>& batch, const Chunk& chunk, Tapes& tapes,
                   Sums& sums) const;
  double mean(double Sums::* what) const;

  SacShape shape_;
  SacObjective objective_;
  Index samples_;
  Index capacity_;
  Numbers<T> batch_;  // rows in the order of SacBatch, which for the transitions is that of TransitionStore
  std::vector<Shard> shards_;
  std::vector<Tapes> tapes_;  // of each thread
  std::vector<Range> critic_ranges_;
  std::vector<Range> actor_ranges_;
};

extern template class SacUpdate<float>;
extern template class SacUpdate<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

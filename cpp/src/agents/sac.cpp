#include "dynaplan/agents/sac.hpp"

#include <algorithm>
#include <cmath>

#include "dynaplan/agents/random_use.hpp"
#include "dynaplan/agents/squashed_gaussian.hpp"
#include "dynaplan/core/check.hpp"
#include "dynaplan/core/error.hpp"
#include "dynaplan/core/parallel.hpp"
#include "dynaplan/core/transpose.hpp"
#include "dynaplan/core/zero_subnormals.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

constexpr Index kMaxSamples = Index{1} << 16;  // what memory has to be there for
constexpr int kMaxThreads = 1024;

[[noreturn]] void throw_not_finite(const char* whose, std::uint64_t update, double loss) {
  throw NumericalError("update " + text_of(update) + ": the loss of the " + whose + " is " + text_of(loss) +
                       ", must be finite in float32; scale the rewards or lower learning_rate");
}

}  // namespace

void SacSettings::validate() const {
  require_positive_fraction("learning_rate", learning_rate);
  require_in("batch_size", batch_size, 1, kMaxSamples);
  require_positive_fraction("tau", tau);
  require_fraction("discount", discount);
  require_finite("target_entropy", target_entropy);
  require_positive("temperature", temperature);
  require_fraction("real_ratio", real_ratio);
  require_in("threads", threads, 1, kMaxThreads);
}

namespace {

SacShape validated(const SacShape& shape, const ActionBox& box, const SacSettings& settings) {
  shape.validate();
  box.validate();
  require_size("action_space", box.dim(), shape.action_dim);
  settings.validate();
  return shape;
}

}  // namespace

Sac::Sac(const SacShape& shape, const ActionBox& box, const SacSettings& settings)
    : shape_(validated(shape, box, settings)),
      box_(box),
      settings_(settings),
      networks_(shape, settings.seed, settings.temperature),
      real_("buffer_size", shape.state_dim, shape.action_dim, settings.buffer_size),
      imagined_("imagined_buffer_size", shape.state_dim, shape.action_dim, settings.imagined_buffer_size) {
  for (int thread = 0; thread < settings.threads; ++thread) {
    acting_.emplace_back(networks_.actor.layout, shape.activation, kMaxLanes, SingleOutput::kByLane);
  }
}

void Sac::observe(const TransitionRows& rows) {
  rows.validate(shape_.state_dim, box_);
  real_.append(rows, box_);
}

void Sac::observe_imagined(const TransitionRows& rows, bool replace) {
  rows.validate(shape_.state_dim, box_);
  if (replace) imagined_.clear();
  imagined_.append(rows, box_);
}

void Sac::prepare() {
  if (update_) return;
  const SacObjective objective{settings_.discount, settings_.target_entropy};
  update_ = std::make_unique<SacUpdate<float>>(shape_, objective, settings_.batch_size, settings_.threads);
  scratch_.assign(static_cast<std::size_t>(settings_.threads),
                  Numbers<float>(std::max(SacUpdate<float>::kRange, ReplayDraw::scratch_size(real_))));
}

ReplayDraw Sac::draw() const {
  return {real_,
          imagined_,
          settings_.real_ratio,
          settings_.batch_size,
          settings_.seed,
          static_cast<std::uint64_t>(networks_.updates)};
}

void Sac::fill(const ReplayDraw& draw, Index number, int thread) {
  const Chunk chunk = chunk_of<float>(settings_.batch_size, number);
  const SacBatch<float> batch = update_->batch(number);
  const auto update = static_cast<std::uint64_t>(networks_.updates);
  draw.fill(chunk, scratch(thread), batch);
  const auto normals = [&](RandomUse use, Block<float> out) {
    fill_normal(stream_of(settings_.seed, update, use), Purpose::kTraining, chunk.first, 0, out);
  };
  normals(RandomUse::kNextActions, batch.next_noise);
  normals(RandomUse::kActions, batch.noise);
}

template <class Step>
void Sac::run_ranges(const std::vector<SacUpdate<float>::Range>& ranges, const Step& step) {
  parallel_for(static_cast<Index>(ranges.size()), settings_.threads, [&](Index item, int thread) {
    const ZeroSubnormals zero;
    step(ranges[static_cast<std::size_t>(item)], scratch(thread));
  });
}

void Sac::critic_step(const ReplayDraw& draw) {
  parallel_for(update_->shards(), settings_.threads, [&](Index shard, int thread) {
    const ZeroSubnormals zero;
    for (Index chunk = update_->first_chunk(shard); chunk < update_->first_chunk(shard + 1); ++chunk) {
      fill(draw, chunk, thread);
    }
    update_->critic_pass(networks_, shard, thread);
  });
  if (const double loss = update_->critic_loss(); !std::isfinite(static_cast<float>(loss))) {
    throw_not_finite("critics", networks_.updates + 1, loss);
  }
  const AdamStep<float> adam(settings_.learning_rate, networks_.updates + 1);
  run_ranges(update_->critic_ranges(), [&](const auto& range, float* memory) {
    update_->step_critic(range, adam, static_cast<float>(settings_.tau), memory, networks_);
  });
}

void Sac::actor_step() {
  parallel_for(update_->shards(), settings_.threads, [&](Index shard, int thread) {
    const ZeroSubnormals zero;
    update_->actor_pass(networks_, shard, thread);
  });
  if (const double loss = update_->actor_loss(); !std::isfinite(static_cast<float>(loss))) {
    throw_not_finite("actor", networks_.updates + 1, loss);
  }
  const AdamStep<float> adam(settings_.learning_rate, networks_.updates + 1);
  run_ranges(update_->actor_ranges(),
             [&](const auto& range, float* memory) { update_->step_actor(range, adam, memory, networks_); });
  if (!settings_.learns_temperature) return;
  Temperature& temperature = networks_.temperature;
  temperature.logarithm -= AdamStep<double>(settings_.learning_rate, networks_.updates + 1)
                               .change(update_->temperature_gradient(), temperature.first, temperature.second);
}

SacStatistics Sac::update(Index count, const std::function<bool()>& wants_stop) {
  require_at_least("count", count, 0);
  prepare();
  SacStatistics sums;
  while (sums.updates < count && !wants_stop()) {
    sums.temperature += networks_.temperature.value();
    critic_step(draw());
    actor_step();
    ++networks_.updates;
    ++sums.updates;
    sums.critic_loss += update_->critic_loss();
    sums.actor_loss += update_->actor_loss();
    sums.value += update_->mean_value();
    sums.entropy -= update_->mean_log_prob();
  }
  const double share = sums.updates > 0 ? 1.0 / static_cast<double>(sums.updates) : 0.0;
  return {sums.updates,       sums.critic_loss * share, sums.actor_loss * share,
          sums.value * share, sums.entropy * share,     sums.temperature * share};
}

std::vector<SacBatch<float>> Sac::next_batch() {
  prepare();
  const ReplayDraw next = draw();
  std::vector<SacBatch<float>> batches;
  for (Index chunk = 0; chunk < update_->chunks(); ++chunk) {
    fill(next, chunk, 0);
    batches.push_back(update_->batch(chunk));
  }
  return batches;
}

void Sac::act(const double* states, Index count, bool deterministic, double* actions, const Interrupt* interrupt) {
  require_finite_float32("states", states, count, shape_.state_dim);
  const Index action_dim = shape_.action_dim;
  const Stream stream = stream_of(settings_.seed, draws_, RandomUse::kActing);
  if (!deterministic) ++draws_;
  const auto act_on = [&](Index number, int thread) {
    NetworkTape<float>& tape = acting_[static_cast<std::size_t>(thread)];
    const Chunk from = chunk_of<float>(count, number);
    const Chunk chunk{0, from.count, from.lanes};
    const Block<float> inputs = tape.inputs(chunk);
    for (Index i = 0; i < inputs.dim; ++i) {
      for (Index k = 0; k < chunk.lanes; ++k) {
        const Index sample = from.first + std::min(k, chunk.count - 1);
        inputs.row(i)[k] = static_cast<float>(states[sample * inputs.dim + i]);
      }
    }
    tape.forward(networks_.actor.parameters.data(), chunk);
    // The tape's gradients lie idle: rows 0 to A take the actions, the others the noise, then the log_prob.
    const Block<float> memory = tape.output_gradient(chunk);
    const Block<float> drawn = memory.rows(0, action_dim);
    if (deterministic) {
      mode_of_squashed_gaussian<float>(tape.outputs(chunk), drawn);
    } else {
      alignas(64) float log_prob[kMaxLanes];
      const Block<float> noise = memory.rows(action_dim, action_dim);
      fill_normal(stream, Purpose::kTraining, from.first, 0, noise);
      sample_squashed_gaussian<float>(tape.outputs(chunk), noise, drawn, log_prob);
    }
    for (Index k = 0; k < chunk.count; ++k) {
      for (Index i = 0; i < action_dim; ++i) {
        const double value = box_.centre(i) + box_.half_range(i) * static_cast<double>(drawn.row(i)[k]);
        actions[(from.first + k) * action_dim + i] = std::clamp(value, box_.low(i), box_.high(i));
      }
    }
  };
  parallel_for(chunks_of(count), settings_.threads, act_on, interrupt);
}

void Sac::explore(Index count, double* actions) {
  const Stream stream = stream_of(settings_.seed, draws_++, RandomUse::kExploring);
  const Index action_dim = shape_.action_dim;
  Numbers<float> numbers(action_dim * kMaxLanes);
  for (Index number = 0; number < chunks_of(count); ++number) {
    const Chunk chunk = chunk_of<float>(count, number);
    const Block<float> uniform{numbers.data(), action_dim, chunk.lanes, kMaxLanes};
    fill_uniform(stream, Purpose::kTraining, chunk.first, 0, uniform);
    for (Index k = 0; k < chunk.count; ++k) {
      for (Index i = 0; i < action_dim; ++i) {
        const double share = static_cast<double>(uniform.row(i)[k]);
        actions[(chunk.first + k) * action_dim + i] = box_.low(i) + share * (box_.high(i) - box_.low(i));
      }
    }
  }
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

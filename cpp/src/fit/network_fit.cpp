#include "dynaplan/fit/network_fit.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "dynaplan/core/check.hpp"
#include "dynaplan/core/error.hpp"
#include "dynaplan/core/parallel.hpp"
#include "dynaplan/core/zero_subnormals.hpp"
#include "dynaplan/fit/initial_network.hpp"
#include "dynaplan/fit/training_schedule.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

using Trainer = MemberTrainer<float>;

void require_rows(const char* name, const double* values, Index rows, Index columns) {
  if (values == nullptr) throw_shape_error(name, "none", "one row for each transition");
  require_finite(name, values, rows, columns);
}

void require_data(const NetworkShape& shape, const NetworkData& data) {
  require_rows("states", data.states, data.count, shape.state_dim);
  require_rows("actions", data.actions, data.count, shape.action_dim);
  require_rows("next_states", data.next_states, data.count, shape.state_dim);
  if (shape.rewards) require_rows("rewards", data.rewards, data.count, 1);
}

// The largest and smallest scales of which the weights that undo them, or the variances in their units, are numbers.
struct ScaleRange {
  double low;
  double high;
};

void require_scale(const std::string& what, double mean, double scale, const ScaleRange& range) {
  if (!std::isfinite(mean)) throw NumericalError(what + " overflows float64; choose another unit");
  if (scale >= range.low && scale <= range.high) return;
  throw NumericalError(what + " varies by " + rounded_text(scale) + "; a network can learn what varies by " +
                       rounded_text(range.low) + " to " + rounded_text(range.high) + ": choose another unit");
}

void require_scales(const NetworkShape& shape, Index members, const NetworkScaling& scaling) {
  constexpr ScaleRange kWeights{1e-303, 1e303};
  constexpr ScaleRange kVariances{1e-151, 1e151};
  const Index first_action = shape.inputs() - shape.action_dim;
  for (Index i = 0; i < shape.state_dim; ++i) {
    require_scale("states: column " + text_of(i), scaling.input_mean(i), scaling.input_scale(i), kWeights);
  }
  for (Index j = 0; j < shape.action_dim; ++j) {
    const Index input = first_action + j;
    require_scale("actions: column " + text_of(j), scaling.input_mean(input), scaling.input_scale(input), kWeights);
  }
  const ScaleRange range = shape.probabilistic || members > 1 ? kVariances : kWeights;
  for (Index i = 0; i < shape.targets(); ++i) {
    const std::string what =
        i < shape.state_dim ? "next_states: the change of column " + text_of(i) : "rewards: the reward";
    require_scale(what, scaling.target_mean(i), scaling.target_scale(i), range);
  }
}

void require_same_shape(const NetworkShape& shape, Index members, const NetworkParameters& initial) {
  const NetworkShape& other = initial.shape;
  const auto differs = [](const std::string& name) {
    throw ValueError("initial: has a different " + name + "; must be the same as in the fit");
  };
  if (other.state_dim != shape.state_dim || other.action_dim != shape.action_dim) differs("state_dim or action_dim");
  if (other.angles != shape.angles) differs("set of angles");
  for (std::size_t a = 0; a < shape.angles.size(); ++a) {
    if (other.period(a) != shape.period(a)) differs("period of an angle");
  }
  if (other.hidden != shape.hidden) differs("hidden");
  if (other.activation != shape.activation) differs("activation");
  if (other.probabilistic != shape.probabilistic) differs("kind of output (probabilistic or not)");
  if (other.rewards != shape.rewards) differs("set of targets (rewards or not)");
  if (static_cast<Index>(initial.members.size()) != members) differs("number of members");
}

// Log-odds have no units that a fit could choose, and are learned by one loss from the start to the end.
void require_classes(const NetworkShape& shape, const NetworkData& training, const NetworkData& held_out,
                     const NetworkParameters* initial) {
  if (!shape.rewards || shape.probabilistic) {
    throw ValueError("classify: true needs a network that predicts the reward and no variances");
  }
  if (held_out.count > 0) throw ValueError("classify: true takes no held-out rows");
  if (initial != nullptr) throw ValueError("classify: true takes no initial networks");
  for (Index row = 0; row < training.count; ++row) {
    const double reward = training.rewards[row];
    if (reward != 0.0 && reward != 1.0) throw_entry_error("rewards", row, reward, "0 or 1");
  }
}

void require_folds(const std::vector<Index>& folds, Index members, Index rows) {
  if (folds.empty()) return;
  require_size("folds", static_cast<Index>(folds.size()), rows);
  for (Index member = 0; member < members; ++member) {
    if (std::count(folds.begin(), folds.end(), member) == rows) {
      throw_value_error("folds", "all rows of fold " + text_of(member), "rows left to learn from");
    }
  }
}

// What a thread needs to train any member, and how it learns that it is to stop.
class Worker {
 public:
  Worker(TrainingSchedule& schedule, std::vector<Trainer>& trainers, const NetworkShape& shape, Index samples,
         const std::vector<Index>& constant_targets)
      : schedule_(schedule), trainers_(trainers), pass_(shape, samples, constant_targets) {}

  void run(const TrainingRows<float>& rows, const TrainingRows<float>* held_out, FitObserver* observer) {
    const auto cancelled = [&] { return schedule_.stopped(observer); };
    for (Index member = schedule_.take(); member >= 0; member = schedule_.take()) {
      Trainer& trainer = trainers_[static_cast<std::size_t>(member)];
      {
        const ZeroSubnormals zero;  // not for the observer, which is the caller's code
        trainer.run_epoch(pass_, rows, held_out, cancelled);
      }
      schedule_.give_back(member, trainer);
      if (observer != nullptr) schedule_.report(*observer);
    }
  }

 private:
  TrainingSchedule& schedule_;
  std::vector<Trainer>& trainers_;
  NetworkPass<float> pass_;
};

std::vector<Trainer> trainers_of(const NetworkParameters& made, Index members, const NetworkFitSettings& settings,
                                 Index rows, const NetworkParameters* initial) {
  const ParameterLayout<float> layout(made.shape.layer_sizes(), made.shape.bounds());
  std::vector<Trainer> trainers;
  trainers.reserve(static_cast<std::size_t>(members));
  for (Index m = 0; m < members; ++m) {
    const NetworkMember<float> start = initial == nullptr
                                           ? initial_member(made.shape, settings.seed, m)
                                           : rescaled_member(made.shape, initial->members[static_cast<std::size_t>(m)],
                                                             initial->scaling, made.scaling);
    trainers.emplace_back(start, layout, settings, m, rows);
  }
  return trainers;
}

}  // namespace

NetworkFit fit_networks(const NetworkShape& shape, Index members, const NetworkData& training,
                        const NetworkData& held_out, const NetworkFitSettings& settings,
                        const NetworkParameters* initial, FitObserver* observer) {
  shape.validate();
  settings.validate(shape.layers());
  const int threads = usable_threads(members, settings.threads);
  require_at_least("members", members, 1);
  if (training.count < 1) throw_shape_error("states", "no rows to train on", "at least one");
  require_data(shape, training);
  if (held_out.count > 0) require_data(shape, held_out);
  if (initial != nullptr) require_same_shape(shape, members, *initial);
  if (settings.classify) require_classes(shape, training, held_out, initial);
  require_folds(settings.folds, members, training.count);

  NetworkFit fit;
  fit.parameters.shape = shape;
  DataUnits units = units_of(shape, training, held_out);
  if (settings.classify) {
    units.scaling.target_mean(shape.state_dim) = 0.0;
    units.scaling.target_scale(shape.state_dim) = 1.0;
  }
  require_scales(shape, members, units.scaling);
  fit.parameters.scaling = std::move(units.scaling);
  const TrainingRows<float> rows(shape, fit.parameters.scaling, training);
  const TrainingRows<float> held_out_rows(shape, fit.parameters.scaling, held_out);
  std::vector<Trainer> trainers = trainers_of(fit.parameters, members, settings, training.count, initial);

  TrainingSchedule schedule(members);
  std::vector<std::unique_ptr<Worker>> workers;
  workers.reserve(static_cast<std::size_t>(threads));
  for (int i = 0; i < threads; ++i) {
    workers.push_back(std::make_unique<Worker>(schedule, trainers, shape, std::min(settings.batch_size, training.count),
                                               units.constant_targets));
  }
  parallel_for(threads, threads, [&](Index item, int thread) {
    try {
      workers[static_cast<std::size_t>(item)]->run(rows, held_out.count > 0 ? &held_out_rows : nullptr,
                                                   thread == 0 ? observer : nullptr);
    } catch (...) {
      schedule.stop();
      throw;
    }
  });
  if (observer != nullptr) schedule.report(*observer);

  fit.interrupted = schedule.stopped(nullptr);
  for (const Trainer& trainer : trainers) {
    fit.parameters.members.push_back(trainer.result());
    for (const Index target : trainer.unlearned()) hold_at_mean(shape, target, fit.parameters.members.back());
    for (const Index target : units.constant_targets) hold_constant(shape, target, fit.parameters.members.back());
    fit.history.push_back(trainer.history());
  }
  return fit;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

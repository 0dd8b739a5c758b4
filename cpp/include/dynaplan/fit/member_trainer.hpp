#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "dynaplan/fit/network_pass.hpp"
#include "dynaplan/fit/target_progress.hpp"
#include "dynaplan/networks/adam.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// How networks are trained; the Python API documents each.
struct NetworkFitSettings {
  Index epochs = 100;
  Index batch_size = 32;
  double learning_rate = 1e-3;
  std::vector<double> weight_decay = {1e-4};  // of all layers, or of each
  Index patience = 10;                        // epochs without improvement on held-out rows: a target is settled
  double improvement = 0.01;                  // share by which an error or a variance must fall to count as one
  Index warm_up = 10;                         // epochs on the squared error before the Gaussian loss
  bool robust = false;                        // Huber's losses
  bool bootstrap = true;                      // each member learns from its own draw of the rows, with replacement
  std::uint64_t seed = 0;
  int threads = 1;
  bool classify = false;     // the reward is 0 or 1, and what is learned of it are the log-odds of a 1
  std::vector<Index> folds;  // of each row, that of the member which does not learn from it; none: all do from all

  /// Throws ValueError naming what is out of range for networks of so many layers.
  void validate(Index layers) const;
};

/// How the training of one member went, an entry an epoch.
struct MemberHistory {
  std::vector<double> training;  // mean loss over the mini-batches, as they were met
  std::vector<double> held_out;  // mean loss over the held-out rows after the epoch; empty without any
  Index best_epoch = -1;         // whose parameters are kept; -1: those before the first
};

/// One member of an ensemble in training. Everything random follows from the seed and the member's number, so the
/// result does not depend on which thread runs which epoch.
template <class T>
class MemberTrainer {
 public:
  MemberTrainer(const NetworkMember<T>& start, const ParameterLayout<T>& layout, const NetworkFitSettings& settings,
                Index member, Index rows);

  bool finished() const { return finished_; }

  /// One epoch over `rows` and then, if there are any, the held-out rows. Asks `cancelled` before every step and
  /// leaves the epoch unfinished after a `true`. Throws NumericalError if the loss stops being finite.
  void run_epoch(NetworkPass<T>& pass, const TrainingRows<T>& rows, const TrainingRows<T>* held_out,
                 const std::function<bool()>& cancelled);

  /// The parameters of the best epoch by the held-out rows; without those the last ones.
  NetworkMember<T> result() const;
  /// Targets that they predict worse than the mean of the training rows does.
  std::vector<Index> unlearned() const { return progress_ ? progress_->unlearned() : std::vector<Index>{}; }
  const MemberHistory& history() const { return history_; }

 private:
  Loss loss() const;
  Loss final_loss() const { return main_loss(layout_.has_bounds(), settings_.robust); }
  void shuffle();
  void use_cutoffs(NetworkPass<T>& pass, const TrainingRows<T>& rows);
  void assess(NetworkPass<T>& pass, const TrainingRows<T>& held_out);
  std::vector<double> held_out_losses(NetworkPass<T>& pass, const TrainingRows<T>& held_out) const;
  [[noreturn]] void fail(const char* kind, const TrainingRows<T>& rows, MiniBatch batch, double loss) const;

  ParameterLayout<T> layout_;
  NetworkFitSettings settings_;
  Index member_;
  Index epoch_ = 0;
  Index steps_ = 0;
  bool finished_ = false;
  std::vector<Index> order_;  // the member's own rows
  Numbers<T> parameters_;
  Numbers<T> gradient_;
  Numbers<T> best_;
  Adam<T> adam_;
  std::vector<double> squares_;  // (targets) robust means of the squares of the errors, where the loss is Huber's
  std::optional<TargetProgress> progress_;  // from the first assessment on
  MemberHistory history_;
};

extern template class MemberTrainer<float>;
extern template class MemberTrainer<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

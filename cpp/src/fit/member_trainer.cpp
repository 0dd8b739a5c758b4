#include "dynaplan/fit/member_trainer.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include "dynaplan/core/check.hpp"
#include "dynaplan/core/error.hpp"
#include "dynaplan/core/random.hpp"
#include "dynaplan/fit/robust_square.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// Below a draw's number in the counter: what it is for. 0 is for the initial weights.
constexpr std::uint32_t kBootstrap = 1;
constexpr std::uint32_t kFirstShuffle = 2;

// Uniform integers.
class Integers {
 public:
  Integers(std::uint64_t seed, Index member, std::uint32_t use)
      : key_(key_of(seed)),
        counter_{0, 0, use * 4U + static_cast<std::uint32_t>(Purpose::kTraining), static_cast<std::uint32_t>(member)} {}

  Index below(Index limit) {
    if (next_ == 4) {
      words_ = philox(counter_, key_);
      ++counter_[0];
      next_ = 0;
    }
    return dynaplan::below(words_[next_++], limit);
  }

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> words_{};
  std::size_t next_ = 4;
};

// 0 where no target varies, so that nothing is learned.
template <class T>
double mean_loss(double sum, Index rows, const NetworkPass<T>& pass) {
  return sum / static_cast<double>(rows * std::max<Index>(1, static_cast<Index>(pass.learned().size())));
}

// Robust means of the squares of the standardised targets.
template <class T>
std::vector<double> squares_of_targets(const TrainingRows<T>& rows, Index targets) {
  std::vector<double> squares;
  squares.reserve(static_cast<std::size_t>(targets));
  for (Index target = 0; target < targets; ++target) {
    squares.push_back(robust_square(rows.target(target).data(), rows.count()));
  }
  return squares;
}

// What predicting the mean of the training rows gives on others, with the variance they have where that is robust.
template <class T>
std::vector<double> losses_of_mean(Loss loss, bool robust, const TrainingRows<T>& rows, Index targets) {
  if (!robust) return rows.mean_squares(targets);
  std::vector<double> means = squares_of_targets(rows, targets);
  if (!has_variance(loss)) return means;
  for (Index target = 0; target < targets; ++target) {
    double& mean = means[static_cast<std::size_t>(target)];
    const double deviation = std::sqrt(std::max(mean, kRoundingError));
    double sum = 0.0;
    for (const T value : rows.target(target)) {
      const double size = static_cast<double>(value) / deviation;
      sum += (kStudentDegrees + 1.0) * std::log1p(size * size / (kStudentDegrees * kStudentSquare));
    }
    mean = sum / static_cast<double>(rows.count()) + 2.0 * std::log(deviation);
  }
  return means;
}

}  // namespace

void NetworkFitSettings::validate(Index layers) const {
  require_at_least("epochs", epochs, 1);
  require_at_least("batch_size", batch_size, 1);
  require_positive("learning_rate", learning_rate);
  const auto decays = static_cast<Index>(weight_decay.size());
  if (decays != 1 && decays != layers) {
    throw_value_error("weight_decay", text_of(decays) + " numbers",
                      "one, or one for each of the " + text_of(layers) + " layers");
  }
  for (const double decay : weight_decay) {
    require_not_negative("weight_decay", decay);
    require(decay * learning_rate < 1.0, "weight_decay", decay, "below 1 / learning_rate");
  }
  require_at_least("patience", patience, 1);
  require_fraction_below_one("improvement", improvement);
  require_at_least("warm_up", warm_up, 0);
}

template <class T>
MemberTrainer<T>::MemberTrainer(const NetworkMember<T>& start, const ParameterLayout<T>& layout,
                                const NetworkFitSettings& settings, Index member, Index rows)
    : layout_(layout),
      settings_(settings),
      member_(member),
      order_(static_cast<std::size_t>(rows)),
      parameters_(layout.pack(start)),
      gradient_(Numbers<T>::Zero(layout.size())),
      best_(parameters_),
      adam_(layout.size()) {
  std::iota(order_.begin(), order_.end(), Index{0});
  if (!settings.folds.empty()) {
    const auto is_left_out = [&](Index row) { return settings.folds[static_cast<std::size_t>(row)] == member; };
    order_.erase(std::remove_if(order_.begin(), order_.end(), is_left_out), order_.end());
  }
  if (settings.bootstrap) {
    // Drawn once: if drawn every epoch, all members would see the same data.
    Integers draws(settings.seed, member, kBootstrap);
    const std::vector<Index> own = order_;
    std::generate(order_.begin(), order_.end(),
                  [&] { return own[static_cast<std::size_t>(draws.below(static_cast<Index>(own.size())))]; });
  }
}

template <class T>
Loss MemberTrainer<T>::loss() const {
  if (settings_.classify) return Loss::kLogistic;
  return epoch_ < settings_.warm_up ? warm_up_loss(settings_.robust) : final_loss();
}

// Fisher and Yates, from the order of the epoch before.
template <class T>
void MemberTrainer<T>::shuffle() {
  Integers draws(settings_.seed, member_, kFirstShuffle + static_cast<std::uint32_t>(epoch_));
  for (Index last = static_cast<Index>(order_.size()) - 1; last > 0; --last) {
    std::swap(order_[static_cast<std::size_t>(last)], order_[static_cast<std::size_t>(draws.below(last + 1))]);
  }
}

template <class T>
void MemberTrainer<T>::run_epoch(NetworkPass<T>& pass, const TrainingRows<T>& rows, const TrainingRows<T>* held_out,
                                 const std::function<bool()>& cancelled) {
  shuffle();
  const auto count = static_cast<Index>(order_.size());
  const std::vector<Index> settled = progress_ ? progress_->settled() : std::vector<Index>{};
  use_cutoffs(pass, rows);
  double total = 0.0;
  for (Index first = 0; first < count; first += settings_.batch_size) {
    if (cancelled()) return;
    const MiniBatch batch{order_.data() + first, std::min(settings_.batch_size, count - first)};
    const double sum = pass.loss_and_gradient(loss(), parameters_, rows, batch, settled, gradient_);
    if (!std::isfinite(sum)) fail("row", rows, batch, sum);
    total += sum;
    adam_.step(layout_, gradient_, settings_.learning_rate, settings_.weight_decay, parameters_);
    layout_.order_bounds(parameters_);
    ++steps_;
  }
  history_.training.push_back(mean_loss(total, count, pass));
  for (std::size_t i = 0; i < squares_.size(); ++i) {
    squares_[i] = pass.clipped_squares()[i] / (kHuberSquare * static_cast<double>(count));
  }
  if (held_out == nullptr) {
    history_.best_epoch = epoch_;
  } else {
    assess(pass, *held_out);
  }
  ++epoch_;
  finished_ = finished_ || epoch_ == settings_.epochs;
}

// Of the epoch before, and at first those of predicting the mean. One pass of the iteration for a robust mean an epoch:
// it settles long before the network does.
template <class T>
void MemberTrainer<T>::use_cutoffs(NetworkPass<T>& pass, const TrainingRows<T>& rows) {
  if (loss() != Loss::kHuber) {
    squares_.clear();
    return;
  }
  if (squares_.empty()) squares_ = squares_of_targets(rows, pass.target_dim());
  std::vector<double> cutoffs = squares_;
  for (double& cutoff : cutoffs) cutoff = kHuberCutoff * std::sqrt(std::max(cutoff, kRoundingError));
  pass.use_cutoffs(cutoffs);
}

template <class T>
void MemberTrainer<T>::assess(NetworkPass<T>& pass, const TrainingRows<T>& held_out) {
  const std::vector<double> losses = held_out_losses(pass, held_out);
  double total = 0.0;
  for (const Index target : pass.learned()) total += losses[static_cast<std::size_t>(target)];
  history_.held_out.push_back(mean_loss(total, 1, pass));
  // Values of one loss are not comparable with those of the other.
  if (loss() != final_loss()) return;
  if (!progress_) {
    progress_.emplace(pass.learned(), losses_of_mean(final_loss(), settings_.robust, held_out, pass.target_dim()),
                      settings_.patience, settings_.improvement);
  }
  if (progress_->take(loss(), losses)) {
    best_ = parameters_;
    history_.best_epoch = epoch_;
  }
  finished_ = progress_->all_settled();
}

// The mean loss of each target. With cutoffs that follow the errors, the values of Huber's are not comparable from
// epoch to epoch: it is then the robust mean square.
template <class T>
std::vector<double> MemberTrainer<T>::held_out_losses(NetworkPass<T>& pass, const TrainingRows<T>& held_out) const {
  const Index count = held_out.count();
  std::vector<Index> all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), Index{0});
  std::vector<double> losses(static_cast<std::size_t>(pass.target_dim()));
  const bool is_huber = loss() == Loss::kHuber;
  std::vector<T> errors(is_huber ? losses.size() * all.size() : 0);
  for (Index first = 0; first < count; first += pass.samples()) {
    const MiniBatch batch{all.data() + first, std::min(pass.samples(), count - first)};
    if (is_huber) {
      pass.errors(parameters_, held_out, batch, errors.data() + first, count);
      continue;
    }
    pass.add_losses(loss(), parameters_, held_out, batch, losses.data());
    const double total = std::accumulate(losses.begin(), losses.end(), 0.0);
    if (!std::isfinite(total)) fail("held-out row", held_out, batch, total);
  }
  for (const Index target : pass.learned()) {
    double& mean = losses[static_cast<std::size_t>(target)];
    mean = is_huber ? robust_square(errors.data() + target * count, count) : mean / static_cast<double>(count);
    if (!std::isfinite(mean)) fail("held-out row", held_out, {all.data(), count}, mean);
  }
  return losses;
}

template <class T>
NetworkMember<T> MemberTrainer<T>::result() const {
  const bool has_best = !history_.held_out.empty() && history_.best_epoch >= 0;
  return layout_.unpack(has_best ? best_ : parameters_);
}

template <class T>
void MemberTrainer<T>::fail(const char* kind, const TrainingRows<T>& rows, MiniBatch batch, double loss) const {
  double largest = 0.0;
  Index largest_row = 0;
  for (Index i = 0; i < batch.count; ++i) {
    const T* const row = rows.row(batch.rows[i]);
    for (Index j = 0; j < rows.stride(); ++j) {
      if (std::abs(static_cast<double>(row[j])) <= largest) continue;
      largest = std::abs(static_cast<double>(row[j]));
      largest_row = batch.rows[i];
    }
  }
  const std::string became = "loss: became " + std::string(std::isnan(loss) ? "nan" : "infinite") + " for member " +
                             text_of(member_) + " in epoch " + text_of(epoch_) + ", after " + text_of(steps_) +
                             " steps; ";
  // Standardised data keep within sqrt(rows) standard deviations: beyond 1e6 the row is the cause, not the steps.
  if (largest > 1e6) {
    throw NumericalError(became + kind + " " + text_of(largest_row) + " lies " + rounded_text(largest) +
                         " standard deviations from the mean; leave it out");
  }
  throw NumericalError(became + "the largest parameter is " +
                       rounded_text(static_cast<double>(parameters_.abs().maxCoeff())) +
                       ": lower learning_rate, which is " + text_of(settings_.learning_rate));
}

template class MemberTrainer<float>;
template class MemberTrainer<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

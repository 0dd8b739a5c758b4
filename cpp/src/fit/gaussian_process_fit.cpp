#include "dynaplan/fit/gaussian_process_fit.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "dynaplan/core/check.hpp"
#include "dynaplan/core/error.hpp"
#include "dynaplan/core/word_stream.hpp"
#include "dynaplan/fit/gaussian_likelihood.hpp"
#include "dynaplan/fit/quasi_newton.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// Of the first search, whose steps take a millisecond each.
constexpr Index kFewRows = 128;
constexpr std::size_t kRefined = 2;
// Deviations below this share of the mean are rounding, and those of a difference below this share of what it is the
// difference of: as of the networks' inputs and targets.
constexpr double kConstant = 1e-12;
constexpr double kDifference = 16.0 * std::numeric_limits<double>::epsilon();
// Of deviations whose squares neither overflow nor vanish.
constexpr double kSmallest = 1e-150;
constexpr double kLargest = 1e150;

// A column as mean and standard deviation; a deviation of 0 where it is constant.
struct Unit {
  double mean;
  double deviation;
};

Unit unit_of(const Eigen::VectorXd& column, double rounding, const char* name, Index index) {
  const double mean = (column / static_cast<double>(column.size())).sum();
  const double largest = (column.array() - mean).abs().maxCoeff();
  if (largest <= std::max(rounding, kConstant * std::abs(mean))) return {mean, 0.0};
  const double deviation = largest * std::sqrt(((column.array() - mean) / largest).square().mean());
  if (!(deviation >= kSmallest && deviation <= kLargest)) {
    throw NumericalError(std::string("transitions: ") + name + " " + text_of(index) + " varies by " +
                         rounded_text(deviation) + ", must be from 1e-150 to 1e150; choose another unit");
  }
  return {mean, deviation};
}

Eigen::VectorXd standardised(const Eigen::VectorXd& column, const Unit& unit) {
  return (column.array() - unit.mean) / unit.deviation;
}

// The first `count` of `rows` rows in random order.
std::vector<Index> drawn_rows(Index rows, Index count, std::uint64_t seed) {
  std::vector<Index> order(static_cast<std::size_t>(rows));
  std::iota(order.begin(), order.end(), Index{0});
  count = std::min(count, rows);
  if (count == rows) return order;
  WordStream words(seed);
  for (Index i = 0; i < count; ++i) {
    std::swap(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(i + words.below(rows - i))]);
  }
  order.resize(static_cast<std::size_t>(count));
  return order;
}

// Inputs that vary, standardised.
struct Inputs {
  Eigen::MatrixXd rows;            // (N, varying)
  std::vector<Index> columns;      // (varying) of all inputs
  std::vector<double> deviations;  // (varying)
};

Inputs varying_inputs(const Eigen::MatrixXd& all) {
  Inputs inputs{Eigen::MatrixXd(all.rows(), all.cols()), {}, {}};
  for (Index i = 0; i < all.cols(); ++i) {
    const Unit unit = unit_of(all.col(i), 0.0, "input", i);
    if (unit.deviation == 0.0) continue;
    inputs.rows.col(static_cast<Index>(inputs.columns.size())) = standardised(all.col(i), unit);
    inputs.columns.push_back(i);
    inputs.deviations.push_back(unit.deviation);
  }
  inputs.rows.conservativeResize(Eigen::NoChange, static_cast<Index>(inputs.columns.size()));
  return inputs;
}

// The search for one state's kernel, in standardised units.
class KernelSearch {
 public:
  KernelSearch(const Eigen::MatrixXd& inputs, const Eigen::VectorXd& targets, const std::vector<Index>& rows,
               const Interrupt* interrupt)
      : inputs_(inputs), targets_(targets), rows_(rows), interrupt_(interrupt) {}

  // Logarithms of the length scales, the signal and the noise.
  Eigen::VectorXd best(Index starts, std::uint64_t seed, Index state) const {
    const auto wanted = static_cast<Index>(rows_.size());
    std::vector<Minimum> found;
    found.reserve(static_cast<std::size_t>(starts));
    const GaussianLikelihood first = likelihood(std::min(wanted, kFewRows));
    WordStream words(seed, (static_cast<std::uint64_t>(state) + 1) << 32);
    for (Index s = 0; s < starts; ++s) found.push_back(minimum(first, start(s, words)));
    const auto is_better = [](const Minimum& a, const Minimum& b) { return a.value < b.value; };
    std::stable_sort(found.begin(), found.end(), is_better);
    if (wanted > kFewRows) {
      const GaussianLikelihood second = likelihood(wanted);
      found.resize(std::min(found.size(), kRefined));
      for (Minimum& end : found) end = minimum(second, end.at);
      std::stable_sort(found.begin(), found.end(), is_better);
    }
    return found.front().at;
  }

 private:
  GaussianLikelihood likelihood(Index count) const {
    Eigen::MatrixXd inputs(count, inputs_.cols());
    Eigen::VectorXd targets(count);
    for (Index i = 0; i < count; ++i) {
      inputs.row(i) = inputs_.row(rows_[static_cast<std::size_t>(i)]);
      targets(i) = targets_(rows_[static_cast<std::size_t>(i)]);
    }
    return {std::move(inputs), std::move(targets), interrupt_};
  }

  static Minimum minimum(const GaussianLikelihood& likelihood, Eigen::VectorXd start) {
    const auto loss = [&](const Eigen::VectorXd& at, Eigen::VectorXd& gradient) {
      return likelihood.loss(at, gradient);
    };
    return minimise(loss, std::move(start));
  }

  // Little noise first: where all begins as noise, a search ends where much of a smooth function is taken for it.
  Eigen::VectorXd start(Index number, WordStream& words) const {
    const Index dims = inputs_.cols();
    const auto between = [&](double low, double high) {
      return std::log(low) + words.uniform() * std::log(high / low);
    };
    Eigen::VectorXd logarithms = Eigen::VectorXd::Zero(dims + 2);
    const double typical = 0.5 * std::log(static_cast<double>(std::max<Index>(dims, 1)));  // of two rows' distance
    logarithms.head(dims).setConstant(typical);
    logarithms(dims + 1) = std::log(number == 0 ? 1e-3 : 0.1);
    if (number < 2) return logarithms;
    for (double& scale : logarithms.head(dims)) scale += between(0.5, 4.0);
    logarithms(dims + 1) = between(1e-3, 0.1);
    return logarithms;
  }

  const Eigen::MatrixXd& inputs_;
  const Eigen::VectorXd& targets_;
  const std::vector<Index>& rows_;
  const Interrupt* interrupt_;
};

void require_data(const GaussianProcessData& data) {
  require_at_least("rows", data.inputs.rows(), 1);
  require_shape("changes", data.changes.rows(), data.changes.cols(), data.inputs.rows(), data.state_sizes.size());
  require_finite_matrix("states, actions", data.inputs);
  require_finite_matrix("next_states", data.changes);
}

}  // namespace

void GaussianProcessFitSettings::validate() const {
  require_in("starts", starts, 1, 1000);
  require_at_least("hyperparameter_rows", hyperparameter_rows, 1);
}

GaussianProcessParameters fit_gaussian_process(const GaussianProcessData& data,
                                               const GaussianProcessFitSettings& settings, const Interrupt* interrupt) {
  settings.validate();
  require_data(data);
  const Index dims = data.changes.cols();
  const Inputs inputs = varying_inputs(data.inputs);
  const std::vector<Index> rows = drawn_rows(data.inputs.rows(), settings.hyperparameter_rows, settings.seed);
  GaussianProcessParameters fitted{data.inputs, data.changes, {}};
  fitted.states.resize(static_cast<std::size_t>(dims));
  const auto fit = [&](Index d, int /*thread*/) {
    GaussianKernel& kernel = fitted.states[static_cast<std::size_t>(d)];
    kernel.inverse_length_scales = Eigen::VectorXd::Zero(data.inputs.cols());
    const double rounding = std::max(kDifference * data.state_sizes(d), kSmallest);
    const Unit unit = unit_of(data.changes.col(d), rounding, "the change of state", d);
    if (unit.deviation == 0.0) {
      kernel.signal_std = kernel.noise_std = rounding;
      return;
    }
    const Eigen::VectorXd targets = standardised(data.changes.col(d), unit);
    const KernelSearch search(inputs.rows, targets, rows, interrupt);
    const Eigen::VectorXd numbers = search.best(settings.starts, settings.seed, d).array().exp();
    const auto varying = static_cast<Index>(inputs.columns.size());
    for (Index i = 0; i < varying; ++i) {
      const auto place = static_cast<std::size_t>(i);
      kernel.inverse_length_scales(inputs.columns[place]) = 1.0 / (numbers(i) * inputs.deviations[place]);
    }
    kernel.signal_std = numbers(varying) * unit.deviation;
    kernel.noise_std = numbers(varying + 1) * unit.deviation;
  };
  parallel_for(dims, usable_threads(dims, settings.threads), fit, interrupt);
  if (interrupt != nullptr && interrupt->requested()) throw Error("fit: interrupted");
  return fitted;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

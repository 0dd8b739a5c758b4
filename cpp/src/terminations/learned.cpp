#include "dynaplan/terminations/learned.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "dynaplan/core/check.hpp"
#include "dynaplan/core/error.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

const NetworkShape& validated_shape(const NetworkParameters& networks) {
  networks.validate();
  const NetworkShape& shape = networks.shape;
  if (shape.action_dim != 1 || !shape.rewards || shape.probabilistic) {
    throw ValueError("networks: must be of one action, and predict a reward and no variances");
  }
  return shape;
}

// That of the log-odds alone: what else a network predicts is that nothing changes.
template <class T>
FoldedNetwork of_log_odds(const NetworkParameters& networks, const NetworkMember<float>& member) {
  FoldedNetwork folded = folded_network<T>(networks.shape.activation, networks.scaling, member);
  folded.mean = folded.mean.rows(networks.shape.state_dim, 1);
  return folded;
}

double log_odds_of(double probability) {
  if (!(probability > 0.0 && probability < 1.0)) {
    throw_value_error("threshold", text_of(probability), "above 0 and below 1");
  }
  return std::log(probability) - std::log1p(-probability);
}

}  // namespace

template <class T>
LearnedTermination<T>::LearnedTermination(const NetworkParameters& networks, double threshold)
    : state_dim_(validated_shape(networks).state_dim),
      encoding_(networks.shape, networks.scaling),
      threshold_(static_cast<T>(static_cast<double>(networks.members.size()) * log_odds_of(threshold))) {
  for (const NetworkMember<float>& member : networks.members) members_.emplace_back(of_log_odds<T>(networks, member));
}

template <class T>
std::size_t LearnedTermination<T>::workspace_bytes(Index lanes) const {
  return 3 * Workspace::bytes<T>(lanes) + Workspace::bytes<T>(encoding_.inputs() * lanes) +
         members_.front().features_bytes(lanes);
}

template <class T>
void LearnedTermination<T>::mark(const StepView<T>& view, Workspace& workspace, T* alive) const {
  const Workspace::Scope scope(workspace);
  const Index lanes = view.next.lanes;
  const Block<T> no_action = workspace.take_block<T>(1, lanes);
  const Block<T> log_odds = workspace.take_block<T>(1, lanes);
  const Block<T> sum = workspace.take_block<T>(1, lanes);
  const Block<T> inputs = workspace.take_block<T>(encoding_.inputs(), lanes);
  std::fill_n(no_action.data, lanes, T(0));
  std::fill_n(sum.data, lanes, T(0));
  encoding_.apply(view.next, no_action, inputs);
  for (const PackedNetwork<T>& member : members_) {
    const Workspace::Scope of_member(workspace);
    member.mean(member.features(inputs, workspace), log_odds);
    add_block<T>(log_odds, sum);
  }
  for (Index k = 0; k < lanes; ++k) alive[k] = sum.data[k] <= threshold_ ? alive[k] : T(0);
}

template <class T>
void LearnedTermination<T>::require_dims(Index state_dim, Index /*action_dim*/) const {
  require_model_states("termination", "a learned one", state_dim_, state_dim);
}

// The border may run anywhere among the states; actions are not looked at.
template <class T>
void LearnedTermination<T>::add_jumps(Jumps& jumps) const {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (Index i = 0; i < state_dim_; ++i) jumps.places.push_back({i, -1, -kInfinity, kInfinity, true});
}

template class LearnedTermination<float>;
template class LearnedTermination<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

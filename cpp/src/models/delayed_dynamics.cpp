#include "dynaplan/models/delayed_dynamics.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

Index ActionDelay::queued() const {
  Index count = 0;
  for (Index i = 0; i < static_cast<Index>(steps.size()); ++i) count += queued(i);
  return count;
}

void ActionDelay::validate(Index action_dim) const {
  require_same_size("delay_steps", static_cast<Index>(steps.size()), "the model's actions", action_dim);
  require_same_size("delay_steps", static_cast<Index>(fractions.size()), "the model's actions", action_dim);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const double of_action = static_cast<double>(steps[i]) + fractions[i];
    if (steps[i] >= 0 && fractions[i] >= 0.0 && fractions[i] < 1.0) continue;
    throw_entry_error("delay_steps", static_cast<Index>(i), of_action, "at least 0");
  }
}

template <class T>
DelayedDynamics<T>::DelayedDynamics(const Dynamics<T>& dynamics, ActionDelay delay)
    : dynamics_(dynamics), delay_(std::move(delay)) {
  const Index action_dim = dynamics.action_dim();
  delay_.validate(action_dim);
  Index first = 0;
  for (Index i = 0; i < action_dim; ++i) {
    const Index steps = delay_.steps[static_cast<std::size_t>(i)];
    const double fraction = delay_.fractions[static_cast<std::size_t>(i)];
    // Entry j of an action's queue was sent j + 1 steps ago.
    const Index newer = steps > 0 ? first + steps - 1 : -1;
    parts_.push_back({{newer, 1.0 - fraction}, {first + steps, fraction}, fraction > 0.0});
    first_.push_back(first);
    first += delay_.queued(i);
  }
  queue_dim_ = first;
  if (dynamics.angles() == nullptr) return;
  angles_ = *dynamics.angles();
  for (Angle& angle : angles_) angle.state += queue_dim_;
}

template <class T>
std::size_t DelayedDynamics<T>::workspace_bytes(Index lanes) const {
  return Workspace::bytes<T>(action_dim() * lanes) + dynamics_.workspace_bytes(lanes);
}

// What acts in the step.
template <class T>
void DelayedDynamics<T>::act(ConstBlock<T> state, ConstBlock<T> action, Block<T> acting) const {
  for (Index i = 0; i < acting.dim; ++i) {
    T* const sum = acting.row(i);
    std::fill_n(sum, acting.lanes, T(0));
    for_each_part(i, [&](const Part& part) {
      const T* const value = part.entry < 0 ? action.row(i) : state.row(part.entry);
      const auto share = static_cast<T>(part.share);
      for (Index k = 0; k < acting.lanes; ++k) sum[k] += share * value[k];
    });
  }
}

// The queue after the step.
template <class T>
void DelayedDynamics<T>::shift(ConstBlock<T> state, ConstBlock<T> action, Block<T> next) const {
  for (Index i = 0; i < action.dim; ++i) {
    const Index first = first_[static_cast<std::size_t>(i)];
    for (Index j = delay_.queued(i); j-- > 0;) {
      std::copy_n(j > 0 ? state.row(first + j - 1) : action.row(i), next.lanes, next.row(first + j));
    }
  }
}

template <class T>
void DelayedDynamics<T>::step(ConstBlock<T> state, ConstBlock<T> action, const Draw& draw, Workspace& workspace,
                              Block<T> next) const {
  const Workspace::Scope scope(workspace);
  const Block<T> acting = workspace.take_block<T>(action_dim(), state.lanes);
  act(state, action, acting);
  shift(state, action, next);
  dynamics_.step(state.rows(queue_dim_, dynamics_.state_dim()), acting, draw, workspace,
                 next.rows(queue_dim_, dynamics_.output_dim()));
}

template <class T>
std::optional<LinearTerms> DelayedDynamics<T>::linear_terms() const {
  const std::optional<LinearTerms> own = dynamics_.linear_terms();
  if (!own) return std::nullopt;
  const Index own_dim = dynamics_.state_dim();
  const Index size = state_dim();
  LinearTerms terms{Eigen::MatrixXd::Zero(size, size), Eigen::MatrixXd::Zero(size, action_dim()),
                    Eigen::VectorXd::Zero(size)};
  terms.state.bottomRightCorner(own_dim, own_dim) = own->state;
  terms.constant.tail(own_dim) = own->constant;
  for (Index i = 0; i < action_dim(); ++i) {
    for_each_part(i, [&](const Part& part) {
      if (part.entry < 0) {
        terms.action.col(i).tail(own_dim) += part.share * own->action.col(i);
      } else {
        terms.state.col(part.entry).tail(own_dim) += part.share * own->action.col(i);
      }
    });
    const Index first = first_[static_cast<std::size_t>(i)];
    for (Index j = 0; j < delay_.queued(i); ++j) {
      (j > 0 ? terms.state(first + j, first + j - 1) : terms.action(first, i)) = 1.0;
    }
  }
  return terms;
}

template <class T>
void DelayedDynamics<T>::disagreement(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace, T* out) const {
  const Workspace::Scope scope(workspace);
  const Block<T> acting = workspace.take_block<T>(action_dim(), state.lanes);
  act(state, action, acting);
  dynamics_.disagreement(state.rows(queue_dim_, dynamics_.state_dim()), acting, workspace, out);
}

template <class T>
std::size_t DelayedDynamics<T>::jacobians_workspace_bytes(Index lanes) const {
  const Index own_dim = dynamics_.state_dim();
  return Workspace::bytes<T>(action_dim() * lanes) + Workspace::bytes<T>(own_dim * own_dim * lanes) +
         Workspace::bytes<T>(own_dim * action_dim() * lanes) + dynamics_.jacobians_workspace_bytes(lanes);
}

template <class T>
void DelayedDynamics<T>::jacobians(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace,
                                   JacobianBlock<T> out) const {
  const Workspace::Scope scope(workspace);
  const Index own_dim = dynamics_.state_dim();
  const Index actions = action_dim();
  const Index lanes = state.lanes;
  const Block<T> acting = workspace.take_block<T>(actions, lanes);
  act(state, action, acting);
  shift(state, action, out.next);
  const JacobianBlock<T> own{out.next.rows(queue_dim_, own_dim), workspace.take_block<T>(own_dim * own_dim, lanes),
                             workspace.take_block<T>(own_dim * actions, lanes)};
  dynamics_.jacobians(state.rows(queue_dim_, own_dim), acting, workspace, own);
  const auto of_state = [&](Index d, Index i) { return out.state.row(d * state_dim() + i); };
  const auto of_action = [&](Index d, Index j) { return out.action.row(d * actions + j); };
  for (Index row = 0; row < out.state.dim; ++row) std::fill_n(out.state.row(row), lanes, T(0));
  for (Index row = 0; row < out.action.dim; ++row) std::fill_n(out.action.row(row), lanes, T(0));
  for (Index i = 0; i < actions; ++i) {
    const Index first = first_[static_cast<std::size_t>(i)];
    for (Index j = 0; j < delay_.queued(i); ++j) {
      std::fill_n(j > 0 ? of_state(first + j, first + j - 1) : of_action(first, i), lanes, T(1));
    }
  }
  for (Index d = 0; d < own_dim; ++d) {
    for (Index i = 0; i < own_dim; ++i) {
      std::copy_n(own.state.row(d * own_dim + i), lanes, of_state(queue_dim_ + d, queue_dim_ + i));
    }
    for (Index i = 0; i < actions; ++i) {
      const T* const slope = own.action.row(d * actions + i);
      for_each_part(i, [&](const Part& part) {
        T* const sum = part.entry < 0 ? of_action(queue_dim_ + d, i) : of_state(queue_dim_ + d, part.entry);
        const auto share = static_cast<T>(part.share);
        for (Index k = 0; k < lanes; ++k) sum[k] += share * slope[k];
      });
    }
  }
}

template class DelayedDynamics<float>;
template class DelayedDynamics<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

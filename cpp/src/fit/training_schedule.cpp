#include "dynaplan/fit/training_schedule.hpp"

#include <limits>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

constexpr std::chrono::milliseconds kBetweenQuestions{20};
constexpr double kNotRun = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TrainingSchedule::TrainingSchedule(Index members) : members_(static_cast<std::size_t>(members)) {}

Index TrainingSchedule::take() {
  if (stopped_) return -1;
  const std::scoped_lock lock(mutex_);
  Index chosen = -1;
  std::size_t min_epochs = std::numeric_limits<std::size_t>::max();
  for (std::size_t m = 0; m < members_.size(); ++m) {
    const Member& member = members_[m];
    if (member.busy || member.finished || member.training.size() >= min_epochs) continue;
    chosen = static_cast<Index>(m);
    min_epochs = member.training.size();
  }
  if (chosen >= 0) members_[static_cast<std::size_t>(chosen)].busy = true;
  return chosen;
}

void TrainingSchedule::give_back(Index member, const MemberTrainer<float>& trainer) {
  const MemberHistory& history = trainer.history();
  const std::scoped_lock lock(mutex_);
  Member& entry = members_[static_cast<std::size_t>(member)];
  entry.busy = false;
  entry.finished = trainer.finished();
  if (history.training.size() == entry.training.size()) return;
  entry.training.push_back(history.training.back());
  entry.held_out.push_back(history.held_out.empty() ? kNotRun : history.held_out.back());
}

bool TrainingSchedule::stopped(FitObserver* observer) {
  if (observer != nullptr && !stopped_) {
    const auto now = std::chrono::steady_clock::now();
    if (now - asked_ >= kBetweenQuestions) {
      asked_ = now;
      if (observer->wants_stop()) stopped_ = true;
    }
  }
  return stopped_;
}

bool TrainingSchedule::next_complete(std::vector<double>& training, std::vector<double>& held_out) {
  const std::scoped_lock lock(mutex_);
  bool any = false;
  training.clear();
  held_out.clear();
  for (const Member& member : members_) {
    const bool run = member.training.size() > reported_;
    if (!run && !member.finished) return false;
    training.push_back(run ? member.training[reported_] : kNotRun);
    held_out.push_back(run ? member.held_out[reported_] : kNotRun);
    any = any || run;
  }
  return any;
}

void TrainingSchedule::report(FitObserver& observer) {
  std::vector<double> training;
  std::vector<double> held_out;
  // Outside the lock: the observer may take its time.
  while (next_complete(training, held_out)) observer.epoch_done(static_cast<Index>(reported_++), training, held_out);
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

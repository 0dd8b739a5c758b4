#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <vector>

#include "dynaplan/fit/fit_observer.hpp"
#include "dynaplan/fit/member_trainer.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Which member a thread trains next: the one furthest behind that no other thread has. So two threads share five
/// members evenly, and none waits for another; as members know nothing of each other, the order changes no number.
class TrainingSchedule {
 public:
  explicit TrainingSchedule(Index members);

  /// A member to train for an epoch, or -1 if none is free.
  Index take();
  /// Notes the losses of the epoch that `trainer` has just run, if it ran one to its end.
  void give_back(Index member, const MemberTrainer<float>& trainer);

  void stop() { stopped_ = true; }
  /// Whether to stop; asks the observer, if there is one, but not more often than it can matter to a person.
  bool stopped(FitObserver* observer);

  /// Reports to the observer every epoch that is complete and has not been reported.
  void report(FitObserver& observer);

 private:
  struct Member {
    bool busy = false;
    bool finished = false;
    std::vector<double> training;  // copies of its history, safe to read while it runs on
    std::vector<double> held_out;
  };

  bool next_complete(std::vector<double>& training, std::vector<double>& held_out);

  std::vector<Member> members_;
  std::size_t reported_ = 0;
  std::atomic<bool> stopped_{false};
  std::chrono::steady_clock::time_point asked_ = std::chrono::steady_clock::now();
  std::mutex mutex_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

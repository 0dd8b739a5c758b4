#pragma once

#include <algorithm>

#include "dynaplan/planners/ilqr.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// How strongly changes of the actions are held back, and how that adapts (Tassa, Erez & Todorov 2012, sec. II-F).
class Regularisation {
 public:
  explicit Regularisation(const IlqrSettings& settings) : settings_(settings), value_(settings.regularisation) {}

  double value() const { return value_; }
  // Returns false if it is as large as it may be.
  bool grow() {
    if (value_ >= settings_.max_regularisation) return false;
    factor_ = std::max(settings_.regularisation_factor, factor_ * settings_.regularisation_factor);
    value_ = std::min(std::max(settings_.min_regularisation, value_ * factor_), settings_.max_regularisation);
    return true;
  }
  void reset() {
    value_ = 0.0;
    factor_ = 1.0;
  }
  void fall() {
    factor_ = std::min(1.0 / settings_.regularisation_factor, factor_ / settings_.regularisation_factor);
    value_ = value_ * factor_ >= settings_.min_regularisation ? value_ * factor_ : 0.0;
  }

 private:
  const IlqrSettings& settings_;
  double value_;
  double factor_ = 1.0;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

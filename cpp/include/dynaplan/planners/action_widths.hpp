#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "dynaplan/core/block.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Throws ShapeError unless the setting has one number for all actions, or one for each.
void require_one_or_each(std::string_view name, Index count, Index action_dim);

/// How wide a search begins, in half widths of the bounds: one number for all actions, or one for each.
class ActionWidths {
 public:
  ActionWidths(double of_all) : widths_{of_all} {}
  explicit ActionWidths(std::vector<double> of_each) : widths_(std::move(of_each)) {}

  double operator[](Index action) const { return widths_[widths_.size() > 1 ? static_cast<std::size_t>(action) : 0]; }
  double smallest() const;
  /// Throws ShapeError, ValueError unless there is one at least, and all are above 0.
  void validate(std::string_view name) const;
  /// Throws ShapeError unless there is one, or one for each action.
  void require_actions(std::string_view name, Index action_dim) const;

 private:
  std::vector<double> widths_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#include "dynaplan/planners/action_widths.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

void require_one_or_each(std::string_view name, Index count, Index action_dim) {
  if (count == 1 || count == action_dim) return;
  throw_shape_error(name, std::to_string(count) + " numbers",
                    "one for all actions, or one for each of the " + std::to_string(action_dim));
}

double ActionWidths::smallest() const { return *std::min_element(widths_.begin(), widths_.end()); }

void ActionWidths::validate(std::string_view name) const {
  if (widths_.empty()) throw_shape_error(name, "none", "one for all actions, or one for each");
  for (std::size_t i = 0; i < widths_.size(); ++i) {
    if (widths_.size() == 1) {
      require_positive(name, widths_[i]);
    } else if (!(widths_[i] > 0.0) || !std::isfinite(widths_[i])) {
      throw_entry_error(name, static_cast<Index>(i), widths_[i], "finite and above 0");
    }
  }
}

void ActionWidths::require_actions(std::string_view name, Index action_dim) const {
  require_one_or_each(name, static_cast<Index>(widths_.size()), action_dim);
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

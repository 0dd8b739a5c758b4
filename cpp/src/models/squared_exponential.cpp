#include "dynaplan/models/squared_exponential.hpp"

#include <algorithm>

#include "dynaplan/core/workspace.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

Eigen::MatrixXd squared_exponential(const KernelRows& rows) {
  const Index count = rows.rows();
  const Index lanes = padded_lanes<double>(count);
  Workspace workspace;
  workspace.reserve(Workspace::bytes<double>(rows.cols() * lanes) + Workspace::bytes<double>(kVectorLanes<double>));
  const Block<double> columns = workspace.take_block<double>(rows.cols(), lanes);
  for (Index d = 0; d < rows.cols(); ++d) {
    for (Index k = 0; k < lanes; ++k) columns.row(d)[k] = k < count ? rows(k, d) : 0.0;
  }
  double* const values = workspace.take<double>(kVectorLanes<double>);
  Eigen::MatrixXd kernel(count, count);
  for (Index lane = 0; lane < count; lane += kVectorLanes<double>) {
    const Index wanted = std::min(kVectorLanes<double>, count - lane);
    for_kernel(rows, columns, lane, [&](Index row, LaneVector<double> value) {
      store_lanes(values, value);
      for (Index k = 0; k < wanted; ++k) kernel(lane + k, row) = values[k];
    });
  }
  return kernel;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

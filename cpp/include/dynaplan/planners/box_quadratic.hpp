#pragma once

#include <Eigen/Core>
#include <vector>

#include "dynaplan/core/block.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// The smallest value of x^T H x / 2 + g^T x for x in a box, by projected Newton steps (Bertsekas 1982; Tassa, Mansard
/// & Todorov 2014, sec. III), with the factor of H on the entries that are free to move.
class BoxQuadratic {
 public:
  /// Makes room for `size` entries.
  void prepare(Index size);

  /// Finds x in [low, high], which contains 0. Returns false if H is not positive definite where x is free.
  bool solve(const Eigen::MatrixXd& hessian, const Eigen::VectorXd& gradient, const Eigen::VectorXd& low,
             const Eigen::VectorXd& high);

  const Eigen::VectorXd& solution() const { return x_; }
  /// Each column of `matrix` becomes -H^-1 times it, on the free entries; 0 on the others.
  void apply_negative_inverse(Eigen::MatrixXd& matrix) const;

 private:
  bool find_free(const Eigen::VectorXd& low, const Eigen::VectorXd& high);
  bool factor(const Eigen::MatrixXd& hessian);
  template <class Vector>
  void solve_free(Vector&& values) const;
  double value_at(const Eigen::MatrixXd& hessian, const Eigen::VectorXd& gradient, const Eigen::VectorXd& x);
  bool is_settled(const Eigen::MatrixXd& hessian, const Eigen::VectorXd& gradient) const;
  bool search(const Eigen::MatrixXd& hessian, const Eigen::VectorXd& gradient, const Eigen::VectorXd& low,
              const Eigen::VectorXd& high);

  Eigen::VectorXd x_;
  Eigen::VectorXd slope_;  // gradient + H x
  Eigen::VectorXd step_;
  Eigen::VectorXd tried_;
  Eigen::VectorXd product_;
  Eigen::MatrixXd lower_;  // of the free entries, packed to the front
  std::vector<Index> free_;
  std::vector<Index> free_before_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

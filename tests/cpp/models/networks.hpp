#pragma once

#include <cmath>

#include "dynaplan/models/network_dynamics.hpp"
#include "tiles.hpp"

namespace dynaplan_test {

// An ensemble of `shape` with random weights, so large that it is far from linear.
inline dynaplan::NetworkParameters random_networks(const dynaplan::NetworkShape& shape, int members) {
  const auto uniform = [](Index size, unsigned seed, double low, double high) {
    std::mt19937 generator(seed);
    std::uniform_real_distribution<double> distribution(low, high);
    return Eigen::VectorXd(Eigen::VectorXd::NullaryExpr(size, [&] { return distribution(generator); }));
  };
  dynaplan::NetworkParameters made;
  made.shape = shape;
  made.scaling = {uniform(shape.inputs(), 1, -1.0, 1.0), uniform(shape.inputs(), 2, 0.5, 2.0),
                  uniform(shape.targets(), 3, -0.1, 0.1), uniform(shape.targets(), 4, 0.5, 1.0)};
  for (int m = 0; m < members; ++m) {
    dynaplan::NetworkMember<float> member;
    for (Index l = 0; l < shape.layers(); ++l) {
      const auto seed = static_cast<unsigned>(100 * m + 10 + l);
      const double size = 2.0 / std::sqrt(static_cast<double>(shape.layer_inputs(l)));
      member.layers.push_back(
          {(size * random_matrix(shape.layer_outputs(l), shape.layer_inputs(l), seed)).cast<float>(),
           (0.3 * random_matrix(shape.layer_outputs(l), 1, seed + 50)).cast<float>()});
    }
    if (shape.probabilistic) {
      member.log_variance_low = uniform(shape.targets(), 5, -6.0, -4.0).cast<float>();
      member.log_variance_high = uniform(shape.targets(), 6, -1.0, 1.0).cast<float>();
    }
    made.members.push_back(std::move(member));
  }
  return made;
}

}  // namespace dynaplan_test

#pragma once

#include "dynaplan/networks/network.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// A member before training: weights normal with standard deviation 1 / (2 sqrt(inputs)), none beyond two of them;
/// biases 0; log-variances between -10 and 1/2 (the settings of Chua et al. 2018). The same for (seed, member) always.
NetworkMember<float> initial_member(const NetworkShape& shape, std::uint64_t seed, Index member);

/// The same function in units of another scaling, exactly but for rounding: first and last layer take up the
/// difference. Three exceptions: an input that never varied before (scale 1) starts with its weights as they are, in
/// the new units; a target that never varied starts as its new mean, with the initial variance; and along an input
/// that varies so much more now that its weights would exceed 1 (root mean square), the function is stretched about the
/// old mean, since units that are saturated from the start learn nothing.
NetworkMember<float> rescaled_member(const NetworkShape& shape, const NetworkMember<float>& member,
                                     const NetworkScaling& from, const NetworkScaling& to);

/// Makes a trained member predict mean and variance of a target over the training rows, whatever the inputs.
void hold_at_mean(const NetworkShape& shape, Index target, NetworkMember<float>& member);

/// Makes a trained member predict the mean of a target that never varied in the training data, with next to no
/// variance: without a scale of its own its variance is what training had time for, which imagination would add at
/// every step.
void hold_constant(const NetworkShape& shape, Index target, NetworkMember<float>& member);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

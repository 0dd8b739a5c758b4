/* Types of the functions that dynaplan takes compiled: rewards, terminations, dynamics.
 *
 * A function works on many trajectories side by side, its lanes. Arrays hold one row for each state or action,
 * `stride` numbers apart: entry i of lane k is at [i * stride + k], for k from 0 to lanes - 1. `step` is the place on
 * the horizon, from 0. Results are 0 before the call. A function is called from several threads at once: it must change
 * nothing that they share. `user_data` is whatever pointer was given with the function.
 */
#ifndef DYNAPLAN_FUNCTIONS_H
#define DYNAPLAN_FUNCTIONS_H

#include <stdint.h>

typedef void dynaplan_reward_float32(const float *state, const float *action, const float *next_state, int64_t stride,
                                     int64_t lanes, int64_t step, void *user_data, float *reward);
typedef void dynaplan_reward_float64(const double *state, const double *action, const double *next_state,
                                     int64_t stride, int64_t lanes, int64_t step, void *user_data, double *reward);

/* Sets `ended` to another number than 0 in the lanes whose episode ends with the step. */
typedef void dynaplan_termination_float32(const float *state, const float *action, const float *next_state,
                                          int64_t stride, int64_t lanes, int64_t step, void *user_data, uint8_t *ended);
typedef void dynaplan_termination_float64(const double *state, const double *action, const double *next_state,
                                          int64_t stride, int64_t lanes, int64_t step, void *user_data, uint8_t *ended);

/* A model does not know the step: what varies with time must be in the state. */
typedef void dynaplan_dynamics_float32(const float *state, const float *action, int64_t stride, int64_t lanes,
                                       void *user_data, float *next_state);
typedef void dynaplan_dynamics_float64(const double *state, const double *action, int64_t stride, int64_t lanes,
                                       void *user_data, double *next_state);

#endif

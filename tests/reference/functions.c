/* Functions for tests/python/test_compiled_functions.py, in both precisions. */
#include <dynaplan_functions.h>
#include <math.h>

#define KIND(F, S)                                                                                                   \
  void cost_##S(const F* state, const F* action, const F* next_state, int64_t stride, int64_t lanes, int64_t step,   \
                void* user_data, F* reward) {                                                                        \
    const double scale = user_data ? *(const double*)user_data : 1.0;                                                \
    for (int64_t k = 0; k < lanes; ++k) {                                                                            \
      const F gap = next_state[k] - (F)0.3, far = state[2 * stride + k], push = action[stride + k];                  \
      reward[k] = (F)scale * -(gap * gap + (F)0.5 * far * far + (F)0.1 * push * push);                               \
    }                                                                                                                \
  }                                                                                                                  \
  void beyond_##S(const F* state, const F* action, const F* next_state, int64_t stride, int64_t lanes, int64_t step, \
                  void* user_data, uint8_t* ended) {                                                                 \
    for (int64_t k = 0; k < lanes; ++k) ended[k] = fabs(next_state[stride + k]) > 1.5;                               \
  }                                                                                                                  \
  void late_##S(const F* state, const F* action, const F* next_state, int64_t stride, int64_t lanes, int64_t step,   \
                void* user_data, uint8_t* ended) {                                                                   \
    for (int64_t k = 0; k < lanes; ++k) ended[k] = step >= 3;                                                        \
  }                                                                                                                  \
  void decay_##S(const F* state, const F* action, int64_t stride, int64_t lanes, void* user_data, F* next_state) {   \
    for (int i = 0; i < 3; ++i)                                                                                      \
      for (int64_t k = 0; k < lanes; ++k)                                                                            \
        next_state[i * stride + k] = (F)0.9 * state[i * stride + k] + action[(i == 2) * stride + k] * (i + 1);       \
  }                                                                                                                  \
  void bad_##S(const F* state, const F* action, const F* next_state, int64_t stride, int64_t lanes, int64_t step,    \
               void* user_data, F* reward) {                                                                         \
    for (int64_t k = 0; k < lanes; ++k)                                                                              \
      reward[k] = next_state[k] > 1 ? NAN : next_state[k] < -1 ? INFINITY : -next_state[k] * next_state[k];          \
  }
KIND(float, float32)
KIND(double, float64)

/* Compiled against the header's own types: these lines fail to compile where the two differ. */
dynaplan_reward_float32 cost_float32;
dynaplan_reward_float64 cost_float64;
dynaplan_termination_float32 beyond_float32;
dynaplan_termination_float64 beyond_float64;
dynaplan_dynamics_float32 decay_float32;
dynaplan_dynamics_float64 decay_float64;

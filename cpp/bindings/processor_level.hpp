#pragma once

// Included by baseline code only: no Eigen, no core header, so that it runs on any processor.
namespace dynaplan::processor {

// The x86-64 microarchitecture level (1 to 4) of this machine, 0 elsewhere. libgcc's table also asks the
// operating system whether it saves the wide registers.
inline int level() {
#if defined(__x86_64__) && defined(__GNUC__)
  __builtin_cpu_init();
  const bool v2 =
      __builtin_cpu_supports("ssse3") && __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
  const bool v3 = v2 && __builtin_cpu_supports("avx") && __builtin_cpu_supports("avx2") &&
                  __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                  __builtin_cpu_supports("avx512vl");
  if (v4) return 4;
  if (v3) return 3;
  return v2 ? 2 : 1;
#else
  return 0;
#endif
}

}  // namespace dynaplan::processor

#pragma once

#include "dynaplan/core/level.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// While it lives, numbers of its thread that are too small for full precision count as 0, read and written. Training
/// makes many of them (gradients of saturated units, their squares), does not need them, and would spend some hundred
/// cycles on each. Where the processor is no x86 they stay.
class ZeroSubnormals {
 public:
#if defined(__SSE2__)
  ZeroSubnormals() : before_(__builtin_ia32_stmxcsr()) {
    __builtin_ia32_ldmxcsr(before_ | kReadAsZero | kWrittenAsZero);
  }
  ~ZeroSubnormals() { __builtin_ia32_ldmxcsr(before_); }
#else
  ZeroSubnormals() = default;
  ~ZeroSubnormals() = default;
#endif
  ZeroSubnormals(const ZeroSubnormals&) = delete;
  ZeroSubnormals& operator=(const ZeroSubnormals&) = delete;

#if defined(__SSE2__)
 private:
  // Bits of MXCSR: Intel's manual, volume 1, sections 10.2.3.3 and 10.2.3.4.
  static constexpr unsigned kWrittenAsZero = 0x8000;
  static constexpr unsigned kReadAsZero = 0x0040;
  unsigned before_;
#endif
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

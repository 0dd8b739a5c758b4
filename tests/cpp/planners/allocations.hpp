#pragma once

namespace dynaplan_test {

/// How often this program has asked the C library for memory, in any thread.
long allocations();

}  // namespace dynaplan_test

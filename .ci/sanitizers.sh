# shellcheck shell=bash
# The steps under sanitizers. Sourced by .ci/steps.sh.

# instrumented <name> cmake arguments...: the C++ tests under a sanitizer, in a folder of their own.
instrumented() {
  local name=$1
  shift
  # Asserts of Eigen and of the kernels stay on: no NDEBUG. -O1 because it is the quickest to build and run together.
  logged "$name-configure" 300 1 cmake -S . -B "$work/$name" -G Ninja -DDYNAPLAN_TESTS=ON -DCMAKE_BUILD_TYPE=Debug \
    -DCMAKE_CXX_FLAGS_DEBUG="-O1 -g" "$@"
  logged "$name-build" 1800 1 cmake --build "$work/$name" --parallel "$jobs"
  test_in "$work/$name" "$name"
}

step_sanitize() {
  tools
  need_compiler
  need_doctest
  UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 instrumented sanitize -DDYNAPLAN_SANITIZE=address,undefined \
    -DDYNAPLAN_WERROR=ON
}

step_threads() {
  tools
  need_doctest
  # libgomp is not instrumented and gives false reports; LLVM's runtime with archer gives none.
  local archer
  have "the thread sanitizer" "clang libomp-dev libclang-rt-14-dev" -- find_archer ||
    fail "the thread sanitizer needs clang, LLVM's OpenMP and archer"
  archer=$(find_archer)
  # Not WERROR: the warnings that count are those of the compiler that ships.
  OMP_TOOL_LIBRARIES=$archer TSAN_OPTIONS=ignore_noninstrumented_modules=1 instrumented threads \
    -DCMAKE_CXX_COMPILER=clang++ -DDYNAPLAN_SANITIZE=thread
}

# The library of archer that belongs to the clang++ in use; fails if any part is missing.
find_archer() {
  local library
  library=$(clang++ -print-file-name=libarcher.so) || return 1
  [[ $library == /* ]] || library=$(dirname "$(readlink -f "$(command -v clang++)")")/../lib/libarcher.so
  [[ -e $library ]] || return 1
  echo 'int main() { return 0; }' | clang++ -fopenmp -fsanitize=thread -x c++ -o /dev/null - 2>/dev/null || return 1
  echo "$library"
}

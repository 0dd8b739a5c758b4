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

# The tests of the border between Python and C++, with a module under the address sanitizer, which looks for leaks at the
# end. Its unwinder is the fast one: the other one takes a lock that it may already hold.
step_bindings() {
  tools
  need_compiler
  local folder=$work/bindings levels
  levels=$(levels_to_test)
  logged bindings-configure 300 1 cmake -S . -B "$folder/build" -G Ninja -DDYNAPLAN_ISA="${levels%% *}" \
    -DDYNAPLAN_PYTHON=ON -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O1 -DDYNAPLAN_SANITIZE=address \
    -DPython_EXECUTABLE="$venv/bin/python" -Dpybind11_DIR="$("$venv/bin/python" -m pybind11 --cmakedir)"
  logged bindings-build 1800 1 cmake --build "$folder/build" --parallel "$jobs"
  rm -rf "$folder/package"
  mkdir -p "$folder/package"
  cp -r python/dynaplan "$folder/package"
  rm -f "$folder"/package/dynaplan/*.so
  cp "$folder"/build/cpp/bindings/_*.so "$folder/package/dynaplan"
  logged bindings 900 3 env PYTHONPATH="$folder/package" PYTHONMALLOC=malloc ASAN_OPTIONS=quarantine_size_mb=8 \
    LSAN_OPTIONS="suppressions=$root/.ci/leaks.txt:print_suppressions=0" \
    LD_PRELOAD="$("${CXX:-c++}" -print-file-name=libasan.so) $("${CXX:-c++}" -print-file-name=libstdc++.so)" \
    "$venv/bin/python" -m pytest -q tests/conformance \
    tests/python/test_{garbage,callbacks,copies,function_models,recursive,rewards,sac_refusals,tabular}.py \
    tests/python/test_{hand_over,violations,mpc}.py
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

# shellcheck shell=bash
# The steps of .ci/run and .ci/nightly. Sourced by them, never run; they have set `set -euo pipefail` and
#   breadth         ends: the lowest and the highest level that this processor runs; all: those between and generic too
#   fuzz_seconds    how long hostile files are made
#   attack_seconds  how long everything public is called with hostile arguments
#
# lint           ruff, mypy, clang-format, the layer table, file lengths
# cpp            the C++ tests at the highest level, warnings as errors
# package        the wheel with the levels, installed into the environment
# suites         the whole quick Python suite at each level; with breadth=ends at the lowest one, as the highest is readme's
# fuzz           damaged and hostile model files, another seed each time
# attack         hostile arguments for everything public, another seed each time; and that thousands of calls, valid and
#                refused, leave no memory behind
# examples       each examples/*.py
# long           the tests marked long
# tidy           clang-tidy over the library and the bindings
# tidy_changed   the same over the files that changed last
# sanitize       the C++ tests under the address and undefined-behaviour sanitizers
# threads        the C++ tests under the thread sanitizer
# bindings       the Python tests of the bindings, with a module under the address sanitizer
# compile_times  the CPU seconds that each file takes to compile, against their limits
# readme         the README's commands as they stand there, each in a clean copy of the checkout; the second one runs the
#                whole quick Python suite
#
# Works in build/ci. DYNAPLAN_CI_VENV=<venv> uses that environment as it is and installs nothing into it.
exec </dev/null

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
work=$root/build/ci
logs=$work/logs
venv=${DYNAPLAN_CI_VENV:-$work/venv}
python=${PYTHON:-python3}
jobs=2
nightly_record=.ci/nightly.last
closing_lines=()
mkdir -p "$logs"

# The caller's settings must not decide what is tested.
unset DYNAPLAN_ISA PYTHONPATH PYTHONHOME OMP_NUM_THREADS OMP_PROC_BIND OMP_WAIT_POLICY
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
callers_path=$PATH

say() { printf '\n=== %s\n' "$*"; }
fail() { printf '\nFAILED: %s\n' "$*" >&2; exit 1; }

# attempt <name> <seconds> <lines> command...: keeps the output in a log, shows its last lines, or more on failure.
attempt() {
  local name=$1 seconds=$2 lines=$3 status=0
  shift 3
  local command="$*"
  echo "--- $name: ${command:0:200}"
  timeout --kill-after=10 "$seconds" "$@" >"$logs/$name.log" 2>&1 || status=$?
  if ((status == 0)); then
    tail -n "$lines" "$logs/$name.log"
    return
  fi
  tail -n 200 "$logs/$name.log"
  if ((status == 124 || status == 137)); then echo "(stopped after $seconds seconds)"; fi
  echo "$name: exit $status; the whole output is in $logs/$name.log"
  return 1
}

# The same, and a failure ends the run.
logged() { attempt "$@" || fail "$1"; }

# Remembers pytest's closing line of a log for the summary.
note_closing_line() {
  local line
  line=$(grep -E '(passed|skipped|deselected).* in [0-9.]+s' "$logs/$1.log" | tail -n 1) ||
    fail "$1: pytest printed no closing line"
  closing_lines+=("$1: $line")
}

# have <what> <apt packages> -- probe...: installs the packages if the probe fails and this is root on Debian.
have() {
  local what=$1 packages=$2
  shift 3
  "$@" >/dev/null 2>&1 && return 0
  if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
    echo "--- installing $packages"
    # shellcheck disable=SC2086  # several packages
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $packages; } \
      >"$logs/apt.log" 2>&1 || { tail -n 20 "$logs/apt.log"; return 1; }
    "$@" >/dev/null 2>&1 && return 0
  fi
  echo "$what is missing: apt-get install $packages, or its equivalent here" >&2
  return 1
}

compiles() { echo "$2" | "$1" -std=c++17 -fsyntax-only -x c++ -; }
need_compiler() { have "a C++17 compiler" g++ -- compiles "${CXX:-c++}" '#include <vector>' || fail "no compiler"; }
need_doctest() {
  have doctest doctest-dev -- compiles "${CXX:-c++}" '#include <doctest/doctest.h>' || fail "no doctest"
}

# The developer's environment: all that pyproject.toml asks for, but not the package itself. Made anew if anything that
# it asks for has changed; `fresh_tools` removes it at the beginning of a whole run.
tools() {
  if [[ -z ${DYNAPLAN_CI_VENV:-} ]]; then
    "$python" .ci/requirements.py dev >"$work/requirements.txt"
    if ! cmp -s "$work/requirements.txt" "$venv/requirements.txt"; then
      logged venv 300 0 "$python" -m venv --clear "$venv"
      logged tools 900 0 "$venv/bin/python" -m pip install --progress-bar off -r "$work/requirements.txt"
      cp "$work/requirements.txt" "$venv/requirements.txt"
    fi
  fi
  export PATH="$venv/bin:$callers_path" VIRTUAL_ENV=$venv
}
fresh_tools() { rm -f "$work/venv/requirements.txt"; }

# The levels that are built and tested, lowest first.
levels_to_test() {
  local all=(v2 v3 v4) host levels=(generic)
  "${CXX:-c++}" -std=c++17 -I cpp/bindings cpp/cmake/host_level.cpp -o "$work/host_level" || fail "host_level.cpp"
  if host=$("$work/host_level"); then levels=("${all[@]:0:${host#v}-1}"); fi
  if [[ $breadth == all && ${levels[0]} != generic ]]; then levels=(generic "${levels[@]}"); fi
  if [[ $breadth == ends && ${#levels[@]} -gt 1 ]]; then levels=("${levels[0]}" "${levels[-1]}"); fi
  echo "${levels[*]}"
}

# One build for the C++ tests, which link with the last level, and the wheel.
build=$work/build
configure_build() {
  local levels
  levels=$(levels_to_test)
  build_settings=(-DDYNAPLAN_ISA="${levels// /;}" -DDYNAPLAN_PYTHON=ON -DDYNAPLAN_TESTS=ON -DDYNAPLAN_WERROR=ON)
  logged configure 300 1 cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release "${build_settings[@]}" \
    -DPython_EXECUTABLE="$venv/bin/python" -Dpybind11_DIR="$("$venv/bin/python" -m pybind11 --cmakedir)"
}

run_pytest() {  # run_pytest <name> <seconds> arguments...
  local name=$1 seconds=$2
  shift 2
  logged "$name" "$seconds" 15 "$venv/bin/python" -m pytest "$@"
  note_closing_line "$name"
}

step_lint() {
  tools
  local sources wrong=()
  mapfile -t sources < <(find cpp tests/cpp bench -name '*.[ch]pp' | sort)
  attempt ruff-check 60 1 ruff check . || wrong+=(ruff-check)
  attempt ruff-format 60 1 ruff format --check . || wrong+=(ruff-format)
  attempt mypy 300 1 mypy --strict python/dynaplan || wrong+=(mypy)
  attempt clang-format 60 1 clang-format --dry-run --Werror "${sources[@]}" || wrong+=(clang-format)
  attempt layers 60 5 "$venv/bin/python" -m pytest -q tests/python/test_layers.py || wrong+=(layers)
  ((${#wrong[@]} == 0)) || fail "lint: ${wrong[*]}"
}

# test_in <folder> <name>: runs the C++ tests of a build folder.
test_in() {
  logged "$2-test" 900 6 ctest --test-dir "$1" --output-on-failure --no-tests=error --timeout 300 --parallel "$jobs"
}

step_cpp() {
  tools
  need_compiler
  need_doctest
  configure_build
  logged cpp-build 1800 1 cmake --build "$build" --parallel "$jobs" --target cpp_tests
  test_in "$build" cpp
}

step_package() {
  tools
  [[ -z ${DYNAPLAN_CI_VENV:-} ]] || return 0
  need_compiler
  need_doctest
  configure_build
  rm -rf "$work/wheels"
  # In the folder of the C++ tests, with their settings, so that nothing is compiled twice.
  # --config-settings in full: its short form -C needs pip 23.1.
  logged wheel 2400 2 "$venv/bin/python" -m pip wheel --no-build-isolation --no-deps --wheel-dir "$work/wheels" . \
    --config-settings=build-dir="$build" "${build_settings[@]/#-D/--config-settings=cmake.define.}"
  logged install 300 0 "$venv/bin/python" -m pip install --no-deps --force-reinstall "$work"/wheels/*.whl
}

step_suites() {
  tools
  local listed levels level
  listed=$(levels_to_test)
  read -ra levels <<<"$listed"
  for level in "${levels[@]}"; do
    export DYNAPLAN_ISA=$level
    if [[ $breadth == all || $level == "${levels[0]}" ]]; then
      run_pytest "suite-$level" 2400 --durations=10
    else
      run_pytest "suite-$level" 600 -q tests/python/test_build.py tests/conformance
    fi
    unset DYNAPLAN_ISA
  done
}

step_fuzz() {
  tools
  logged fuzz $((fuzz_seconds + 100)) 80 "$venv/bin/python" tests/fuzz/fuzz_model_files.py --seconds "$fuzz_seconds"
}

step_attack() {
  tools
  # With time for a worker to start, and for a last trial that hangs.
  logged attack $((attack_seconds + 200)) 80 "$venv/bin/python" tests/attack/attack_arguments.py \
    --seconds "$attack_seconds"
  logged resident-memory 300 6 "$venv/bin/python" tests/attack/resident_memory.py
}

step_examples() {
  tools
  local example scratch
  scratch=$(mktemp -d)
  compgen -G 'examples/*.py' >/dev/null || fail "examples/ holds no program"
  for example in "$root"/examples/*.py; do
    (cd "$scratch" && logged "example-$(basename "$example" .py)" 300 3 "$venv/bin/python" "$example")
  done
  rm -rf "$scratch"
}

step_long() {
  tools
  # Longer than pyproject's limit for one test, which is for the quick ones.
  run_pytest long 2400 -m long --timeout 600 --durations=10
}

# tidy_files <file>...: clang-tidy over these sources, each with the flags of one level.
tidy_files() {
  tools
  need_compiler
  # One level is enough: the sources are the same. v3, as it is what most machines run.
  local level=v3
  [[ $(uname -m) == x86_64 ]] || level=generic
  logged tidy-configure 300 1 cmake -S . -B "$work/tidy" -G Ninja -DDYNAPLAN_ISA=$level -DDYNAPLAN_PYTHON=ON \
    -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON -DDYNAPLAN_UNITY=OFF \
    -Dpybind11_DIR="$("$venv/bin/python" -m pybind11 --cmakedir)" -DCMAKE_BUILD_TYPE=Debug
  # clang has no omp.h of its own here, and the rest of g++'s folder of headers would clash with clang's.
  mkdir -p "$work/tidy/include"
  cp "$("${CXX:-c++}" -print-file-name=include/omp.h)" "$work/tidy/include/" || fail "no omp.h beside the compiler"
  echo "--- clang-tidy: $# files"
  printf '%s\0' "$@" | timeout 2400 xargs -0 -P "$jobs" -n 1 clang-tidy -p "$work/tidy" --quiet \
    --extra-arg="-isystem$work/tidy/include" >"$logs/tidy.log" 2>"$logs/tidy-progress.log" ||
    { tail -n 200 "$logs/tidy.log"; grep -i error "$logs/tidy-progress.log" || true; fail "clang-tidy"; }
}

step_tidy() {
  local sources
  mapfile -t sources < <(find cpp/src cpp/bindings -name '*.cpp' | sort)
  tidy_files "${sources[@]}"
}

# The sources changed since the last green nightly, and one that includes each changed header; the latest change first.
changed_sources() {
  local since file
  since=$(nightly_commit)
  { git diff --name-only HEAD; git log --format= --name-only ${since:+"$since.."}HEAD; } | awk '!seen[$0]++' |
    while IFS= read -r file; do
      case $file in
        cpp/src/*.cpp | cpp/bindings/*.cpp) if [[ -e $file ]]; then echo "$file"; fi ;;
        cpp/include/*.hpp) grep -rl --include='*.cpp' "\"${file#cpp/include/}\"" cpp/src cpp/bindings | sort | sed 1q || true ;;
        cpp/bindings/*.hpp) grep -rl --include='*.cpp' "\"${file##*/}\"" cpp/bindings | sort | sed 1q || true ;;
      esac
    done | awk '!seen[$0]++'
}

step_tidy_changed() {
  local sources most=24
  git rev-parse --verify --quiet HEAD >/dev/null || { echo "no git history: clang-tidy is left to .ci/nightly"; return; }
  mapfile -t sources < <(changed_sources)
  if ((${#sources[@]} > most)); then
    echo "${#sources[@]} files changed since the last green nightly; the $most latest here, all in .ci/nightly"
    sources=("${sources[@]:0:most}")
  fi
  if ((${#sources[@]})); then tidy_files "${sources[@]}"; else echo "no source changed since the last green nightly"; fi
}

# shellcheck source=.ci/sanitizers.sh
source "$root/.ci/sanitizers.sh"

step_compile_times() {
  tools
  need_compiler
  logged compile-times 3600 25 "$venv/bin/python" bench/compile_times.py --check
}

# What a clone holds: the files git tracks or would, as they are now.
copy_checkout() {
  git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
    if [[ -e $file ]]; then printf '%s\0' "$file"; fi
  done | tar --null --create --files-from=- | tar --extract --directory "$1"
}

step_readme() {
  need_compiler
  local commands command copy number=0
  mapfile -t commands < <("$python" .ci/readme_commands.py README.md)
  ((${#commands[@]} >= 2)) || fail "README.md lacks its two commands"
  for command in "${commands[@]}"; do
    number=$((number + 1))
    copy=$(mktemp -d)
    copy_checkout "$copy"
    (cd "$copy" && logged "readme-$number" 2400 15 env --unset=VIRTUAL_ENV PATH="$callers_path" \
      bash -euo pipefail -c "$command")
    if [[ $command == *pytest* ]]; then note_closing_line "readme-$number"; fi
    rm -rf "$copy"
  done
}

# The commit of the last green nightly, if the history at hand holds it.
nightly_commit() {
  local commit
  [[ -e $nightly_record ]] || return 0
  commit=$(sed -n 's/^commit //p' "$nightly_record")
  if git merge-base --is-ancestor "$commit" HEAD 2>/dev/null; then echo "$commit"; fi
}

show_nightly() {
  local commit
  if [[ ! -e $nightly_record ]]; then
    echo "nightly: has never been green ($nightly_record is missing)"
    return
  fi
  commit=$(nightly_commit)
  echo "nightly: last green at $(paste -sd, "$nightly_record" | sed 's/,/, /g')"
  if [[ -n $commit ]]; then
    echo "         $(git rev-list --count "$commit..HEAD") commits before this one"
  else
    echo "         (this history does not hold that commit)"
  fi
}

# run_steps <default step>... -- <step>...: the steps named after --, or the default ones; prints times, then pytest's
# closing lines, the last one once more by itself. Where $passed is a folder, it has the seconds of each step that has
# passed, and these are left out.
run_steps() {
  local defaults=() steps step started times=()
  while [[ $1 != -- ]]; do defaults+=("$1"); shift; done
  shift
  steps=("$@")
  if ((${#steps[@]} == 0)); then
    steps=("${defaults[@]}")
    fresh_tools
  fi
  for step in "${steps[@]}"; do
    declare -F "step_$step" >/dev/null || fail "no step '$step'; the usual ones are: ${defaults[*]}"
  done
  for step in "${steps[@]}"; do
    if [[ -n ${passed:-} && -e $passed/$step ]]; then
      say "$step passed before, in $(<"$passed/$step") s"
      continue
    fi
    say "$step"
    started=$SECONDS
    "step_$step"
    times+=("$step $((SECONDS - started)) s")
    if [[ -n ${passed:-} ]]; then mkdir -p "$passed" && echo "$((SECONDS - started))" >"$passed/$step"; fi
  done
  say "all steps passed in $((SECONDS / 60)) min"
  printf '%s\n' "${times[@]}"
}

# Pytest's closing lines of this run; the last one once more by itself, for whoever reads the last line only.
show_closing_lines() {
  ((${#closing_lines[@]})) || return 0
  printf '%s\n' "${closing_lines[@]}"
  printf '%s\n' "${closing_lines[-1]#*: }"
}

# Provides Eigen3::Eigen (>= 3.4) from, in this order: a user's prefix (Eigen3_ROOT, Eigen3_DIR), the system,
# the PyPI wheel cmeel-eigen. DYNAPLAN_EIGEN restricts the choice: auto, system or wheel.
set(DYNAPLAN_EIGEN "auto" CACHE STRING "Where Eigen comes from: auto, system or wheel")

if(NOT DYNAPLAN_EIGEN STREQUAL "wheel")
  # No version here: the version files of 3.4.0 and 5.x judge ranges differently.
  find_package(Eigen3 CONFIG QUIET)
endif()

if(NOT TARGET Eigen3::Eigen AND NOT DYNAPLAN_EIGEN STREQUAL "system")
  set(_eigen_hints)
  foreach(_prefix IN LISTS CMAKE_PREFIX_PATH)
    list(APPEND _eigen_hints "${_prefix}/cmeel.prefix")
  endforeach()
  if(NOT Python_Interpreter_FOUND)
    find_package(Python COMPONENTS Interpreter QUIET)
  endif()
  if(Python_Interpreter_FOUND)
    execute_process(
      COMMAND "${Python_EXECUTABLE}" -c
              "import sys,os;print(';'.join(os.path.join(p,'cmeel.prefix') for p in sys.path if p))"
      OUTPUT_VARIABLE _site_prefixes OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    list(APPEND _eigen_hints ${_site_prefixes})
  endif()
  find_package(Eigen3 CONFIG QUIET PATHS ${_eigen_hints} NO_DEFAULT_PATH)
endif()

if(NOT TARGET Eigen3::Eigen OR Eigen3_VERSION VERSION_LESS 3.4)
  message(FATAL_ERROR "Eigen >= 3.4 was not found. Do one of: apt-get install libeigen3-dev; "
                      "pip install cmeel-eigen; or pass -DEigen3_ROOT=<prefix>")
endif()

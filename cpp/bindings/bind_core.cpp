#include <Eigen/Core>
#include <string>

#include "arrays.hpp"
#include "bindings.hpp"
#include "dynaplan/core/build_facts.hpp"
#include "dynaplan/core/error.hpp"
#include "dynaplan/core/parallel.hpp"
#include "dynaplan/core/random.hpp"

namespace dynaplan::bindings {

namespace {

template <class Failure>
void raise_as(const char* name, const Failure& failure) {
  const py::object type = py::module_::import("dynaplan.errors").attr(name);
  py::set_error(type, failure.what());
}

// The Python classes are defined once, in dynaplan.errors, for all levels.
void translate(std::exception_ptr failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const ShapeError& error) {
    raise_as("ShapeError", error);
  } catch (const ValueError& error) {
    raise_as("ArgumentError", error);
  } catch (const NumericalError& error) {
    raise_as("NumericalError", error);
  } catch (const Error& error) {
    raise_as("Error", error);
  }
}

std::string compiler() {
#if defined(__clang__)
  return std::string("clang ") + __clang_version__;
#elif defined(__GNUC__)
  return std::string("gcc ") + __VERSION__;
#else
  return "unknown";
#endif
}

#define DYNAPLAN_STRING(name) #name
#define DYNAPLAN_STRING_OF(name) DYNAPLAN_STRING(name)

py::dict build_info() {
  py::dict info;
  info["version"] = DYNAPLAN_VERSION;
  info["isa"] = DYNAPLAN_STRING_OF(DYNAPLAN_LEVEL);
  info["compiler"] = compiler();
  info["eigen"] = std::to_string(EIGEN_WORLD_VERSION) + "." + std::to_string(EIGEN_MAJOR_VERSION) + "." +
                  std::to_string(EIGEN_MINOR_VERSION);
  const BuildFacts facts = build_facts();
  info["eigen_threads"] = facts.eigen_threads;
  info["openmp"] = facts.openmp;
  info["fast_math"] = facts.fast_math;
  info["vector_lanes_float32"] = kVectorLanes<float>;
  return info;
}

py::array_t<std::uint32_t> philox_words(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  py::array_t<std::uint32_t> words(4);
  const auto result = philox(counter, key);
  std::copy(result.begin(), result.end(), words.mutable_data());
  return words;
}

}  // namespace

void bind_core(py::module_& m) {
  py::register_local_exception_translator(&translate);
  m.def("build_info", &build_info, "How this module was built.");
  m.def("pause_threads", &pause_threads, "Lets idle worker threads go, before a fork.");
  m.def(
      "philox",
      [](const py::array& counter, const py::array& key) {
        const auto* c = input<std::uint32_t>(counter, "counter", {4});
        const auto* k = input<std::uint32_t>(key, "key", {2});
        return philox_words({c[0], c[1], c[2], c[3]}, {k[0], k[1]});
      },
      py::arg("counter"), py::arg("key"), "Philox4x32-10: four random words of a counter and a key.");
}

}  // namespace dynaplan::bindings

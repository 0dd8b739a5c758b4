#include <pybind11/pybind11.h>

#include "processor_level.hpp"

// A module of baseline code, imported first to learn which of the compiled levels this processor runs.
PYBIND11_MODULE(_select, m, pybind11::mod_gil_not_used()) {
  m.doc() = "Tells the processor's x86-64 level, so that the matching compiled module can be chosen.";
  m.def("processor_level", &dynaplan::processor::level,
        "The x86-64 microarchitecture level (1 to 4) of this machine, 0 on other processors.");
}
